using System.Text.Json.Nodes;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Reconciling;
using Bailiwick.Tests.Fakes;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.Tests.Proxy.Networking;

/// <summary>What a domain has on a host goes on when a tunnel of it fails, and nothing goes by that tunnel.</summary>
public sealed class FailingTunnelTests
{
    private const string Making = "type wireguard";
    private const string Reading = "wg show";
    private const string Subnet = "10.20.1.0/24";

    [Theory]
    [InlineData(Making, false)]
    [InlineData(Reading, true)]
    public async Task A_tunnel_that_fails_is_closed_and_named_and_stops_nothing_else(string failing, bool stood)
    {
        using ProxyBench bench = Bench(out DomainRef web);
        IReconciled unit = bench.Units.Domain(web);
        FakeNetwork network = bench.Host.Network;
        if (stood)
        {
            await Converge(unit);
            Assert.Contains(network.Links, IsPlugged);
        }

        bench.Host.Refuses = argv => argv.Contains(failing, StringComparison.Ordinal);
        for (int turn = 0; turn < 3; turn++)
        {
            WorldException told = await Assert.ThrowsAsync<WorldException>(
                () => unit.ReconcileAsync(TestContext.Current.CancellationToken));
            Assert.Contains("wants it to fail", told.Message, StringComparison.Ordinal);
            Assert.Equal(["tunnels"], unit.Status.Steps.Where(step => !step.Ok).Select(step => step.Name));
        }

        string tap = Assert.Single(bench.Plans.Current.Machines).Ports.Single().Device;
        Assert.Single(bench.Hypervisor.Running);
        Assert.Contains(tap, network.LivePorts);
        Assert.DoesNotContain(network.Links, IsPlugged);
        Assert.DoesNotContain(network.LivePorts, port => port.StartsWith("bwy", StringComparison.Ordinal));

        bench.Host.Refuses = _ => false;
        await Converge(unit);
        string tunnel = Assert.Single(network.Links, IsPlugged).Key;
        Assert.Contains(tunnel, network.LivePorts);
        Assert.Contains(tap, network.LivePorts);
        Assert.DoesNotContain(unit.Status.Steps, step => !step.Ok);
        Assert.False(bench.Integrity.Has(IntegrityKind.Drift, tunnel));

        static bool IsPlugged(KeyValuePair<string, FakeLink> link) =>
            link.Value is { Kind: "vxlan", Master: not null };
    }

    [Fact]
    public async Task A_tunnel_that_left_the_plan_is_no_drift_when_it_comes_again_and_one_that_was_taken_away_is()
    {
        using ProxyBench bench = Bench(out _);
        await bench.Turn(3);
        string tunnel = Assert.Single(bench.Host.Network.WireGuard.All).Key;
        Place(bench, 1);
        await bench.Turn(3);
        Assert.Empty(bench.Host.Network.WireGuard.All);
        Place(bench, 1, 2);
        await bench.Turn(3);
        Assert.Single(bench.Host.Network.WireGuard.All);
        Assert.False(bench.Integrity.Has(IntegrityKind.Drift, tunnel));

        bench.Host.Network.WireGuard.Clear();
        await bench.Turn(3);
        Assert.Single(bench.Host.Network.WireGuard.All);
        Assert.True(bench.Integrity.Has(IntegrityKind.Drift, tunnel));
    }

    /// <summary>As the kernel does with the tunnel of a namespace that was removed a moment before.</summary>
    [Fact]
    public async Task A_port_that_is_gone_when_it_is_to_be_unplugged_is_no_failure()
    {
        using ProxyBench bench = Bench(out DomainRef web);
        IReconciled unit = bench.Units.Domain(web);
        await Converge(unit);
        SortedDictionary<string, FakeLink> links = bench.Host.Network.Links;
        links.Add("bwy00000000000", new FakeLink
        {
            Kind = "vxlan", Master = Assert.Single(links, link => link.Value.Kind == "bridge").Key,
        });
        bool asked = false;
        bench.Host.Refuses = argv =>
        {
            asked |= argv == "ip link set bwy00000000000 nomaster" && links.Remove("bwy00000000000");
            return false;
        };
        await Converge(unit);
        Assert.True(asked);
        Assert.DoesNotContain("bwy00000000000", links.Keys);
    }

    private static async Task Converge(IReconciled unit)
    {
        await unit.ReconcileAsync(TestContext.Current.CancellationToken);
        Assert.Equal(UnitHealth.Converged, unit.Status.Health);
    }

    /// <summary>One machine here, one of its domain on another host, and no link that the domain trusts.</summary>
    private static ProxyBench Bench(out DomainRef domain)
    {
        ProxyBench bench = ProxyBench.OfTwoTenants();
        SignedDatacentre datacentre = bench.Datacentre;
        SignedParty acme = datacentre.Acme;
        JsonObject body = datacentre.DomainBody(Subnet);
        body["network"] = new JsonObject
        {
            ["subnets"] = new JsonArray(Subnet), ["confidentiality"] = "untrusted-links",
        };
        datacentre.Envelopes.Add(acme.Sign(StatementKind.Domain, "web", body));
        datacentre.Envelopes.Add(SignedDatacentre.Bound(acme, "web", Subnet, 2, "host-2"));
        bench.Publish();
        Place(bench, 1, 2);
        domain = new DomainRef(acme.Id, StatementName.Parse("web"));
        return bench;
    }

    /// <summary>Has these of the two machines run, each on the host of its number.</summary>
    private static void Place(ProxyBench bench, params int[] numbers)
    {
        bench.Plans.Take(
        [
            .. numbers.Select(number => new PlacementProposal(
                SignedDatacentre.Machine(bench.Datacentre.Acme, $"web-{number}"), bench.Datacentre.Host(number),
                true)),
        ]);
        bench.Plans.Recompute();
    }
}
