using System.Net;
using Bailiwick.Domains.Refinement;
using static Bailiwick.HostTests.Rendering.Frames;

namespace Bailiwick.HostTests.Rendering;

/// <summary>
/// A machine with a port in each of two domains: each port is under its own domain's rules, and nothing gets from one
/// domain to the other by way of the machine, even where it forwards.
/// </summary>
[Collection(TwoHostsGroup.Name)]
public sealed class MultiHomedTests(TwoHosts hosts)
{
    private const string Both = "bank/both-1";
    private const int Wait = 15_000;
    private const int NotSeen = 250;
    private static readonly string[] Web = ["bank/web-1", "bank/web-2"];
    private static readonly string[] Ledger = ["bank/ledger-1", "bank/ledger-2"];

    [Fact]
    public void What_is_for_all_of_one_domain_is_not_heard_in_the_other()
    {
        foreach (var (sender, port, hears, deaf, other) in new[]
        {
            ("bank/web-1", 0, 0, Ledger, 1), ("bank/ledger-2", 0, 1, Web, 0), (Both, 0, -1, Ledger, 1),
            (Both, 1, -1, Web, 0),
        })
        {
            var own = hosts.Machine(sender).Plan.Ports[port];
            byte[] canary = TwoHosts.Canary();
            using var origin = hosts.Frames(sender, port);
            using var friend = Hearing(sender, port);
            using var wrong = hosts.Frames(Both, other);
            using var near = hosts.Frames(deaf[0]);
            using var far = hosts.Frames(deaf[1]);
            origin.Send(Ethernet(Broadcast, own.Mac, 0x0800, Ipv4(V4(own), "255.255.255.255", 17, Udp(9, 9, canary))));
            Assert.True(friend.Sees(canary, Wait), $"The control from {sender} did not arrive.");
            Assert.All(new[] { wrong, near, far }, one => Assert.False(one.Sees(canary, NotSeen / 2)));

            FramePort Hearing(string from, int at) => from == Both
                ? hosts.Frames((at == 0 ? Web : Ledger)[0]) : hosts.Frames(Both, hears);
        }
    }

    [Fact]
    public void Each_port_sends_its_own_addresses_and_not_the_other_ports()
    {
        var ports = hosts.Machine(Both).Plan.Ports;
        foreach (var (at, name) in new[] { (0, Web[0]), (1, Ledger[1]) })
        {
            var (own, other, to) = (ports[at], ports[1 - at], hosts.Machine(name).Plan.Ports[0]);
            using var origin = hosts.Frames(Both, at);
            using var there = hosts.Frames(name);
            byte[] honest = TwoHosts.Canary();
            List<byte[]> canaries = [];
            foreach (var (mac, address) in new[]
            {
                (own.Mac, V4(other)), (other.Mac, V4(own)), (other.Mac, V4(other)),
            })
            {
                canaries.AddRange([TwoHosts.Canary(), TwoHosts.Canary()]);
                origin.Send(Ethernet(to.Mac, mac, 0x0800, Ipv4(address, V4(to), 17, Udp(9, 9, canaries[^1]))));
                origin.Send(Ethernet(to.Mac, mac, 0x0806, Arp(1, mac, address, V4(to), canaries[^2])));
            }

            origin.Send(Ethernet(to.Mac, own.Mac, 0x0800, Ipv4(V4(own), V4(to), 17, Udp(9, 9, honest))));
            Assert.True(there.Sees(honest, Wait), "The control did not arrive.");
            Assert.All(canaries, canary => Assert.False(there.Sees(canary, 0)));
        }
    }

    [Fact]
    public void A_machine_that_forwards_carries_nothing_from_one_domain_to_the_other()
    {
        var (host, machine) = hosts.Machine(Both);
        byte[] carried = TwoHosts.Canary(), own = TwoHosts.Canary();
        using var there = hosts.Frames(Ledger[1]);
        using var here = hosts.Frames(Both);
        hosts.Host(host).Run(["sysctl -q -w net.ipv4.ip_forward=1"], machine.MachineName);
        try
        {
            var (web, to) = (hosts.Machine(Web[0]).Plan.Ports[0], hosts.Machine(Ledger[1]).Plan.Ports[0]);
            using var origin = hosts.Frames(Web[0]);
            origin.Send(Ethernet(machine.Ports[0].Mac, web.Mac, 0x0800, Ipv4(V4(web), V4(to), 17, Udp(9, 9, carried))));
            Assert.True(here.Sees(carried, Wait), "The forwarder did not get it.");
            using var socket = hosts.Datagrams(Both, 0);
            socket.SendTo(own, new IPEndPoint(IPAddress.Parse(V4(to)), 9));
            Assert.True(there.Sees(own, Wait), "The control did not arrive.");
            Assert.False(there.Sees(carried, NotSeen));
        }
        finally
        {
            hosts.Host(host).Run(["sysctl -q -w net.ipv4.ip_forward=0"], machine.MachineName);
        }
    }

    [Fact]
    public void A_port_that_is_closed_leaves_the_machines_other_port_open()
    {
        var (host, machine) = hosts.Machine(Both);
        var to = hosts.Machine(Web[0]).Plan.Ports[0];
        var far = hosts.Machine(Ledger[1]).Plan.Ports[0];
        byte[] open = TwoHosts.Canary(), closed = TwoHosts.Canary();
        using var there = hosts.Frames(Web[0]);
        using var dead = hosts.Frames(Ledger[1]);
        hosts.Host(host).Kill(machine.Ports[1].Device);
        try
        {
            using var first = hosts.Frames(Both);
            using var second = hosts.Frames(Both, 1);
            second.Send(Ethernet(far.Mac, machine.Ports[1].Mac, 0x0800,
                Ipv4(V4(machine.Ports[1]), V4(far), 17, Udp(9, 9, closed))));
            first.Send(Ethernet(to.Mac, machine.Ports[0].Mac, 0x0800,
                Ipv4(V4(machine.Ports[0]), V4(to), 17, Udp(9, 9, open))));
            Assert.True(there.Sees(open, Wait), "The control did not arrive.");
            Assert.False(dead.Sees(closed, NotSeen));
        }
        finally
        {
            hosts.Host(host).Revive([machine.Ports[1].Device]);
        }
    }

    private static string V4(PortPlan port) => port.Ipv4 ?? throw new InvalidOperationException();
}
