using System.Diagnostics;
using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Lab.Datacentres;

namespace Bailiwick.Benchmarks.Policies;

/// <summary>
/// What it takes to refine the policies of a datacentre to every host's plan, on all processors, and how that grows
/// with the datacentre. Each plan is looked at and let go of, as a host has its own alone.
/// </summary>
internal static class PlanFigures
{
    private const double LimitMib = 2048;
    private static readonly Goal Whole = new(1, "what all hosts compute must be possible in one place");
    private static readonly Goal Change = new(1, "a machine that is let in must not wait for the datacentre's size");
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);

    internal static IEnumerable<Figure> Measure(Effort effort, Action<string> tell, CancellationToken cancel)
    {
        var largest = effort.Count(100_000);
        List<(double Machines, double Seconds)> grown = [];
        foreach (var machines in Sizes(largest))
        {
            cancel.ThrowIfCancellationRequested();
            var drawn = new GeneratedDatacentre(new DatacentreShape(
                Math.Max(2, machines / 25), machines, Math.Max(2, machines / 100), 10, Seed: 21));
            var datacentre = PolicyCheck.Run(drawn.Read()).Datacentre;
            // The smaller ones are over before the runtime has compiled what they use.
            var rounds = Enumerable.Range(0, machines <= 10_000 ? effort.All : 1)
                .Select(_ => Seconds(datacentre, drawn)).ToArray();
            var (seconds, lines) = rounds[^1];
            seconds = Race.Median([.. rounds.Skip(rounds.Length > 1 ? effort.WarmUps : 0).Select(one => one.Seconds)]);
            grown.Add((machines, seconds));
            tell($"{machines:#,0} machines on {drawn.Shape.Hosts:#,0} hosts: all plans in {seconds:0.00} s, "
                + $"{lines:#,0} sets of flows");
            if (machines == largest)
            {
                yield return Figure.Time("policy.plans", seconds, "the limit", 10, Whole);
                var mib = Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0;
                yield return new Figure(
                    "policy.plans-memory", mib, "MiB", "the limit", LimitMib, mib / LimitMib, Whole);
                yield return Added(datacentre, drawn, tell);
            }
        }

        tell(new GrowthPlot(grown).Write());
    }

    /// <summary>Three decades, two sizes in each.</summary>
    private static IEnumerable<int> Sizes(int largest) =>
        new[] { 1000, 316, 100, 31.6, 10, 3.16, 1 }.Select(part => (int)(largest / part)).Where(size => size >= 50);

    private static (double Seconds, long Lines) Seconds(CheckedDatacentre datacentre, GeneratedDatacentre drawn)
    {
        var (proposals, lines) = (drawn.Proposals, 0L);
        var start = Stopwatch.GetTimestamp();
        var all = Refine.Of(datacentre, proposals, Now);
        Parallel.For(0, drawn.Shape.Hosts, host => Interlocked.Add(
            ref lines, Lines(all.ForHost(GeneratedDatacentre.Host(host)))));
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, lines);
    }

    private static long Lines(HostPlan plan) =>
        plan.Domains.Sum(domain => (long)(domain.Gateway?.Flows.Length ?? 0));

    /// <summary>From a machine's proposal to the plan of the host that runs it, by whoever has checked before.
    /// </summary>
    private static Figure Added(CheckedDatacentre datacentre, GeneratedDatacentre drawn, Action<string> tell)
    {
        var documents = drawn.Read().Documents.ToDictionary(CheckFigures.Subject);
        var known = PolicyCheck.Run(documents.Values, before: datacentre).Datacentre;
        var (statement, proposal) = drawn.OneMore(drawn.Shape.Domains / 2, 0);
        var start = Stopwatch.GetTimestamp();
        documents[CheckFigures.Subject(statement)] = statement;
        known = PolicyCheck.Run(documents.Values, before: known).Datacentre;
        var judged = Stopwatch.GetElapsedTime(start).TotalSeconds;
        start = Stopwatch.GetTimestamp();
        var plan = Refine.Of(known, [.. drawn.Proposals, proposal], Now).ForHost(proposal.Host);
        var refined = Stopwatch.GetElapsedTime(start).TotalSeconds;
        BenchException.Unless(plan.Domains.Any(domain =>
            domain.Compartments.Any(machine => machine.Ref == proposal.Compartment)));
        tell($"one machine more: checked again in {judged:0.00} s, its host's plan in {refined:0.00} s");
        return Figure.Time("policy.machine", refined, "the limit", 0.005, Change);
    }
}
