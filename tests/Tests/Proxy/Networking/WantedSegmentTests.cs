using System.Collections.Immutable;
using Bailiwick.Proxy.Networking;

namespace Bailiwick.Tests.Proxy.Networking;

/// <summary>Forwarding entries are brought from what is seen to the plan by commands that the kernel takes.</summary>
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

    private static ImmutableArray<string[]> Repairs(WantedTunnel[] tunnels, ObservedForward[] seen) =>
        new WantedSegment(Bridge, 1370, [.. tunnels], [], []).ForwardRepairs(
            new ObservedNetwork(ImmutableSortedDictionary<string, ObservedLink>.Empty, [.. seen]));

    private static WantedTunnel Tunnel(string device, params (string, string)[] forwards) =>
        new(device, 7, "10.99.0.11", null, [.. forwards]);

    private static ObservedForward Behind(string device, string mac, string peer) =>
        new(mac, device, peer, null, "static");

    private static ObservedForward Seat(string device, string mac) => new(mac, device, null, Bridge, "static");
}
