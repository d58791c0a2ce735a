using Bailiwick.Domains.Refinement;
using static Bailiwick.HostTests.Rendering.Frames;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// Every odd frame that can be thought of, sent by a machine that tells its own addresses truly, and what of it is seen
/// where the machine has no part: on machines' ports, on bridges, and between the hosts.
/// </summary>
[Collection(TwoHostsGroup.Name)]
public sealed class HostileFrameTests(TwoHosts hosts)
{
    private const int Wait = 15_000;
    private const int Burst = 1000;

    /// <summary>Offsets in a packet of a tunnel in clear: Ethernet 14, IPv4 20, UDP 8, VXLAN 8.</summary>
    private const int NetworkNumber = 46;
    private const int InnerFrame = 50;

    [Theory]
    [InlineData("hospital/records-1", true)]
    [InlineData("hospital/records-2", true)]
    [InlineData("regulator/inspector-1", false)]
    public void Nothing_of_a_stranger_is_seen_in_a_domain_whatever_it_sends(string stranger, bool hasPeers)
    {
        var (host, machine) = hosts.Machine(stranger);
        var own = machine.Ports[0];
        var domain = hosts.PlanOf(host).Domains.Single(one => one.Network.Bridge == own.Bridge);
        Assert.Equal(hasPeers, domain.Network.Vxlan is not null);
        var frames = new HostileFrames(Station.Of(own));
        foreach (var victim in new[] { "bank/web-1", "bank/web-2", "bank/ledger-1" })
        {
            var to = Station.Of(hosts.Machine(victim).Plan.Ports[0]);
            frames.Protocols(to).Fragments(to).Extensions(to).Malformed(to).Sequences(to).Everybody(to)
                .Sequences(to with { Mac = hosts.Domain(1, "bank/web").Gateway?.Mac ?? "" });
        }

        frames.EtherTypes(Station.Of(hosts.Machine("bank/web-1").Plan.Ports[0]));
        using var watch = Watch.Open(hosts, domain.Domain);
        using var origin = hosts.Frames(stranger);
        var before = Dropped(host, domain);
        Send(origin, frames, watch);
        watch.Control();

        Assert.Equal([], watch.Inside(frames));
        Assert.Equal([], watch.Between(frame => frames.NameIn(frame) is { } name
            && !(hasPeers && IsTunnelled(frame, domain.Network.Number) && (frame[InnerFrame] & 1) == 1) ? name : null));
        Assert.Equal(hasPeers, watch.Between(frame => frames.NameIn(frame)).Count > 0);

        // What is for one station has no place anywhere: each such frame was counted.
        var lost = frames.All.Count(one => (one.Frame[0] & 1) == 0);
        Assert.InRange(Dropped(host, domain) - before, lost, int.MaxValue);
    }

    [Fact]
    public void Only_the_open_flows_pass_a_gateway_whatever_is_sent()
    {
        var own = hosts.Machine("bank/web-1").Plan.Ports[0];
        var gateway = hosts.Domain(1, "bank/web").Gateway;
        Assert.NotNull(gateway);
        var frames = new HostileFrames(Station.Of(own));
        var targets = new[] { "bank/ledger-1", "bank/ledger-2" };
        foreach (var victim in targets)
        {
            var to = Station.Of(hosts.Machine(victim).Plan.Ports[0]) with { Mac = gateway.Mac };
            frames.Protocols(to).Fragments(to).Extensions(to).Malformed(to).Sequences(to);
        }

        using var watch = Watch.Open(hosts, hosts.Domain(1, "bank/web").Domain);
        using var origin = hosts.Frames("bank/web-1");
        var before = hosts.Counted(1, "inet", "bw_gateway", gateway.Namespace);
        Send(origin, frames, watch);
        foreach (var victim in targets)
        {
            // The same sender, the same address, an open port.
            byte[] canary = TwoHosts.Canary();
            var to = hosts.Machine(victim).Plan.Ports[0];
            origin.Send(Ethernet(gateway.Mac, own.Mac, 0x0800, Ipv4(V4(own), V4(to), 17,
                Summed(V4(own), V4(to), 17, Udp(9, 5353, canary)))));
            Assert.True(watch.Machine(victim).Sees(canary, Wait), "The control did not arrive.");
        }

        Assert.Equal([], watch.Inside(frames));
        Assert.Equal([], watch.Between(frame => frames.NameIn(frame)));
        Assert.InRange(
            hosts.Counted(1, "inet", "bw_gateway", gateway.Namespace) - before, 256 * targets.Length, int.MaxValue);
    }

    [Fact]
    public void A_frame_for_one_station_leaves_by_its_port_alone_and_for_none_by_no_port()
    {
        var own = hosts.Machine("bank/web-1").Plan.Ports[0];
        var near = hosts.Machine("bank/both-1").Plan.Ports[0];
        var far = hosts.Machine("bank/web-2").Plan.Ports[0];
        using var origin = hosts.Frames("bank/web-1");
        using var neighbour = hosts.Frames("bank/both-1");
        using var other = hosts.Frames("bank/web-2");
        using var wire = FramePort.Open(hosts.Host(1).Space, "under0");

        // A bridge that has forgotten where a machine is sends what is for it to all.
        hosts.Host(1).Run([$"ip link set {near.Device} type bridge_slave learning off",
            $"echo 1 > /sys/class/net/{near.Device}/brport/flush"]);
        try
        {
            byte[] unknown = TwoHosts.Canary(), forNear = TwoHosts.Canary(), forFar = TwoHosts.Canary();
            byte[] forAll = TwoHosts.Canary();
            byte[] To(string mac, byte[] canary) =>
                Ethernet(mac, own.Mac, 0x0800, Ipv4(V4(own), V4(far), 17, Udp(9, 9, canary)));
            origin.Send(To("02:00:00:00:00:99", unknown));
            origin.Send(To(near.Mac, forNear));
            origin.Send(To(far.Mac, forFar));
            origin.Send(To(Broadcast, forAll));
            Assert.All(new[] { neighbour, other, wire }, port => Assert.True(port.Sees(forAll, Wait)));
            Assert.True(neighbour.Sees(forNear, Wait));
            Assert.True(other.Sees(forFar, Wait) && wire.Sees(forFar, Wait));
            Assert.All(new[] { neighbour, other, wire }, port => Assert.False(port.Sees(unknown, 0)));
            Assert.False(neighbour.Sees(forFar, 0));
            Assert.False(wire.Sees(forNear, 0));
        }
        finally
        {
            hosts.Host(1).Run([$"ip link set {near.Device} type bridge_slave learning on"]);
        }
    }

    private static void Send(FramePort origin, HostileFrames frames, Watch watch)
    {
        for (var at = 0; at < frames.All.Count; at++)
        {
            origin.Send(frames.All[at].Frame);
            if (at % Burst == 0)
            {
                watch.Collect();
            }
        }
    }

    private long Dropped(int host, DomainPlan domain) =>
        hosts.Counted(host, "bridge", domain.Network.Table) + hosts.Counted(host, "bridge", "bw_guard");

    private static bool IsTunnelled(byte[] frame, int number) => frame.Length > InnerFrame + 12
        && frame[23] == 17 && ((frame[36] << 8) | frame[37]) == 4789
        && ((frame[NetworkNumber] << 16) | (frame[NetworkNumber + 1] << 8) | frame[NetworkNumber + 2]) == number;

    private static string V4(PortPlan port) => port.Ipv4 ?? throw new InvalidOperationException();
}
