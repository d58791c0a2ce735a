using System.Net;
using System.Net.Sockets;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using static Bailiwick.HostTests.Rendering.Frames;

namespace Bailiwick.HostTests.Rendering;

/// <summary>A domain's bridge, by frames sent at one machine and captured at another.</summary>
[Collection(TwoHostsGroup.Name)]
public sealed class BridgePacketTests(TwoHosts hosts)
{
    private const int Wait = 15_000;
    private const int NotSeen = 250;

    public enum Forgery
    {
        SourceMac = 1, SourceIpv4, SourceIpv6, SourceGatewayIpv4, SourceGatewayMac, ArpSenderIp, ArpSenderMac,
        ArpGateway, ArpProbe, SolicitOption, AdvertTarget, AdvertOption, AdvertGateway, AdvertHops, AdvertHeader,
        RouterAdvert, Redirect, DhcpServer, Dhcp6Server, Vlan, ServiceVlan, PriorityTag, Lldp, SpanningTree, Lacp, Rarp,
        Unknown, Length,
    }

    public static TheoryData<Forgery> Forgeries => [.. Enum.GetValues<Forgery>()];

    [Theory]
    [MemberData(nameof(Forgeries))]
    public void A_forged_frame_does_not_leave_its_port(Forgery forgery)
    {
        foreach (var (from, to) in new[] { ("bank/web-1", "bank/web-2"), ("bank/web-2", "bank/web-1") })
        {
            var sender = hosts.Machine(from).Plan.Ports[0];
            var receiver = hosts.Machine(to).Plan.Ports[0];
            using var origin = hosts.Frames(from);
            using var here = hosts.Frames(to);
            byte[] forged = TwoHosts.Canary(), honest = TwoHosts.Canary();
            origin.Send(Forge(forgery, sender, receiver, forged));
            origin.Send(Honest(sender, receiver, honest));
            Assert.True(here.Sees(honest, Wait), "The control did not arrive.");
            Assert.False(here.Sees(forged, NotSeen), $"{forgery} arrived.");
        }
    }

    [Fact]
    public void An_honest_neighbour_is_heard_however_it_asks()
    {
        var sender = hosts.Machine("bank/web-1").Plan.Ports[0];
        using var origin = hosts.Frames("bank/web-1");
        using var here = hosts.Frames("bank/web-2");
        byte[] canary = TwoHosts.Canary();
        origin.Send(Ethernet(Broadcast, sender.Mac, 0x0806, Arp(1, sender.Mac, V4(sender), "10.20.1.12", canary)));
        Assert.True(here.Sees(canary, Wait));
        origin.Send(Ethernet("33:33:00:00:00:01", sender.Mac, 0x86dd,
            Ipv6(V6(sender), "ff02::1", 58, Neighbour(136, V6(sender), sender.Mac))));
        Assert.True(here.Sees(Neighbour(136, V6(sender), sender.Mac), Wait));
        origin.Send(Ethernet("33:33:00:00:00:01", sender.Mac, 0x86dd,
            Ipv6(V6(sender), "ff02::1", 58, Neighbour(135, "fd20:1::77", sender.Mac))));
        Assert.True(here.Sees(Neighbour(135, "fd20:1::77", sender.Mac), Wait));
    }

    [Fact]
    public void Two_domains_with_the_same_addresses_never_hear_each_other()
    {
        foreach (var (from, own, foreign) in new[]
        {
            ("bank/web-1", "bank/web-2", "hospital/records"), ("hospital/records-2", "hospital/records-1", "bank/web"),
        })
        {
            var sender = hosts.Machine(from).Plan.Ports[0];
            using var origin = hosts.Frames(from);
            using var friend = hosts.Frames(own);
            using var near = hosts.Frames(foreign + "-1");
            using var far = hosts.Frames(foreign + "-2");
            foreach (var target in new[] { Broadcast, "33:33:00:00:00:01", hosts.Machine(own).Plan.Ports[0].Mac })
            {
                byte[] canary = TwoHosts.Canary();
                origin.Send(Ethernet(target, sender.Mac, 0x0800,
                    Ipv4(V4(sender), "10.20.1.255", 17, Udp(9, 9, canary))));
                Assert.True(friend.Sees(canary, Wait));
                Assert.False(near.Sees(canary, NotSeen));
                Assert.False(far.Sees(canary, NotSeen));
            }

            // A frame straight to the stranger's own MAC finds no way either.
            byte[] direct = TwoHosts.Canary();
            origin.Send(Honest(sender, hosts.Machine(foreign + "-2").Plan.Ports[0], direct));
            Assert.False(far.Sees(direct, NotSeen));
        }
    }

