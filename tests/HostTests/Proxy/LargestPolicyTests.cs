using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Domains;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Proxy.Signed;

namespace Bailiwick.HostTests.Proxy;

/// <summary>
/// A tenant whose policy is as large as it may be changes it without end, on a host whose kernel has the rules; another
/// tenant's change waits for a few of those changes at most, however many there are (X02).
/// </summary>
public sealed class LargestPolicyTests(ITestOutputHelper output) : IAsyncDisposable
{
    private const int Terms = PolicyLimits.FlowRanges / PolicyLimits.PortRanges;
    private const int FirstPort = 1001;
    private const int Rounds = 2;
    private const int Each = 2;
    private const int MostBefore = 4;
    private readonly RuledHost _host = new();
    private int _variant;
    private int _port = 20_000;

    public async ValueTask DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    [Trait("Category", "Slow")]
    public async Task No_tenants_change_waits_behind_those_of_one_that_changes_the_largest_policy_without_end()
    {
        SignedDatacentre datacentre = _host.Datacentre;
        datacentre.With(datacentre.Acme, "web", "10.20.1.0/24", 3).With(datacentre.Acme, "store", "10.20.2.0/24", 3)
            .With(datacentre.Rival, "vault", "10.20.3.0/24", 1).With(datacentre.Rival, "desk", "10.20.4.0/24", 1);
        datacentre.Envelopes.AddRange([
            Flows(datacentre.Acme, "web", "10.20.1.0/24", "grants", "to", "store", Ranges(Terms)),
            Flows(datacentre.Acme, "store", "10.20.2.0/24", "accepts", "from", "web", Ranges(Terms)),
            Flows(datacentre.Rival, "vault", "10.20.3.0/24", "grants", "to", "desk", [[_port]]),
            Flows(datacentre.Rival, "desk", "10.20.4.0/24", "accepts", "from", "vault", [["20000-29999"]]),
        ]);
        _host.Start([
            .. Enumerable.Range(1, 3).SelectMany(i => new[]
            {
                SignedDatacentre.Machine(datacentre.Acme, $"web-{i}"),
                SignedDatacentre.Machine(datacentre.Acme, $"store-{i}"),
            }),
            SignedDatacentre.Machine(datacentre.Rival, "vault-1"), SignedDatacentre.Machine(datacentre.Rival, "desk-1"),
        ]);
        await _host.Passes(datacentre.Rival, "vault", _port);
        await _host.Passes(datacentre.Acme, "web", FirstPort);

        // Nine pairs of machines, each with all the ranges.
        Assert.Equal(9 * PolicyLimits.FlowRanges, _host.Ports(datacentre.Acme, "web").Count);
        await InTurns();
        await OneMoreIsTooMany();
    }

    /// <summary>In turns, so that whatever else this machine does meets both alike.</summary>
    private async Task InTurns()
    {
        List<(double Planned, double Passing)> alone = [], beside = [];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < Each; i++)
            {
                alone.Add(await Change());
            }

            using CancellationTokenSource end = new();
            Task flood = Flood(end.Token);
            int before = _host.Computed;
            for (int i = 0; i < Each; i++)
            {
                beside.Add(await Change());
            }

            Assert.True(_host.Computed > before + Each, "the first tenant's changes are put in force meanwhile");
            await end.CancelAsync();
            await flood;
            await _host.Passes(_host.Datacentre.Acme, "web", FirstPort + 1 + (_variant % 2));
        }

        // To look at, not to pass: how long something takes is this machine's matter.
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{_variant} changes of the first; medians of the other's, planned and in the kernel: alone {Of(alone)}, ")
            + $"beside {Of(beside)}");

        static string Of(List<(double Planned, double Passing)> times) => string.Create(CultureInfo.InvariantCulture,
            $"{Median(times.Select(t => t.Planned)):0} and {Median(times.Select(t => t.Passing)):0} ms");

        static double Median(IEnumerable<double> all) => all.Order().ElementAt(all.Count() / 2);
    }

    /// <summary>
    /// Milliseconds from the other tenant's statement to the plan in force, and to the rule in the kernel.
    /// </summary>
    private async Task<(double Planned, double Passing)> Change()
    {
        long start = Stopwatch.GetTimestamp();
        int computed = _host.Computed;
        _host.Tell(Flows(_host.Datacentre.Rival, "vault", "10.20.3.0/24", "grants", "to", "desk", [[++_port]]));
        await _host.Until(() => _host.Plans(_host.Datacentre.Rival, "vault", _port), $"{_port} is planned");
        double planned = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Assert.InRange(_host.Computed - computed, 1, MostBefore);
        await _host.Passes(_host.Datacentre.Rival, "vault", _port);
        return (planned, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
    }

    private async Task Flood(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            JsonArray[] ranges = Ranges(Terms);
            ranges[0][0] = FirstPort + 1 + (++_variant % 2);
            foreach ((string domain, string subnet, string flows, string side, string peer) in new[]
            {
                ("web", "10.20.1.0/24", "grants", "to", "store"), ("store", "10.20.2.0/24", "accepts", "from", "web"),
            })
            {
                _host.Tell(Flows(
                    _host.Datacentre.Acme, domain, subnet, flows, side, peer,
                    [.. ranges.Select(list => (JsonArray)list.DeepClone())]));
            }

            await Task.Delay(100, CancellationToken.None);
        }
    }

    /// <summary>What is more than the limit closes the pair with a reason, and nobody else's flow.</summary>
    private async Task OneMoreIsTooMany()
    {
        SignedParty acme = _host.Datacentre.Acme;
        foreach ((string domain, string subnet, string flows, string side, string peer) in new[]
        {
            ("web", "10.20.1.0/24", "grants", "to", "store"), ("store", "10.20.2.0/24", "accepts", "from", "web"),
        })
        {
            _host.Tell(Flows(acme, domain, subnet, flows, side, peer, Ranges(Terms + 1)));
        }

        await _host.Until(
            () => _host.Findings.Any(finding => finding.Code == FindingCode.TooManyFlows), "the tenant is told");
        await Change();
        Assert.Empty(_host.Ports(acme, "web"));
    }

    /// <summary>Ports that adjoin no others, so that each is a range of its own.</summary>
    private static JsonArray[] Ranges(int terms) =>
    [
        .. Enumerable.Range(0, terms).Select(term => new JsonArray(
            [.. Enumerable.Range(0, PolicyLimits.PortRanges).Select(
                range => (JsonNode)(FirstPort + (4 * ((term * PolicyLimits.PortRanges) + range))))])),
    ];

    private byte[] Flows(
        SignedParty tenant, string domain, string subnet, string flows, string side, string peer, JsonArray[] ports)
    {
        JsonObject body = _host.Datacentre.DomainBody(subnet);
        body["flows"] = new JsonObject
        {
            [flows] = new JsonArray([.. ports.Select(list => new JsonObject
            {
                [side] = $"{tenant.Id}/{peer}",
                ["network"] = new JsonObject { ["protocol"] = "tcp", ["ports"] = list },
            })]),
        };
        return tenant.Sign(StatementKind.Domain, domain, body);
    }
}
