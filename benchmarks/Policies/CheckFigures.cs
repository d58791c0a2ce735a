using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Lab.Datacentres;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Benchmarks.Policies;

/// <summary>
/// What it takes to check the policies of 1,000 domains with 50 flows each, all of them or after one changed. Texts are
/// read before: a statement that did not change is not read again.
/// </summary>
internal static class CheckFigures
{
    private static readonly Goal Whole = new(1, "who writes policies waits for it");
    private static readonly Goal Change = new(1, "each host does it for each change of anybody's");

    internal static async Task<IReadOnlyList<Figure>> Measure(Effort effort, Action<string> tell)
    {
        var drawn = new GeneratedDatacentre(new DatacentreShape(
            effort.Count(1_000), 5 * effort.Count(1_000), Math.Max(4, effort.Count(100)), 50, Seed: 20));
        var documents = drawn.Read().Documents.ToDictionary(Subject);
        var before = PolicyCheck.Run(documents.Values).Datacentre;
        tell($"{before.Domains.Count:#,0} domains, {FlowMatrix.Of(before).Open.Length:#,0} open flows, "
            + $"{documents.Count:#,0} statements");
        var whole = await Race.Run(effort, Race.Timed(1, _ => Judge(documents.Values)));
        var round = 0;
        var change = await Race.Run(effort, Race.Timed(1, _ =>
        {
            var changed = drawn.WithFlow(round % drawn.Shape.Domains, (round + 1) % drawn.Shape.Domains, 7_000 + round);
            documents[Subject(changed)] = changed;
            before = PolicyCheck.Run(documents.Values, before: before).Datacentre;
            round++;
        }));
        return
        [
            Figure.Time("policy.check", whole[0], "the limit", 1.0, Whole),
            Figure.Time("policy.change", change[0], "the limit", 0.050, Change),
        ];
    }

    /// <summary>Findings, open flows, conflicts, and for every two domains whether information can come from one to
    /// the other by whatever way.</summary>
    private static void Judge(IEnumerable<PolicyDocument> documents)
    {
        var checkedNow = PolicyCheck.Run(documents).Datacentre;
        var closure = InformationFlow.Of(FlowMatrix.Of(checkedNow));
        var reached = closure.Domains.Sum(from => closure.Domains.Count(to => closure.Reaches(from.Ref, to.Ref)));
        BenchException.Unless(reached >= closure.Domains.Length);
    }

    internal static string Subject(PolicyDocument document) => document.Origin.Kind.IsRoot()
        ? document.Origin.Owner.ToString()
        : $"{document.Origin.Kind} {document.Origin.Owner}/{document.Origin.Name}";
}
