using System.Diagnostics;
using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Networking;

namespace Bailiwick.Benchmarks.Networking;

/// <summary>
/// What it takes until the rules of a domain with 10,000 members are in the kernel, from its plan: as a whole, and when
/// one machine is another. The peer of both is the time that is the limit.
/// </summary>
internal static class RuleFigures
{
    private const int Here = 200;
    private static readonly Goal Change = new(1, "a machine that is let in must not wait for its domain's size");
    private static readonly Goal Rebuild = new(1, "a host that starts anew is back before anybody asks");

    internal static async Task<IReadOnlyList<Figure>> Measure(int members, Effort effort, Action<string> tell)
    {
        // The plan of each round has another machine on this host, and the last one of the domain elsewhere.
        DomainPlan[] plans =
            [.. Enumerable.Range(0, effort.All).Select(i => new LargeDomain(members - (i % 2), Here + i).Plan())];
        using BenchSpace space = new();
        RealHost host = new();
        (double change, double rebuild, double untouched) = await Task.Run(() => space.Inside(() =>
        {
            RulesWatch watch = new(host);
            TableKeeper tables = new(new NetworkTools(host, watch), watch, TimeProvider.System);
            tables.Load(new WantedRules(plans[0]));
            List<double> changes = [], rebuilds = [], looks = [];
            for (int round = 0; round < effort.All; round++)
            {
                long start = Stopwatch.GetTimestamp();
                WantedRules rules = new(plans[round]);
                tables.Load(rules);
                changes.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                start = Stopwatch.GetTimestamp();
                if (tables.State(rules) != RulesState.Held)
                {
                    throw new BenchException("the kernel does not hold what was loaded");
                }

                looks.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
                start = Stopwatch.GetTimestamp();
                // Somebody who has loaded nothing before loads all of it.
                new NetworkTools(host, watch).Load(NftTables.ForDomain(plans[round]), null);
                rebuilds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            }

            return (Counted(changes, effort), Counted(rebuilds, effort), Counted(looks, effort));
        }));
        tell($"{members:#,0} members: one changed in {change * 1000:0.0} ms, all loaded in {rebuild * 1000:0} ms, "
            + $"known to be untouched in {untouched * 1000:0.0} ms");
        return
        [
            Figure.Time("network.rule-change", change, "the limit", 0.020, Change),
            Figure.Time("network.rule-rebuild", rebuild, "the limit", 0.300, Rebuild),
        ];
    }

    private static double Counted(List<double> rounds, Effort effort) => Race.Median(rounds[effort.WarmUps..]);
}
