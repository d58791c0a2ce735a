using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Domains.Rendering;
using Bailiwick.Domains.Verification;

namespace Bailiwick.Benchmarks.Policies;

/// <summary>
/// What it takes to prove that the tables of a host with 200 machines in 20 domains do what the statements say, for
/// every packet; and to read these tables.
/// </summary>
internal static class RefinementFigures
{
    private const int MachinesOfDomain = 10;
    private static readonly Goal Proof = new(1, "a repair must not wait for the proof of what it repairs");
    private static readonly Goal Reading = new(1, "nor for the reading of the tables");
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);

    internal static async Task<IReadOnlyList<Figure>> Measure(Effort effort, Action<string> tell)
    {
        var host = new FullHost(Math.Max(3, effort.Count(20)), MachinesOfDomain, Now);
        var tables = HostRulesets.Of(host.Plan);
        string[] texts =
        [
            NftTables.ForHost(host.Plan),
            .. host.Plan.Passages.Select(NftTables.ForPassage),
            .. host.Plan.Domains.SelectMany(domain => new[]
            {
                NftTables.ForDomain(domain), FlowTables.ForDomain(domain), FlowTables.ForGateway(domain),
            }),
            .. host.Plan.Domains.Where(domain => domain.Gateway is not null).Select(domain =>
                domain.Gateway is { } gateway ? NftTables.ForGateway(gateway) : ""),
        ];
        tell($"{host.Plan.Domains.Sum(domain => domain.Network.Ports.Length)} machines of {host.Plan.Domains.Length} "
            + $"domains with {host.Plan.Passages.Length} passages on one host, {texts.Sum(text => text.Length):#,0} "
            + "characters of tables");
        var seconds = await Race.Run(
            effort,
            Race.Timed(1, _ => BenchException.Unless(
                RefinementProof.OfHost(host.Plan.Host, [host.Plan], host.Datacentre, _ => tables)
                    is RefinementVerdict.Proven)),
            Race.Timed(1, _ => BenchException.Unless(
                texts.All(text => RulesetTextReader.Read(text) is RulesetReading.Understood))));
        return
        [
            Figure.Time("policy.proof", seconds[0], "the limit", 0.100, Proof),
            Figure.Time("policy.proof-reading", seconds[1], "the limit", 0.100, Reading),
        ];
    }
}
