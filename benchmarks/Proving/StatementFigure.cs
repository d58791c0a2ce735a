using Bailiwick.Benchmarks.Appending;
using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Benchmarks.Proving;

/// <summary>A statement signed by two of three keys, read and judged, beside its two signature checks alone.</summary>
internal sealed class StatementFigure(Effort effort)
{
    private static readonly Goal OverChecks = new(1.5,
        "reading, canonical form and chain may cost at most half of what the signatures cost");

    internal async Task<Figure> Measure()
    {
        using var party = new SigningParty();
        var book = StatementBook.Empty.Consider(party.TenantRoot()) is StatementVerdict.Accepted first
            ? first.Next
            : throw new BenchException("The root is refused.");
        var count = effort.Count(1000);
        byte[][] envelopes = [.. Enumerable.Range(0, count).Select(_ => party.Volume())];
        var bare = new BareChecks(party);
        var medians = await Race.Run(effort,
            Race.Timed(count, _ =>
            {
                foreach (var envelope in envelopes)
                {
                    if (book.Consider(envelope) is not StatementVerdict.Accepted)
                    {
                        throw new BenchException("A good statement is refused.");
                    }
                }
            }),
            Race.Timed(count, _ => bare.Run(count)));
        return Figure.Rate("ledger.statement", medians[0], "two bare P-256 verifies", medians[1], OverChecks);
    }
}
