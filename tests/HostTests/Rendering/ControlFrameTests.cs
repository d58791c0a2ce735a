using System.Net;
using System.Net.Sockets;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using static Bailiwick.HostTests.Rendering.Frames;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// Tags, tunnels and the protocols between switches, from a machine and from the wire: nothing arrives anywhere, and no
/// bridge, tunnel or table of a host is another one afterwards.
/// </summary>
[Collection(TwoHostsGroup.Name)]
public sealed class ControlFrameTests(TwoHosts hosts)
{
    private const int Wait = 15_000;
    private const int NotSeen = 250;
    private static readonly int[] Both = [1, 2];

    [Theory]
    [InlineData("hospital/records-1", false)]
    [InlineData("hospital/records-2", false)]
    [InlineData("bank/both-1", true)]
    public void Nothing_that_speaks_to_switches_or_tunnels_arrives_or_changes_one(string sender, bool isMember)
    {
        var (host, machine) = hosts.Machine(sender);
        var own = machine.Ports[0];
        var domain = hosts.PlanOf(host).Domains.Single(one => one.Network.Bridge == own.Bridge);
        var frames = new HostileFrames(Station.Of(own));
        var numbers = Numbers();
        foreach (var name in new[] { "bank/web-1", "bank/web-2" })
        {
            var victim = Station.Of(hosts.Machine(name).Plan.Ports[0]);
            frames.Tags(victim).Controls(victim);
            // To its own domain's machines a packet for a tunnel is a packet like others.
            foreach (var (number, mac) in from number in isMember ? [] : Both
                     from mac in HostMacs(host, own.Bridge) select (number, mac))
            {
                frames.ForTunnels(victim, mac, $"10.99.0.1{number}", numbers);
            }
        }

        Speak();
        var before = State();
        using var watch = Watch.Open(hosts, domain.Domain);
        using var near = hosts.Frames("bank/web-1");
        using var far = hosts.Frames("bank/web-2");
        using var origin = hosts.Frames(sender);
        foreach (var (_, frame) in frames.All)
        {
            origin.Send(frame);
        }

        byte[] canary = TwoHosts.Canary();
        near.Send(Ethernet(hosts.Machine("bank/web-2").Plan.Ports[0].Mac, hosts.Machine("bank/web-1").Plan.Ports[0].Mac,
            0x0800, Ipv4("10.20.1.11", "10.20.1.12", 17, Udp(9, 9, canary))));
        Assert.True(far.Sees(canary, Wait), "The control did not arrive.");
        Assert.Equal([], frames.In(near.All().Concat(far.All())));
        Assert.Equal([], watch.Inside(frames));
        Assert.Equal([], State().Except(before));
    }

    [Fact]
    public void A_tunnel_packet_from_the_wire_counts_only_if_it_is_right_in_everything()
    {
        var (sender, receiver) = (Port("bank/web-1"), Port("bank/web-2"));
        var number = hosts.Domain(1, "bank/web").Network.Number;
        var frames = new HostileFrames(Station.Of(sender));
        frames.Tags(Station.Of(receiver)).Controls(Station.Of(receiver));
        Speak();
        var before = State();
        using var there = hosts.Frames("bank/web-2");
        using var watch = Watch.Open(hosts, hosts.Domain(1, "bank/web").Domain);
        var counted = hosts.Counted(2, "inet", "bw_underlay");
        hosts.Host(1).Run(["nft delete table inet bw_underlay", "ip addr add 10.99.0.66/24 dev under0"]);
        try
        {
            byte[] right = TwoHosts.Canary(), broken = TwoHosts.Canary();
            byte[] inner = Ethernet(receiver.Mac, sender.Mac, 0x0800, Ipv4("10.20.1.11", "10.20.1.12", 17,
                Udp(9, 9, broken)));
            List<(string From, byte[] Packet)> wrong =
            [
                .. frames.All.Select(one => ("10.99.0.11", Vxlan(number, one.Frame))),
                .. Numbers().Append(0).Append(0xffffff).Where(one => one != number)
                    .Select(one => ("10.99.0.11", Vxlan(one, inner))),
                .. Numbers().Select(one => ("10.99.0.66", Vxlan(one, inner))),
                ("10.99.0.11", [0, .. Vxlan(number, inner)[1..]]),
                ("10.99.0.11", Vxlan(number, inner)[..8]),
                ("10.99.0.66", Vxlan(number, [.. inner, .. new byte[3000]])),
            ];
            foreach (var (from, packet) in wrong)
            {
                Tunnel(from, packet);
            }

            Tunnel("10.99.0.11", Vxlan(number,
                Ethernet(receiver.Mac, sender.Mac, 0x0800, Ipv4("10.20.1.11", "10.20.1.12", 17, Udp(9, 9, right)))));
            Assert.True(there.Sees(right, Wait), "The control did not arrive.");
            Assert.False(there.Sees(broken, NotSeen));
            Assert.Equal([], frames.In(there.All()));
            Assert.Equal([], watch.Inside(frames));
            Assert.InRange(hosts.Counted(2, "inet", "bw_underlay") - counted, Numbers().Length + 2, int.MaxValue);
        }
        finally
        {
            hosts.Host(1).Run(["ip addr del 10.99.0.66/24 dev under0"]);
            hosts.Host(1).Load(NftTables.ForHost(hosts.PlanOf(1)));
        }

        Assert.Equal([], State().Except(before));
    }

