using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.HostTests.Rendering;
using Bailiwick.HostTests.Services;
using Bailiwick.Proxy.Traffic;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.HostTests.Traffic;

/// <summary>
/// What two domains get of one host's uplink, when both send as fast as they can. Rates are of TCP's payload, which is
/// 1398 of 1514 bytes on this wire; what waits in queues when a measurement begins is counted in it, so that a limit
/// has room above.
/// </summary>
[Collection(ServicedHostsGroup.Name)]
public sealed class UplinkShareTests(ServicedHosts serviced)
{
    private const int Uplink = 100;
    private const int Reserve = 70;
    private const int Limit = 50;
    private const double Payload = 1398.0 / 1514;
    private const double Least = Payload * 0.8;
    private const double Most = Payload * 1.4;

    private TwoHosts Hosts => serviced.Hosts;

    [Fact]
    public void A_limit_holds_though_nobody_else_sends()
    {
        using var shared = new Shared(this, $"{{limitMbit: {Limit}}}");
        using var web = new Flood(Hosts, "bank/web-1", "bank/web-2", "10.20.1.12");
        double alone = Flood.Measure(rates => rates[0] >= Limit * Least, web).Single();
        Assert.InRange(alone, Limit * Least, Limit * Most);
    }

    [Fact]
    public void A_reserved_part_is_had_under_contention()
    {
        using var shared = new Shared(this, $"{{reserveMbit: {Reserve}}}");
        double[] both = Contend(rates => rates[0] >= Reserve * Least && rates[0] / rates[1] > 1.5);
        Assert.InRange(both[0], Reserve * Least, double.MaxValue);
        Assert.InRange(both[0] / both[1], 1.5, double.MaxValue);
    }

    [Fact]
    public void Without_a_reservation_two_domains_share_what_there_is()
    {
        using var shared = new Shared(this, $"{{limitMbit: {Uplink}}}", both: true);
        double[] both = Contend(rates => rates[0] / rates[1] is > 0.67 and < 1.5);
        Assert.InRange(both[0] / both[1], 0.67, 1.5);
    }

    private double[] Contend(Func<double[], bool> enough)
    {
        using var web = new Flood(Hosts, "bank/web-1", "bank/web-2", "10.20.1.12");
        using var records = new Flood(Hosts, "hospital/records-1", "hospital/records-2", "10.20.1.12");
        double[] both = Flood.Measure(rates => enough(rates) && rates.Sum() >= Uplink * Least, web, records);
        Assert.InRange(both.Sum(), Uplink * Least, Uplink * Most);
        return both;
    }

    [Fact]
    public void Ciphertext_is_known_by_the_port_of_its_switch_and_what_is_nobodys_stays_so()
    {
        const int Port = 51999;
        using var shared = new Shared(this, $"{{reserveMbit: {Reserve}}}");
        var uplink = shared.Plan with { Parts = [shared.Plan.Parts[0] with { Segments = ["segment"] }] };
        Hosts.Host(1).Load(NftTables.ForUplink(uplink, UplinkShares.Handle, [(Port, "segment"), (Port + 1, "other")]));
        long own = Passed("b1:10");
        Send(Port + 1);
        Assert.Equal(own, Passed("b1:10"));
        Send(Port);
        Assert.InRange(Passed("b1:10") - own, 1000, 2000);
    }

    private void Send(int port)
    {
        using Socket socket = Hosts.Host(1).Space.Inside(
            () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, 0));
        socket.Bind(new IPEndPoint(IPAddress.Parse("10.99.0.11"), port));
        socket.SendTo(new byte[1000], new IPEndPoint(IPAddress.Parse("10.99.0.12"), 9));
    }

    /// <summary>Bytes that passed a class.</summary>
    private long Passed(string number) => long.Parse(
        Hosts.Host(1).Run(["tc -s class show dev under0"]).Split($"class htb {number} ")[1].Split("Sent ")[1]
            .Split(' ')[0],
        CultureInfo.InvariantCulture);

    [Fact]
    public void Queues_that_somebody_changed_are_found_and_those_of_no_plan_are_gone()
    {
        using (var shared = new Shared(this, $"{{reserveMbit: {Reserve}}}"))
        {
            foreach (string change in (string[])
            [
                "tc qdisc del dev under0 root",
                "tc class change dev under0 parent b1:1 classid b1:10 htb rate 1mbit ceil 1mbit",
                "nft add element inet bw_uplink networks { 1 : b1:10 }",
            ])
            {
                int before = Drifts();
                shared.Bring();
                Assert.Equal(before, Drifts());
                Hosts.Host(1).Run([change]);
                shared.Bring();
                Assert.Equal(before + 1, Drifts());
            }

            Assert.Contains("htb", Hosts.Host(1).Run(["tc qdisc show dev under0"]), StringComparison.Ordinal);
        }

        Assert.DoesNotContain("htb", Hosts.Host(1).Run(["tc qdisc show dev under0"]), StringComparison.Ordinal);
        Assert.DoesNotContain("bw_uplink", Hosts.Host(1).Run(["nft list tables"]), StringComparison.Ordinal);
    }

    private int Drifts() => serviced.Log(1).Read(0, 1000).Count(line => line.Entry.Kind == IntegrityKind.Drift);

    /// <summary>Host 1's uplink under a policy, and as it was at the end.</summary>
    private sealed class Shared : IDisposable
    {
        private readonly UplinkShares _uplink;
        private readonly HostPlan _plan;

        public Shared(UplinkShareTests tests, string bandwidth, bool both = false)
        {
            _uplink = tests.Uplinks;
            Example policies = ServicedHosts.Policies
                .With("alpine/hosts.yaml", "capacity: {cpus: 8, memoryMiB: 1024}",
                    $"capacity: {{cpus: 8, memoryMiB: 1024, uplinkMbit: {Uplink}}}")
                .With(ServicedHosts.Web, ServicedHosts.Here, $"bandwidth: {bandwidth}\n" + ServicedHosts.Here);
            _plan = TwoHosts.Plan(
                both ? policies.With("hospital/records.yaml", "approvals:", $"bandwidth: {bandwidth}\napprovals:")
                    : policies, 1);
            Assert.NotNull(_plan.Uplink);
            Bring();
        }

        public UplinkPlan Plan => _plan.Uplink ?? throw new InvalidOperationException("there is an uplink");

        public void Bring() => _uplink.Bring(_plan);

        public void Dispose() => _uplink.Bring(_plan with { Uplink = null });
    }

    private UplinkShares Uplinks => serviced.Uplink(1);
}
