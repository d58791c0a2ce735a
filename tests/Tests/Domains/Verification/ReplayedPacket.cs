using System.Collections.Immutable;
using Bailiwick.Domains.Verification;

namespace Bailiwick.Tests.Domains.Verification;

/// <summary>
/// What tables do with one packet, rule by rule as nft(8) tells it, without any set of packets: so that what the proof
/// shows is found to be so by something else.
/// </summary>
internal sealed class ReplayedPacket(Ruleset ruleset, IReadOnlyDictionary<HeaderField, UInt128> packet)
{
    private readonly Dictionary<HeaderField, UInt128> _packet = packet.ToDictionary();

    private enum Outcome
    {
        Accepted = 1,
        Dropped,
        Returned,
    }

    /// <summary>The packet as it is now.</summary>
    public IReadOnlyDictionary<HeaderField, UInt128> Packet => _packet;

    /// <summary>Whether it passes the hooks.</summary>
    public bool Passes(string family, params PacketHook[] hooks) => hooks.All(hook => ruleset.Tables
        .Where(table => table.Family == family)
        .SelectMany(table => table.Chains.Values.Select(chain => (table, chain)))
        .Where(one => one.chain.Place?.Hook == hook).OrderBy(one => one.chain.Place?.Priority)
        .All(one => Chain(one.table, one.chain) switch
        {
            Outcome.Accepted => true,
            Outcome.Dropped => false,
            _ => one.chain.Place is { Accepts: true },
        }));

    private Outcome Chain(FilterTable table, FilterChain chain)
    {
        foreach (FilterRule rule in chain.Rules.Where(rule => Matches(table, rule)))
        {
            foreach (RuleAct act in rule.Acts)
            {
                switch (Decided(table, act))
                {
                    case Verdict.Accept:
                        return Outcome.Accepted;
                    case Verdict.Drop:
                        return Outcome.Dropped;
                    case Verdict.Return:
                        return Outcome.Returned;
                    case Verdict.Goto other:
                        return Chain(table, table.Chains[other.Chain]);
                    case Verdict.Jump other when Chain(table, table.Chains[other.Chain]) is var outcome
                        && outcome != Outcome.Returned:
                        return outcome;
                    default:
                        break;
                }
            }
        }

        return Outcome.Returned;
    }

    private Verdict? Decided(FilterTable table, RuleAct act)
    {
        switch (act)
        {
            case RuleAct.Decide decide:
                return decide.Verdict;
            case RuleAct.Choose choose:
                return choose.Choices.Where(one => In(one.Values, choose.Field)).Select(one => one.Verdict)
                    .FirstOrDefault();
            case RuleAct.ChooseFrom choose:
                return Element(table, choose.Map, choose.Key)?.Verdict;
            case RuleAct.Rewrite rewrite:
                _packet[rewrite.Field] = rewrite.Value;
                return null;
            case RuleAct.Translate translate
                when Element(table, translate.Map, translate.Key)?.Value is { } address:
                _packet[translate.Key[^1]] = address;
                return null;
            default:
                return null;
        }
    }

    private bool Matches(FilterTable table, FilterRule rule) =>
        rule.Fields.All(field => field.Value.Any(range => In(range, field.Key)))
        && rule.Lookups.All(lookup => Element(table, lookup.Set, lookup.Key) is not null == lookup.IsIn);

    private SetElement? Element(FilterTable table, string set, ImmutableArray<HeaderField> key) =>
        table.Sets[set].Elements.FirstOrDefault(element =>
            key.Select((field, part) => In(element.Parts[part], field)).All(isIn => isIn));

    private bool In(ValueRange range, HeaderField field) =>
        _packet.GetValueOrDefault(field) is var value && range.First <= value && value <= range.Last;
}
