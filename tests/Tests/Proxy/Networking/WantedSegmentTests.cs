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

    [Theory]
    [InlineData("", "", null)]
    [InlineData("\"id\":105", "\"id\":106", SegmentFaultKind.TunnelWrong)]
    [InlineData("802.1Q", "802.1ad", SegmentFaultKind.TunnelWrong)]
    [InlineData("\"link\":\"under0\"", "\"link\":\"other0\"", SegmentFaultKind.TunnelWrong)]
    [InlineData("\"link\":\"under0\",", "", SegmentFaultKind.TunnelWrong)]
    [InlineData("\"info_kind\":\"vlan\"", "\"info_kind\":\"veth\"", SegmentFaultKind.TunnelWrong)]
    [InlineData("\"isolated\":true", "\"isolated\":false", SegmentFaultKind.TunnelUnplugged)]
    [InlineData("\"learning\":false", "\"learning\":true", SegmentFaultKind.TunnelUnplugged)]
    [InlineData("\"ifname\":\"bwv0011223344\"", "\"ifname\":\"bwv0011223355\"", SegmentFaultKind.TunnelMissing)]
    public void A_port_into_a_VLAN_counts_only_if_it_is_right_in_everything(
        string right, string seen, SegmentFaultKind? fault)
    {
        const string Told = "[{\"ifname\":\"" + Bridge + "\",\"flags\":[\"UP\"],\"mtu\":1370,\"linkinfo\":{"
            + "\"info_kind\":\"bridge\",\"info_data\":{\"stp_state\":0,\"group_fwd_mask\":\"0x4000\","
            + "\"mcast_snooping\":0,\"no_linklocal_learn\":1}}},"
            + "{\"ifname\":\"bwv0011223344\",\"link\":\"under0\",\"flags\":[\"UP\"],\"mtu\":1370,\"master\":\"" + Bridge
            + "\",\"linkinfo\":{\"info_kind\":\"vlan\",\"info_data\":{\"protocol\":\"802.1Q\",\"id\":105},"
            + "\"info_slave_kind\":\"bridge\",\"info_slave_data\":{\"learning\":false,\"flood\":true,"
            + "\"isolated\":true}}}]";
        WantedSegment wanted = new(Bridge, 1370, [], [], [])
        {
            Vlan = new WantedVlan("bwv0011223344", 105, [Mac]) { Parent = "under0" },
        };
        string told = right.Length == 0 ? Told : Told.Replace(right, seen, StringComparison.Ordinal);
        Assert.Equal(right.Length == 0, told == Told);

        var faults = wanted.Faults(new ObservedNetwork(ObservedLink.ReadAll(told), [Seat("bwv0011223344", Mac)]));

        Assert.Equal(
            fault is { } kind ? [kind] : Array.Empty<SegmentFaultKind>(),
            faults.Where(one => one.Kind != SegmentFaultKind.ForeignPort).Select(one => one.Kind));
    }

    [Fact]
    public void A_station_that_comes_by_a_VLAN_is_written_down_behind_it_and_struck_out_when_it_is_gone()
    {
        WantedSegment wanted = new(Bridge, 1370, [], [], []) { Vlan = new WantedVlan("v0", 105, [Mac]) };
        ImmutableArray<string[]> Moves(WantedSegment to, params ObservedForward[] seen) => to.ForwardRepairs(
            new ObservedNetwork(ImmutableSortedDictionary<string, ObservedLink>.Empty, [.. seen]));

        Assert.Equal([SegmentCommands.AddStation("v0", Mac)], Moves(wanted));
        Assert.Empty(Moves(wanted, Seat("v0", Mac)));
        Assert.Equal(
            [SegmentCommands.RemoveStation("v0", Mac)],
            Moves(wanted with { Vlan = new WantedVlan("v0", 105, []) }, Seat("v0", Mac)));

        // From a tunnel into the VLAN, and back.
        WantedTunnel tunnel = Tunnel("t0", (Mac, "a"));
        Assert.Equal(
            [SegmentCommands.AddStation("v0", Mac), SegmentCommands.RemoveForward("t0", Mac, "a")],
            Moves(wanted with { Tunnels = [Tunnel("t0")] }, Behind("t0", Mac, "a"), Seat("t0", Mac)));
        Assert.Equal(
            [SegmentCommands.AddForward("t0", Mac, "a"), SegmentCommands.AddStation("t0", Mac)],
            Moves(wanted with { Tunnels = [tunnel], Vlan = new WantedVlan("v0", 105, []) }, Seat("v0", Mac)));
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
