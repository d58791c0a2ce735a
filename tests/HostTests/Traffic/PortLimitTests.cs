using System.Collections.Immutable;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.HostTests.Rendering;
using Bailiwick.HostTests.Services;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Traffic;

namespace Bailiwick.HostTests.Traffic;

/// <summary>
/// How much passes a machine's port, by connections that send as fast as they can. What waits in queues when a
/// measurement begins is counted in it, so a limit has more room above than its queues take: half of it.
/// </summary>
[Collection(ServicedHostsGroup.Name)]
public sealed class PortLimitTests(ServicedHosts serviced)
{
    private const int In = 40;
    private const int Out = 20;
    private const double Above = 1.5;
    private const double Below = 0.8;
    private const double Free = 3 * In;

    private TwoHosts Hosts => serviced.Hosts;

    private PortLimits Keeper => serviced.Limits(1);

    private LocalPort Web => Hosts.Domain(1, "bank/web").Network.Ports
        .Single(port => port.Member.Ref.Name.Text == "web-1");

    [Fact]
    public void A_port_carries_its_limit_in_each_direction_and_another_all_it_can()
    {
        using var limits = new Limited(Keeper, Web with { Limit = new PortLimit(In, Out) });
        Assert.InRange(Rate("bank/web-2", "bank/web-1", "10.20.1.11", In * Below), In * Below, In * Above);
        Assert.InRange(Rate("bank/web-1", "bank/web-2", "10.20.1.12", Out * Below), Out * Below, Out * Above);
        Assert.InRange(Rate("hospital/records-1", "hospital/records-2", "10.20.1.12", Free), Free, double.MaxValue);
    }

    [Fact]
    public void A_limit_that_was_taken_away_is_found_and_set_again()
    {
        using var limits = new Limited(Keeper, Web with { Limit = new PortLimit(In, Out) });
        string redirector = PortLimits.Redirector(Web.Device);
        foreach (string change in (string[])
        [
            $"tc qdisc del dev {Web.Device} root", $"tc qdisc del dev {Web.Device} ingress",
            $"tc qdisc replace dev {redirector} root tbf rate 1gbit burst 1m latency 50ms",
            $"ip link del {redirector}",
        ])
        {
            int before = Drifts();
            limits.Bring();
            Assert.Equal(before, Drifts());
            Hosts.Host(1).Run([change]);
            limits.Bring();
            Assert.Equal(before + 1, Drifts());
        }

        Assert.InRange(Rate("bank/web-1", "bank/web-2", "10.20.1.12", 1), 1, Out * Above);
    }

    [Fact]
    public void A_withdrawn_limit_leaves_nothing_and_a_port_that_came_anew_is_no_drift()
    {
        using (var limits = new Limited(Keeper, Web with { Limit = new PortLimit(In, Out) }))
        {
            int before = Drifts();
            limits.Port = Web with { Limit = new PortLimit(null, Out) };
            limits.Bring();
            Assert.DoesNotContain("tbf", Hosts.Host(1).Run([$"tc qdisc show dev {Web.Device}"]),
                StringComparison.Ordinal);
            Assert.Equal(before, Drifts());
        }

        Assert.DoesNotContain("tbf", Hosts.Host(1).Run(["tc qdisc show"]), StringComparison.Ordinal);
        Assert.DoesNotContain("bwi", Hosts.Host(1).Run(["ip -br link"]), StringComparison.Ordinal);
        Assert.InRange(Rate("bank/web-1", "bank/web-2", "10.20.1.12", Free), Free, double.MaxValue);
    }

    [Fact]
    public void A_port_that_cannot_be_limited_is_named()
    {
        using var limits = new Limited(Keeper, Web with { Limit = new PortLimit(In, Out) });
        Assert.Empty(limits.Bring());
        Assert.Empty(limits.Bring([new LocalPort("bwtnobody", Web.Member) { Limit = new PortLimit(In, Out) }]));
        Assert.Equal(
            Web.Device, Assert.Single(limits.Bring([Web with { Limit = new PortLimit(In, 0) }])).Key);
    }

    private double Rate(string from, string to, string address, double least)
    {
        using var flood = new Flood(Hosts, from, to, address);
        return Flood.Measure(rates => rates[0] >= least, flood).Single();
    }

    private int Drifts() => serviced.Log(1).Read(0, 1000).Count(line => line.Entry.Kind == IntegrityKind.Drift);

    /// <summary>The limits of one machine's port, taken away at the end.</summary>
    private sealed class Limited : IDisposable
    {
        private readonly PortLimits _limits;

        public Limited(PortLimits limits, LocalPort port)
        {
            _limits = limits;
            Port = port;
            Assert.Empty(Bring());
        }

        public LocalPort Port { get; set; }

        public ImmutableDictionary<string, WorldException> Bring(ImmutableArray<LocalPort>? ports = null) =>
            _limits.Bring(ports ?? [Port]);

        public void Dispose() => _limits.Bring([Port with { Limit = null }]);
    }
}
