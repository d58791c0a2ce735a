using System.Collections.Immutable;
using Bailiwick.Proxy.Networking;

namespace Bailiwick.Tests.Proxy.Networking;

/// <summary>A switch is compared with its plan, and brought to it by commands that the kernel takes.</summary>
public sealed class WantedSegmentTests
{
    private const string Mac = "02:00:00:00:00:01";
    private const string Bridge = "bwb0011223344";

    [Fact]
    public void A_station_that_is_behind_another_host_takes_its_own_place()
    {
        // The replacing of bridge(8) strikes out what was there: to strike it out again would fail.
        Assert.Equal(
            [
                SegmentCommands.AddForward("t0", Mac, "b"),
                SegmentCommands.AddForward("t0", WantedSegment.Everybody, "b"),
                SegmentCommands.RemoveForward("t0", WantedSegment.Everybody, "a"),
            ],
            Repairs([Tunnel("t0", (Mac, "b"), (WantedSegment.Everybody, "b"))],
                [Behind("t0", Mac, "a"), Behind("t0", WantedSegment.Everybody, "a"), Seat("t0", Mac)]));
    }

    [Fact]
    public void A_peer_that_changes_over_is_written_down_in_the_new_tunnel_before_it_leaves_the_old()
    {
        Assert.Equal(
            [
                SegmentCommands.AddForward("t1", Mac, "a"), SegmentCommands.AddStation("t1", Mac),
                SegmentCommands.RemoveForward("t0", Mac, "a"),
            ],
            Repairs([Tunnel("t0"), Tunnel("t1", (Mac, "a"))], [Behind("t0", Mac, "a"), Seat("t0", Mac)]));
    }

    [Fact]
    public void A_station_that_is_gone_is_struck_out_and_what_is_right_is_left_alone()
    {
        ObservedForward[] seen = [Behind("t0", Mac, "a"), Seat("t0", Mac)];

        Assert.Equal(
            [SegmentCommands.RemoveForward("t0", Mac, "a"), SegmentCommands.RemoveStation("t0", Mac)],
            Repairs([Tunnel("t0")], seen));
        Assert.Empty(Repairs([Tunnel("t0", (Mac, "a"))], seen));
    }

    [Theory]
    [InlineData("\"stp_state\":0", "\"stp_state\":1")]
    [InlineData("\"mcast_snooping\":0", "\"mcast_snooping\":1")]
    [InlineData("\"mcast_snooping\":0,", "")]
    [InlineData("0x4000", "0")]
    [InlineData("\"no_linklocal_learn\":1", "\"no_linklocal_learn\":0")]
    public void A_bridge_that_listens_to_machines_is_wrong(string deaf, string listening)
    {
        const string Told = "[{\"ifname\":\"" + Bridge + "\",\"flags\":[\"UP\"],\"mtu\":1370,\"linkinfo\":{"
            + "\"info_kind\":\"bridge\",\"info_data\":{\"stp_state\":0,\"group_fwd_mask\":\"0x4000\","
            + "\"mcast_snooping\":0,\"no_linklocal_learn\":1}}}]";
        WantedSegment wanted = new(Bridge, 1370, [], [], []);
        ObservedNetwork Seen(string json) => new(ObservedLink.ReadAll(json), []);

        Assert.Empty(wanted.Faults(Seen(Told)));
        Assert.Equal(
            [SegmentFaultKind.BridgeWrong],
            wanted.Faults(Seen(Told.Replace(deaf, listening, StringComparison.Ordinal))).Select(one => one.Kind));
    }

    private static ImmutableArray<string[]> Repairs(WantedTunnel[] tunnels, ObservedForward[] seen) =>
        new WantedSegment(Bridge, 1370, [.. tunnels], [], []).ForwardRepairs(
            new ObservedNetwork(ImmutableSortedDictionary<string, ObservedLink>.Empty, [.. seen]));

    private static WantedTunnel Tunnel(string device, params (string, string)[] forwards) =>
        new(device, 7, "10.99.0.11", null, [.. forwards]);

    private static ObservedForward Behind(string device, string mac, string peer) =>
        new(mac, device, peer, null, "static");

    private static ObservedForward Seat(string device, string mac) => new(mac, device, null, Bridge, "static");
}
