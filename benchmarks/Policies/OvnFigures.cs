using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;

namespace Bailiwick.Benchmarks.Policies;

/// <summary>
/// The same domains, ports and allowed peers, compiled by OVN to logical flows and by us to the plans of all hosts. OVN
/// is asked in its own way: its compiler runs and has all in memory when something changes, as we have what was checked
/// before.
/// </summary>
internal static class OvnFigures
{
    private const int PortsOfDomain = 50;
    private const int Peers = 5;
    private static readonly Goal Cold = new(1, "who isolates must not be slower than who routes");
    private static readonly Goal Change = new(0.05, "twenty times ahead where it is done all the time");
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);

    internal static async Task<IReadOnlyList<Figure>> Measure(string directory, Effort effort, Action<string> tell)
    {
        var domains = Math.Max(Peers + 1, effort.Count(10_000) / PortsOfDomain);
        tell($"{domains * PortsOfDomain:#,0} ports of {domains} domains, beside OVN");
        using var ovn = new OvnSandbox(directory);
        ovn.Write(OvnCommands.All(domains, PortsOfDomain, Peers));
        var theirs = ovn.Compile();
        var ours = new EqualDomains(domains, PortsOfDomain, Peers);
        // OVN compiles once; of few rounds of seconds the median is steady enough.
        var few = effort with { WarmUps = Math.Min(1, effort.WarmUps), Rounds = Math.Min(3, effort.Rounds) };
        var cold = await Race.Run(few, Race.Timed(1, _ => ours.Compile(Now)));
        var added = 0;
        var change = await Race.Run(
            effort,
            _ => Task.FromResult(ours.Add(++added, Now)),
            round => Task.FromResult(ovn.Change([.. OvnCommands.OneMore(round, PortsOfDomain)])));
        return
        [
            Figure.Time("policy.ovn-compile", cold[0], "ovn-northd", theirs, Cold),
            Figure.Time("policy.ovn-change", change[0], "ovn-nbctl --wait=sb", change[1], Change),
        ];
    }
}
