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
    private const int Machines = 8;
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
            var (seconds, figures) = One(effort, machines, machines == largest, tell);
            grown.Add((machines, seconds));
            foreach (var figure in figures)
            {
                yield return figure;
            }
        }

        if (effort.Share >= 1)
        {
            tell(new GrowthPlot(grown).Write());
        }
    }

    /// <summary>One size; nothing of it is kept for the next.</summary>
    private static (double Seconds, Figure[] Figures) One(
        Effort effort, int machines, bool isLargest, Action<string> tell)
    {
        // What those before have left is nobody's any more.
        GC.Collect();
        var drawn = new GeneratedDatacentre(new DatacentreShape(
            Math.Max(2, machines / 25), machines, Math.Max(2, machines / 100), 10, Seed: 21));
        var datacentre = PolicyCheck.Run(drawn.Read()).Datacentre;
        // The smaller ones are over before the runtime has compiled what they use.
        var rounds = Enumerable.Range(0, machines <= 10_000 ? effort.All : 1)
            .Select(_ => Seconds(datacentre, drawn)).ToArray();
        var (_, flows, senders) = rounds[^1];
        var seconds = Race.Median(
            [.. rounds.Skip(rounds.Length > 1 ? effort.WarmUps : 0).Select(one => one.Seconds)]);
        tell($"{machines:#,0} machines on {drawn.Shape.Hosts:#,0} hosts: all plans in {seconds:0.00} s, "
            + $"{flows:#,0} sets of flows, {senders:#,0} accepted senders");
        if (!isLargest)
        {
            return (seconds, []);
        }

        var mib = Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0;
        return (seconds,
        [
            Figure.Time("policy.plans", seconds, "the limit", 10, Whole),
            new Figure("policy.plans-memory", mib, "MiB", "the limit", LimitMib, mib / LimitMib, Whole),
            Added(datacentre, drawn, tell),
        ]);
    }

    /// <summary>Three decades, two sizes in each.</summary>
    private static IEnumerable<int> Sizes(int largest) =>
        new[] { 1000, 316, 100, 31.6, 10, 3.16, 1 }.Select(part => (int)(largest / part)).Where(size => size >= 50);

    private static (double Seconds, long Flows, long Senders) Seconds(
        CheckedDatacentre datacentre, GeneratedDatacentre drawn)
    {
        var (proposals, flows, senders) = (drawn.Proposals, 0L, 0L);
        var start = Stopwatch.GetTimestamp();
        var all = Refine.Of(datacentre, proposals, Now);
        Parallel.For(0, drawn.Shape.Hosts, host =>
        {
            var plan = all.ForHost(GeneratedDatacentre.Host(host));
            Interlocked.Add(ref flows, plan.Domains.Sum(domain => (long)(domain.Gateway?.Flows.Length ?? 0)));
            // They are found when they are asked for, and belong to the plan all the same.
            Interlocked.Add(ref senders, plan.Underlay.Tunnels.LongCount());
        });
        return (Stopwatch.GetElapsedTime(start).TotalSeconds, flows, senders);
    }

    /// <summary>
    /// From a machine's proposal to the plan of the host that runs it, by whoever has checked and refined before; every
    /// host whose plan it touches still has its plan of before, as hosts have.
    /// </summary>
    private static Figure Added(CheckedDatacentre datacentre, GeneratedDatacentre drawn, Action<string> tell)
    {
        var (all, plans) = (Refine.Of(datacentre, drawn.Proposals, Now), new Dictionary<HostRef, HostPlan>());
        double[] judged = new double[Machines], refined = new double[Machines], others = new double[Machines];
        for (var i = 0; i < Machines; i++)
        {
            var (statement, proposal) = drawn.OneMore(drawn.Shape.Domains / 2, i);
            plans[proposal.Host] = all.ForHost(proposal.Host);
            var start = Stopwatch.GetTimestamp();
            datacentre = PolicyCheck.After(datacentre, [statement]).Datacentre;
            judged[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            start = Stopwatch.GetTimestamp();
            all = all.After(datacentre, [proposal], [], Now);
            var plan = plans[proposal.Host] = all.ForHost(proposal.Host);
            refined[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            BenchException.Unless(plan.Domains.Any(domain =>
                domain.Compartments.Any(machine => machine.Ref == proposal.Compartment)));
            var touched = (all.Touched ?? throw new BenchException("one machine more touched everything")).ToArray();
            var made = new HostPlan[touched.Length];
            start = Stopwatch.GetTimestamp();
            Parallel.For(0, touched.Length, host => made[host] = all.ForHost(touched[host]));
            others[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            for (var host = 0; host < touched.Length; host++)
            {
                plans[touched[host]] = made[host];
            }
        }

        // The first finds what those after it go on from.
        var median = Race.Median([.. refined.Skip(1)]);
        tell($"one machine more: checked again in {Race.Median([.. judged.Skip(1)]) * 1000:0.0} ms (the first time in "
            + $"{judged[0] * 1000:0} ms), its host's plan in {median * 1000:0.0} ms ({refined[0] * 1000:0} ms), those "
            + $"of all {all.Touched?.Count} hosts that it touches in {Race.Median([.. others.Skip(1)]) * 1000:0} ms");
        return Figure.Time("policy.machine", median, "the limit", 0.005, Change);
    }
}
