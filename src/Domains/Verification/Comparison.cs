using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Verification;

/// <summary>Two sets that should be equal, and a packet for each way in which they are not.</summary>
/// <param name="sets">Whose sets they are.</param>
/// <param name="host">On which host.</param>
/// <param name="space">In which namespace.</param>
/// <param name="examples">Where the packets are put.</param>
/// <param name="likely">
/// Packets that tell people more than others, the most telling first: a packet is one of these if any is. It is asked
/// only where there is something to tell.
/// </param>
internal sealed class Comparison(
    PacketSets sets, HostRef host, string? space, ImmutableArray<Counterexample>.Builder examples,
    Func<ImmutableArray<int>> likely)
{
    /// <param name="place">Where.</param>
    /// <param name="passing">What passes by the tables.</param>
    /// <param name="open">What the policies say that passes.</param>
    /// <param name="evaluation">Which rule decided what.</param>
    /// <param name="because">Whose statements a packet is about.</param>
    public void Run(
        ProofPlace place, int passing, int open, HookEvaluation evaluation,
        Func<IReadOnlyDictionary<HeaderField, UInt128>, ImmutableArray<StatementOrigin>> because)
    {
        Add(sets.Without(passing, open), Difference.PassesThoughClosed);
        Add(sets.Without(open, passing), Difference.DroppedThoughOpen);

        void Add(int differing, Difference difference)
        {
            if (differing == PacketSets.None)
            {
                return;
            }

            var packet = sets.Witness(First(First(differing, likely()), Usual()));
            var decided = difference == Difference.PassesThoughClosed
                ? evaluation.Decided.LastOrDefault(one => one.Accepts && one.Rule is not null && Has(one, packet))
                    ?? evaluation.Decided.LastOrDefault(one => one.Accepts && Has(one, packet))
                : evaluation.Decided.FirstOrDefault(one => !one.Accepts && Has(one, packet));
            examples.Add(new Counterexample(
                host, space, place, difference, packet.ToImmutableSortedDictionary(),
                decided?.Words ?? "no rule: nothing brings it here", because(packet)));
        }
    }

    /// <summary>Those of a set that are in the first of these in which any of them are; else all.</summary>
    private int First(int set, IEnumerable<int> among) => among.Select(telling => sets.Both(set, telling))
        .FirstOrDefault(telling => telling != PacketSets.None, set);

    /// <summary>What a connection begins with says more than what no connection could have.</summary>
    private IEnumerable<int> Usual() => new UInt128[] { HeaderFields.New, HeaderFields.Established }
        .Select(state => sets.Of(HeaderField.ConnectionState, [ValueRange.Of(state)]));

    private bool Has(Decided decided, Dictionary<HeaderField, UInt128> packet) => sets.Has(decided.Packets, packet);
}