    [Fact]
    public void The_gateway_is_asked_and_answers_on_its_own_host_only()
    {
        var sender = hosts.Machine("bank/web-1").Plan.Ports[0];
        var gateway = hosts.Domain(1, "bank/web").Gateway;
        Assert.NotNull(gateway);
        using var origin = hosts.Frames("bank/web-1");
        using var far = hosts.Frames("bank/web-2");
        byte[] canary = TwoHosts.Canary();
        origin.Send(Ethernet(Broadcast, sender.Mac, 0x0806, Arp(1, sender.Mac, V4(sender), "10.20.1.1", canary)));
        Assert.True(origin.Sees([.. Mac(gateway.Mac), .. Address("10.20.1.1")], Wait), "The gateway did not answer.");
        Assert.False(far.Sees(canary, NotSeen));
        var solicit = Neighbour(135, "fd20:1::1", sender.Mac);
        far.Clear();
        origin.Send(Ethernet("33:33:ff:00:00:01", sender.Mac, 0x86dd, Ipv6(V6(sender), "ff02::1:ff00:1", 58, solicit)));
        Assert.False(far.Sees(solicit, NotSeen));
        origin.Send(Ethernet(Broadcast, sender.Mac, 0x0806, Arp(1, sender.Mac, V4(sender), "10.20.1.12", canary)));
        Assert.True(far.Sees(canary, Wait));
    }

    [Fact]
    public void A_dead_port_is_silent_both_ways_until_it_is_live()
    {
        var (host, machine) = hosts.Machine("bank/web-1");
        var other = hosts.Machine("bank/web-2").Plan;
        var (port, peer) = (machine.Ports[0], other.Ports[0]);
        using var here = hosts.Frames("bank/web-1");
        using var there = hosts.Frames("bank/web-2");
        hosts.Host(host).Kill(port.Device);
        byte[] going = TwoHosts.Canary(), coming = TwoHosts.Canary();
        try
        {
            here.Send(Honest(port, peer, going));
            there.Send(Honest(peer, port, coming));
            Assert.False(there.Sees(going, NotSeen));
            Assert.False(here.Sees(coming, NotSeen));

            // Loading the guard again revives nothing.
            hosts.Host(host).Load(NftTables.ForHost(hosts.PlanOf(host)));
            here.Send(Honest(port, peer, going));
            Assert.False(there.Sees(going, NotSeen));
        }
        finally
        {
            hosts.Host(host).Revive([port.Device]);
        }

        // Loading it again kills nothing that lives.
        hosts.Host(host).Load(NftTables.ForHost(hosts.PlanOf(host)));
        here.Send(Honest(port, peer, going));
        there.Send(Honest(peer, port, coming));
        Assert.True(there.Sees(going, Wait));
        Assert.True(here.Sees(coming, Wait));
    }

    [Fact]
    public void A_tunnel_packet_counts_only_from_a_peer_of_that_network()
    {
        var sender = hosts.Machine("hospital/records-1").Plan.Ports[0];
        var receiver = hosts.Machine("hospital/records-2").Plan.Ports[0];
        var records = hosts.Domain(1, "hospital/records").Network.Number;
        using var there = hosts.Frames("hospital/records-2");
        // Host 1 turns bad: it has no filter of its own and an address that no plan names.
        hosts.Host(1).Run(["nft delete table inet bw_underlay", "ip addr add 10.99.0.66/24 dev under0"]);
        try
        {
            byte[] right = TwoHosts.Canary(), stranger = TwoHosts.Canary(), number = TwoHosts.Canary();
            byte[] forged = TwoHosts.Canary();
            Tunnel("10.99.0.66", records, Honest(sender, receiver, stranger));
            Tunnel("10.99.0.11", records ^ 1, Honest(sender, receiver, number));
            Tunnel("10.99.0.11", records, Honest(receiver with { Mac = sender.Mac }, receiver, forged));
            Tunnel("10.99.0.11", records, Honest(sender, receiver, right));
            Assert.True(there.Sees(right, Wait));
            Assert.False(there.Sees(stranger, NotSeen));
            Assert.False(there.Sees(number, NotSeen));
            Assert.False(there.Sees(forged, NotSeen));
        }
        finally
        {
            hosts.Host(1).Run(["ip addr del 10.99.0.66/24 dev under0"]);
            hosts.Host(1).Load(NftTables.ForHost(hosts.PlanOf(1)));
        }
    }