    [Theory]
    [InlineData("hospital/records-1")]
    [InlineData("bank/both-1")]
    public void A_machine_is_not_heard_by_its_host_whatever_host_it_says_it_is(string sender)
    {
        var (host, machine) = hosts.Machine(sender);
        Assert.Equal(1, host);
        var own = machine.Ports[0];
        var victim = Port("bank/web-1");
        var far = Port("bank/web-2");
        var number = hosts.Domain(1, "bank/web").Network.Number;

        // The address is the other host's, and so is what is inside: it would be right if it came over the wire.
        var frames = new HostileFrames(Station.Of(own) with { V4 = "10.99.0.12" });
        foreach (var mac in HostMacs(host, own.Bridge))
        {
            frames.AsHost(mac, "10.99.0.11", number, Station.Of(far), Station.Of(victim));
        }

        using var there = hosts.Frames("bank/web-1");
        using var origin = hosts.Frames(sender);
        using var ear = hosts.Host(1).Space.Inside(() =>
            new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        ear.Bind(new IPEndPoint(IPAddress.Parse("10.99.0.11"), 9));
        foreach (var (_, frame) in frames.All)
        {
            origin.Send(frame);
        }

        byte[] right = TwoHosts.Canary();
        using (var honest = hosts.Host(2).Space.Inside(() =>
            new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)))
        {
            honest.SendTo(right, new IPEndPoint(IPAddress.Parse("10.99.0.11"), 9));
        }

        byte[] heard = new byte[200];
        Assert.True(ear.Poll(TimeSpan.FromMilliseconds(Wait), SelectMode.SelectRead), "The control did not arrive.");
        Assert.Equal(right, heard[..ear.Receive(heard)]);
        Assert.False(ear.Poll(TimeSpan.FromMilliseconds(NotSeen), SelectMode.SelectRead));
        Assert.Equal([], frames.In(there.All()));
    }

    private PortPlan Port(string name) => hosts.Machine(name).Plan.Ports[0];

    /// <summary>The VXLAN numbers of every switch of both hosts.</summary>
    private int[] Numbers() =>
    [
        .. Both.Select(hosts.PlanOf).SelectMany(plan => plan.Domains.Select(one => one.Network.Number)
            .Concat(plan.Passages.Select(one => one.Network.Number))).Distinct().Order(),
    ];

    /// <summary>Everything of the host that could be spoken to: its bridge, its wire, everybody.</summary>
    private string[] HostMacs(int host, string bridge) =>
    [
        .. new[] { bridge, "under0" }.Select(device =>
            hosts.Host(host).Run([$"cat /sys/class/net/{device}/address"]).Trim()), Broadcast,
        .. Enumerable.Range(0, 16).Select(last => $"01:80:c2:00:00:{last:x2}"),
    ];

    /// <summary>Every machine has sent something, so that what bridges learn from machines is known.</summary>
    private void Speak()
    {
        foreach (var name in new[]
        {
            "bank/web-1", "bank/web-2", "bank/both-1", "hospital/records-1", "hospital/records-2",
        })
        {
            using var origin = hosts.Frames(name);
            origin.Send(Ethernet(Broadcast, Port(name).Mac, 0x0800, Ipv4(
                Port(name).Ipv4 ?? "", "255.255.255.255", 17, Udp(9, 9, [1]))));
        }
    }

    /// <summary>What bridges and tunnels know, one thing a line; times are no part of it.</summary>
    private HashSet<string> State()
    {
        HashSet<string> lines = new(StringComparer.Ordinal);
        for (var host = 1; host <= 2; host++)
        {
            var told = hosts.Host(host).Run([
                "bridge fdb show", "bridge mdb show", "bridge vlan show",
                "cd /sys/class/net",
                "grep -sH . bwb*/bridge/root_* bwb*/bridge/topology_change bwb*/bridge/stp_state "
                + "bwb*/bridge/multicast_* bwb*/brif/*/state bwb*/brif/*/designated_* "
                + "bwb*/brif/*/config_pending || true",
                "ip route", "ip neigh | grep -v under0 || true", "ip -o link | sed 's/ state.*//'",
            ]);
            lines.UnionWith(told.Split('\n').Select(line => $"host {host}: {line}"));
        }

        return lines;
    }

    private void Tunnel(string from, byte[] packet)
    {
        using var socket = hosts.Host(1).Space.Inside(() =>
            new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        socket.SendTo(packet, new IPEndPoint(IPAddress.Parse("10.99.0.12"), 4789));
    }
}
