using System.Net.Sockets;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.HostTests.Rendering;
using static Bailiwick.HostTests.Rendering.Frames;
using static Bailiwick.HostTests.Services.Questions;

namespace Bailiwick.HostTests.Services;

/// <summary>What machines are told by their own host, with the real server and by frames at every port.</summary>
[Collection(ServicedHostsGroup.Name)]
public sealed class ServicePointTests(ServicedHosts serviced)
{
    private const int Wait = 15_000;
    private const int NotSeen = 300;
    private const string Service4 = "10.20.1.2";
    private const string Service6 = "fd20:1::2";
    private static int _number = 0x10_0000;

    private TwoHosts Hosts => serviced.Hosts;

    private ServicePointPlan Point => serviced.Plan(1);

    [Fact]
    public void A_machine_learns_its_own_address_mtu_router_and_name_and_no_other()
    {
        string said = Lease("bank/web-1");
        Assert.Contains("ip=10.20.1.11\n", said, StringComparison.Ordinal);
        Assert.Contains("subnet=255.255.255.0\n", said, StringComparison.Ordinal);
        Assert.Contains("router=10.20.1.1\n", said, StringComparison.Ordinal);
        Assert.Contains($"dns={Service4}\n", said, StringComparison.Ordinal);
        Assert.Contains("mtu=1450\n", said, StringComparison.Ordinal);
        Assert.Contains("hostname=web-1\n", said, StringComparison.Ordinal);
        Assert.Contains("domain=web.bank.internal\n", said, StringComparison.Ordinal);
        Assert.Contains("ip=10.20.1.12\n", Lease("bank/web-2"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_offer_reaches_the_machine_that_asked_for_itself_and_nobody_else(bool broadcast)
    {
        string own = Mac("bank/web-1"), stranger = Mac("bank/web-2");
        int right = Next(), wrong = Next();
        using FramePort asker = Hosts.Frames("bank/web-1");
        using FramePort far = Hosts.Frames("bank/web-2");
        using FramePort neighbour = Hosts.Frames("hospital/records-1");
        asker.Send(Discover(own, stranger, wrong, broadcast));
        asker.Send(Discover(own, "02:00:00:00:00:99", wrong, broadcast));
        asker.Send(Discover(stranger, stranger, wrong, broadcast));
        asker.Send(Discover(own, own, right, broadcast));
        Assert.True(asker.Sees(Offer(right), Wait), "The control was not answered.");
        Assert.True(asker.Sees([.. Offer(right), 0, 0, 0x80, 0, 0, 0, 0, 0, 10, 20, 1, 11], 1));
        Assert.False(asker.Sees(Offer(wrong), NotSeen), "A foreign client's address was answered.");
        Assert.False(far.Sees(Offer(right), 1) || far.Sees(Offer(wrong), 1));
        Assert.False(neighbour.Sees(Offer(right), 1) || neighbour.Sees(Offer(wrong), 1));
    }

    [Fact]
    public void A_question_for_an_address_reaches_its_own_host_and_nobody_else()
    {
        string own = Mac("bank/web-1");
        int number = Next();
        using FramePort asker = Hosts.Frames("bank/web-1");
        using FramePort far = Hosts.Frames("bank/web-2");
        using FramePort tunnel = FramePort.Open(
            Hosts.Host(1).Space, Hosts.Domain(1, "bank/web").Network.Vxlan ?? "");
        asker.Send(Discover(own, own, number));
        asker.Send(Solicit(own, LinkLocal(own), own, number));
        asker.Send(RouterSolicit(own, LinkLocal(own)));
        Assert.True(asker.Sees(Offer(number), Wait) && asker.Sees(Advertise(number), Wait));
        Assert.False(tunnel.Sees(Big4(number), NotSeen), "A question left the host.");
        Assert.False(tunnel.Sees(Frames.Mac(Point.Mac), 1), "The service point was heard in the tunnel.");
        Assert.False(far.Sees(Big4(number), 1));

        // The tunnel is seen at all: a frame for the other machine passes it.
        byte[] canary = TwoHosts.Canary();
        asker.Send(Ethernet(Mac("bank/web-2"), own, 0x0800, Ipv4("10.20.1.11", "10.20.1.12", 17, Udp(9, 9, canary))));
        Assert.True(tunnel.Sees(canary, Wait) && far.Sees(canary, Wait));
    }

    [Fact]
    public void A_machine_is_told_its_own_IPv6_address_whatever_identifier_it_claims()
    {
        string own = Mac("bank/web-1"), stranger = Mac("bank/web-2");
        byte[] mine = Address("fd20:1::11"), theirs = Address("fd20:1::12");
        int claimed = Next(), relayed = Next(), right = Next();
        using FramePort asker = Hosts.Frames("bank/web-1");
        asker.Send(RelayedSolicit(own, LinkLocal(own), stranger, relayed));
        asker.Send(RelayedFromClientPort(own, LinkLocal(own), stranger, relayed));
        asker.Send(Solicit(own, LinkLocal(stranger), stranger, relayed));
        asker.Send(Solicit(own, LinkLocal(own), own, right));
        asker.Send(Solicit(own, LinkLocal(own), stranger, claimed));
        Assert.True(asker.Sees(Advertise(right), Wait) && asker.Sees(mine, Wait), "The control was not answered.");
        Assert.True(asker.Sees(Advertise(claimed), Wait));
        Assert.False(asker.Sees(Advertise(relayed), NotSeen), "A relayed question was answered.");
        Assert.False(asker.Sees([0, 5, 0, 24, .. theirs], 1), "Another machine's address was told.");
    }

    [Fact]
    public void A_router_advertisement_says_prefix_and_MTU_to_the_machines_of_this_host()
    {
        string own = Mac("bank/web-1");
        using FramePort asker = Hosts.Frames("bank/web-1");
        using FramePort neighbour = Hosts.Frames("hospital/records-1");
        // An answer goes to who asked; what the point sends to all by itself can come at any time.
        byte[] answer = [.. Address(LinkLocal(own)), 134, 0];
        asker.Send(RouterSolicit(own, LinkLocal(own), hops: 64));
        Assert.False(asker.Sees(answer, NotSeen), "Hops were not read.");
        asker.Send(RouterSolicit(own, LinkLocal(own)));
        Assert.True(asker.Sees(answer, Wait), "It does not answer.");
        Assert.True(asker.Sees([5, 1, 0, 0, 0, 0, 0x05, 0xaa], Wait), "No MTU of 1450.");
        Assert.True(asker.Sees([3, 4, 64, 0x80], 1), "The prefix is not on the link, or is autonomous.");
        Assert.False(neighbour.Sees([5, 1, 0, 0, 0, 0, 0x05, 0xaa], NotSeen));
    }

    [Fact]
    public void Names_of_the_domain_and_of_its_open_flows_are_known_and_no_others()
    {
        using Socket socket = Hosts.Datagrams("bank/web-1", 0);
        foreach (string name in (string[])["web-2", "web-2.web.bank.internal"])
        {
            byte[] answer = Answer(socket, name);
            Assert.Equal(0, Code(answer));
            Assert.True(answer.AsSpan().IndexOf((byte[])[0, 4, 10, 20, 1, 12]) > 0);
        }

        byte[] ledger = Answer(socket, "ledger-1.ledger.bank.internal");
        Assert.True(ledger.AsSpan().IndexOf((byte[])[0, 4, 10, 20, 2, 11]) > 0);
        foreach (string name in (string[])
            ["ledger-1", "records-1", "records-1.records.hospital.internal", "www.example.com", "nobody"])
        {
            Assert.Equal(3, Code(Answer(socket, name)));
        }

        using Socket over6 = Hosts.Datagrams("bank/web-1", 0, ipv6: true);
        byte[]? six = Ask(over6, Service6, "web-1", 28);
        Assert.True(six.AsSpan().IndexOf(Address("fd20:1::11")) > 0);
    }

    [Fact]
    public void A_neighbouring_domain_with_the_same_addresses_gets_nothing()
    {
        string own = Mac("hospital/records-1");
        int number = Next();
        using FramePort asker = Hosts.Frames("hospital/records-1");
        asker.Send(Discover(own, own, number));
        asker.Send(Solicit(own, LinkLocal(own), own, number));
        using Socket socket = Hosts.Datagrams("hospital/records-1", 0);
        Assert.Null(Ask(socket, Service4, "web-1", 1));
        Assert.False(asker.Sees(Offer(number), NotSeen) || asker.Sees(Advertise(number), 1));
        Assert.False(asker.Sees(Frames.Mac(Point.Mac), 1));
        using Socket control = Hosts.Datagrams("bank/web-1", 0);
        Assert.Equal(0, Code(Answer(control, "web-1")));
    }

    [Fact]
    public void What_a_machine_says_in_the_place_of_the_service_is_dropped()
    {
        PortPlan sender = Hosts.Machine("bank/web-2").Plan.Ports[0];
        string own = sender.Mac, target = Mac("bank/web-1");
        byte[] forged = TwoHosts.Canary(), honest = TwoHosts.Canary();
        using FramePort origin = Hosts.Frames("bank/web-2");
        using FramePort victim = Hosts.Frames("bank/web-1");
        origin.Send(Ethernet(target, own, 0x0800, Ipv4("10.20.1.12", "10.20.1.11", 17, Udp(67, 68, forged))));
        origin.Send(Ethernet(target, own, 0x86dd, Ipv6("fd20:1::12", "fd20:1::11", 17, Udp(547, 546, forged))));
        origin.Send(Ethernet(target, own, 0x0800, Ipv4(Service4, "10.20.1.11", 17, Udp(53, 53, forged))));
        origin.Send(Ethernet(target, Point.Mac, 0x0800, Ipv4(Service4, "10.20.1.11", 17, Udp(53, 53, forged))));
        origin.Send(Ethernet(target, own, 0x0806, Arp(2, own, Service4, "10.20.1.11", forged)));
        origin.Send(Ethernet(target, own, 0x86dd,
            [.. Ipv6(LinkLocal(own), "ff02::1", 58, [134, 0, 0, 0, 64, 0x80, 7, 8, .. new byte[8]]), .. forged]));
        origin.Send(Ethernet(target, own, 0x0800, Ipv4("10.20.1.12", "10.20.1.11", 17, Udp(9, 9, honest))));
        Assert.True(victim.Sees(honest, Wait), "The control did not arrive.");
        Assert.False(victim.Sees(forged, NotSeen));
    }

    [Fact]
    public void Nothing_but_its_services_is_reached_at_the_service_point()
    {
        PortPlan sender = Hosts.Machine("bank/web-1").Plan.Ports[0];
        byte[] refused = TwoHosts.Canary(), asked = TwoHosts.Canary();
        using FramePort origin = Hosts.Frames("bank/web-1");
        using FramePort inside = FramePort.Open(Hosts.Host(1).Space, Point.BridgePort);
        foreach (int port in (int[])[22, 69, 68, 5353])
        {
            origin.Send(Ethernet(Point.Mac, sender.Mac, 0x0800,
                Ipv4("10.20.1.11", Service4, 17, Udp(4000, port, refused))));
        }

        origin.Send(Ethernet(Point.Mac, sender.Mac, 0x0800, Ipv4("10.20.1.11", "10.20.2.11", 17, Udp(9, 53, refused))));
        origin.Send(Ethernet(Point.Mac, sender.Mac, 0x0800, Ipv4("10.20.1.11", Service4, 17, Udp(9, 53, asked))));
        Assert.True(inside.Sees(asked, Wait));
        Assert.False(inside.Sees(refused, NotSeen));
    }

    [Fact]
    public void An_IPv6_packet_for_a_flow_finds_the_gateway_by_the_route_that_was_told()
    {
        PortPlan sender = Hosts.Machine("bank/web-1").Plan.Ports[0];
        byte[] open = TwoHosts.Canary(), closed = TwoHosts.Canary();
        using FramePort origin = Hosts.Frames("bank/web-1");
        using FramePort ledger = Hosts.Frames("bank/ledger-1");
        origin.Send(Ethernet(Point.Mac, sender.Mac, 0x86dd, Udp6("fd20:1::11", "fd20:2::11", 9, 5399, closed)));
        origin.Send(Ethernet(Point.Mac, sender.Mac, 0x86dd, Udp6("fd20:1::11", "fd20:2::11", 9, 5355, open)));
        Assert.True(ledger.Sees(open, Wait), "The open flow did not arrive.");
        Assert.False(ledger.Sees(closed, NotSeen));
    }

    [Fact]
    public void A_server_that_was_killed_or_is_not_alone_is_replaced_and_the_drift_recorded()
    {
        using Socket socket = Hosts.Datagrams("bank/web-1", 0);
        int before = Drifts();
        serviced.Serve(1);
        Assert.Equal(before, Drifts());
        int old = Assert.Single(serviced.Tools(1).Programs(Point.Namespace));
        Kill(old);
        serviced.Serve(1);
        Assert.Equal(0, Code(Answer(socket, "web-2")));
        Assert.Equal(before + 1, Drifts());
        Assert.NotEqual(old, Assert.Single(serviced.Tools(1).Programs(Point.Namespace)));

        Hosts.Host(1).Run([$"ip netns exec {Point.Namespace} sleep 300 < /dev/null > /dev/null 2>&1 &"]);
        SpinWait.SpinUntil(() => serviced.Tools(1).Programs(Point.Namespace).Length == 2, Wait);
        serviced.Serve(1);
        Assert.Single(serviced.Tools(1).Programs(Point.Namespace));
        Assert.Equal(before + 2, Drifts());
    }

    [Fact]
    public void Whoever_changes_the_service_points_rules_or_addresses_is_found()
    {
        int mtu = Hosts.Domain(1, "bank/web").Network.Mtu;
        foreach (string change in (string[])
        [
            $"ip -n {Point.Namespace} addr add 10.66.0.1/24 dev inside",
            $"ip netns exec {Point.Namespace} nft add rule inet bw_service input accept",
            $"ip -n {Point.Namespace} neigh replace 10.20.1.11 lladdr 02:66:66:66:66:66 dev inside nud permanent",
        ])
        {
            int before = Drifts();
            serviced.Point(1).Bring(Point, mtu, ServicedHosts.Apply);
            Assert.Equal(before, Drifts());
            Hosts.Host(1).Run([change]);
            serviced.Point(1).Bring(Point, mtu, ServicedHosts.Apply);
            Assert.Equal(before + 1, Drifts());
            Hosts.Host(1).Run([$"ip link set {Point.BridgePort} addrgenmode none master "
                + $"{Hosts.Domain(1, "bank/web").Network.Bridge} up"]);
            Hosts.Host(1).Revive([Point.BridgePort]);
            serviced.Serve(1);
        }

        using Socket socket = Hosts.Datagrams("bank/web-1", 0);
        Assert.Equal(0, Code(Answer(socket, "web-2")));
    }

    [Fact]
    public void Services_that_left_the_policy_leave_no_port_namespace_or_program()
    {
        int server = Assert.Single(serviced.Tools(1).Programs(Point.Namespace));
        HostPlan plan = Hosts.PlanOf(1);
        serviced.Sweep(1).RemoveLeftovers(plan, () => true);
        Assert.Equal(server, Assert.Single(serviced.Tools(1).Programs(Point.Namespace)));
        try
        {
            serviced.Sweep(1).RemoveLeftovers(
                plan with { Domains = [.. plan.Domains.Select(d => d with { ServicePoint = null })] }, () => true);
            // What has ended and was not waited for yet has no command line.
            string command = $"/proc/{server}/cmdline";
            Assert.Equal("", File.Exists(command) ? File.ReadAllText(command) : "");
            Assert.DoesNotContain("bwn", Hosts.Host(1).Run(["ip netns list", "ip -br link"]), StringComparison.Ordinal);
        }
        finally
        {
            serviced.Build(1);
        }

        using Socket socket = Hosts.Datagrams("bank/web-1", 0);
        Assert.Equal(0, Code(Answer(socket, "web-2")));
    }

    [Fact]
    public void The_server_has_its_own_user_and_nothing_of_the_host()
    {
        int server = Assert.Single(serviced.Tools(1).Programs(Point.Namespace));
        string status = File.ReadAllText($"/proc/{server}/status");
        Assert.DoesNotContain("Uid:\t0\t", status, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1", status, StringComparison.Ordinal);
        Assert.Contains("CapBnd:\t0000000000003400", status, StringComparison.Ordinal);
        Assert.False(Directory.Exists($"/proc/{server}/root/etc") || Directory.Exists($"/proc/{server}/root/proc"));
        Assert.Empty(Directory.EnumerateFiles($"/proc/{server}/root/state").Select(Path.GetFileName)
            .Except(["leases"]));
    }

    [Fact]
    public void A_machine_that_the_tenant_names_serves_the_others_and_no_other_machine_does()
    {
        HostPlan[] plans = [.. Enumerable.Range(1, 2).Select(number => TwoHosts.Plan(TwoHosts.Policies.With(
            ServicedHosts.Web, ServicedHosts.Here,
            "services: {addresses: {machine: web-2}}\n" + ServicedHosts.Here), number))];
        try
        {
            Load(plans);
            string own = Mac("bank/web-1"), server = Mac("bank/web-2");
            int number = Next(), foreign = Next();
            byte[] right = TwoHosts.Canary(), wrong = TwoHosts.Canary();
            using FramePort client = Hosts.Frames("bank/web-1");
            using FramePort serving = Hosts.Frames("bank/web-2");
            client.Send(Discover(own, server, foreign));
            client.Send(Discover(own, own, number));
            Assert.True(serving.Sees(Big4(number), Wait), "The question did not cross the tunnel.");
            Assert.False(serving.Sees(Big4(foreign), NotSeen), "A question for another did.");
            foreach ((FramePort port, string mac, int last, byte[] canary) in
                new[] { (serving, server, 12, right), (client, own, 11, wrong) })
            {
                string to = mac == own ? server : own;
                port.Send(Ethernet(to, mac, 0x0800, Ipv4($"10.20.1.{last}", "255.255.255.255", 17,
                    Udp(67, 68, canary))));
                port.Send(Ethernet(to, mac, 0x86dd, Ipv6(LinkLocal(mac), "ff02::1", 58,
                    [134, 0, 0, 0, 64, 0x80, 7, 8, .. new byte[8], .. canary])));
            }

            Assert.True(client.Sees([134, 0, 0, 0, 64, 0x80, 7, 8, .. new byte[8], .. right], Wait));
            Assert.True(client.Sees([67, 0, 68], Wait));
            Assert.False(serving.Sees(wrong, NotSeen));
        }
        finally
        {
            Load([Hosts.PlanOf(1), Hosts.PlanOf(2)]);
        }
    }

    private void Load(HostPlan[] plans)
    {
        foreach ((HostPlan plan, int number) in plans.Select((plan, at) => (plan, at + 1)))
        {
            Hosts.Host(number).Load(NftTables.ForDomain(plan.Domains.Single(d => d.DisplayName == "bank/web")));
        }
    }

    private string Lease(string machine)
    {
        (int host, CompartmentPlan plan) = Hosts.Machine(machine);
        string script = Path.Combine(Path.GetTempPath(), $"bailiwick-{Guid.NewGuid():N}");
        File.WriteAllText(script, "#!/bin/sh\n[ \"$1\" = bound ] && env || true\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            return Hosts.Host(host).Run(
                [$"busybox udhcpc -i eth0 -n -q -f -t 3 -T 1 -O 26 -s {script} 2>&1"], plan.MachineName);
        }
        finally
        {
            File.Delete(script);
        }
    }

    private static byte[] Answer(Socket socket, string name) =>
        Ask(socket, Service4, name, 1) ?? throw new InvalidOperationException($"no answer about {name}");

    private int Drifts() => serviced.Log(1).Read(0, 1000).Count(line => line.Entry.Kind == IntegrityKind.Drift);

    private static void Kill(int process)
    {
        using var killed = System.Diagnostics.Process.GetProcessById(process);
        killed.Kill();
    }

    private static int Next() => Interlocked.Increment(ref _number);

    private static byte[] Big4(int number) => [(byte)(number >> 16), (byte)(number >> 8), (byte)number];

    private string Mac(string machine) => Hosts.Machine(machine).Plan.Ports[0].Mac;

    private static string LinkLocal(string mac)
    {
        byte[] bytes = Frames.Mac(mac);
        return new System.Net.IPAddress(
        [
            0xfe, 0x80, 0, 0, 0, 0, 0, 0, (byte)(bytes[0] ^ 2), bytes[1], bytes[2], 0xff, 0xfe, bytes[3], bytes[4],
            bytes[5],
        ]).ToString();
    }
}