    private void Tunnel(string from, int number, byte[] frame)
    {
        using var socket = hosts.Host(1).Space.Inside(() =>
            new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        socket.SendTo(Vxlan(number, frame), new IPEndPoint(IPAddress.Parse("10.99.0.12"), 4789));
    }

    private static byte[] Honest(PortPlan from, PortPlan to, byte[] canary) =>
        Ethernet(to.Mac, from.Mac, 0x0800, Ipv4(V4(from), V4(to), 17, Udp(9, 9, canary)));

    private byte[] Forge(Forgery forgery, PortPlan own, PortPlan to, byte[] canary)
    {
        var gatewayMac = hosts.Domain(1, "bank/web").Gateway?.Mac ?? "";
        var payload = Ipv4(V4(own), V4(to), 17, Udp(9, 9, canary));
        byte[] Frame(int type, byte[] data) => Ethernet(to.Mac, own.Mac, type, data);
        byte[] Icmp6(byte[] message, string? from = null, int hops = 255) =>
            Frame(0x86dd, [.. Ipv6(from ?? V6(own), V6(to), 58, message, hops), .. canary]);
        return forgery switch
        {
            Forgery.SourceMac => Ethernet(to.Mac, "02:00:00:00:00:99", 0x0800, payload),
            Forgery.SourceIpv4 => Frame(0x0800, Ipv4("10.20.1.77", V4(to), 17, Udp(9, 9, canary))),
            Forgery.SourceIpv6 => Frame(0x86dd, Ipv6("fd20:1::77", V6(to), 17, Udp(9, 9, canary))),
            Forgery.SourceGatewayIpv4 => Frame(0x0800, Ipv4("10.20.1.1", V4(to), 17, Udp(9, 9, canary))),
            Forgery.SourceGatewayMac => Ethernet(to.Mac, gatewayMac, 0x0800, payload),
            Forgery.ArpSenderIp => Frame(0x0806, Arp(2, own.Mac, V4(to), V4(to), canary)),
            Forgery.ArpSenderMac => Frame(0x0806, Arp(2, "02:00:00:00:00:99", V4(own), V4(to), canary)),
            Forgery.ArpGateway => Frame(0x0806, Arp(2, own.Mac, "10.20.1.1", V4(to), canary)),
            Forgery.ArpProbe => Frame(0x0806, Arp(1, own.Mac, "0.0.0.0", V4(to), canary)),
            Forgery.SolicitOption => Icmp6(Neighbour(135, V6(to), "02:00:00:00:00:99")),
            Forgery.AdvertTarget => Icmp6(Neighbour(136, "fd20:1::77", own.Mac)),
            Forgery.AdvertOption => Icmp6(Neighbour(136, V6(own), "02:00:00:00:00:99")),
            Forgery.AdvertGateway => Icmp6(Neighbour(136, "fd20:1::1", own.Mac)),
            Forgery.AdvertHops => Icmp6(Neighbour(136, V6(own), own.Mac), hops: 254),
            Forgery.AdvertHeader => Frame(0x86dd, Ipv6(V6(own), V6(to), 60,
                [58, 0, 1, 4, 0, 0, 0, 0, .. Neighbour(136, "fd20:1::77", own.Mac), .. canary])),
            Forgery.RouterAdvert => Icmp6([134, 0, 0, 0, 64, 0, 0, 30, .. new byte[8]]),
            Forgery.Redirect => Icmp6([137, 0, 0, 0, 0, 0, 0, 0, .. new byte[32]]),
            Forgery.DhcpServer => Frame(0x0800, Ipv4(V4(own), V4(to), 17, Udp(67, 68, canary))),
            Forgery.Dhcp6Server => Frame(0x86dd, Ipv6(V6(own), V6(to), 17, Udp(547, 546, canary))),
            Forgery.Vlan => Frame(0x8100, [0, 5, 8, 0, .. payload]),
            Forgery.PriorityTag => Frame(0x8100, [0, 0, 8, 0, .. payload]),
            Forgery.ServiceVlan => Frame(0x88a8, [0, 5, 0x81, 0, 0, 6, 8, 0, .. payload]),
            Forgery.Lldp => Ethernet("01:80:c2:00:00:0e", own.Mac, 0x88cc, canary),
            Forgery.SpanningTree => Ethernet("01:80:c2:00:00:00", own.Mac, 38, [0x42, 0x42, 3, .. canary]),
            Forgery.Lacp => Ethernet("01:80:c2:00:00:02", own.Mac, 0x8809, canary),
            Forgery.Rarp => Frame(0x8035, Arp(3, own.Mac, V4(own), V4(to), canary)),
            Forgery.Unknown => Frame(0x1234, canary),
            Forgery.Length => Frame(46, [0xaa, 0xaa, 3, 0, 0, 0, 8, 0, .. payload]),
            _ => throw new ArgumentOutOfRangeException(nameof(forgery)),
        };
    }

    private static string V4(PortPlan port) => port.Ipv4 ?? throw new InvalidOperationException();

    private static string V6(PortPlan port) => port.Ipv6 ?? throw new InvalidOperationException();
}
