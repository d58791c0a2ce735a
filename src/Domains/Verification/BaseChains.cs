using System.Collections.Immutable;

namespace Bailiwick.Domains.Verification;

/// <summary>A base chain, with what its rules ask of devices' groups.</summary>
internal sealed class BaseChain(FilterTable table, FilterChain chain, ChainPlace place)
{
    private readonly ImmutableArray<(ImmutableArray<ValueRange>? In, ImmutableArray<ValueRange>? Out)> _groups =
        [.. chain.Rules.Select(rule => (Asked(rule, HeaderField.InGroup), Asked(rule, HeaderField.OutGroup)))];

    public FilterTable Table { get; } = table;

    public FilterChain Chain { get; } = chain;

    public ChainPlace Place { get; } = place;

    /// <summary>Whether a packet may be another behind it.</summary>
    public bool Changes { get; } = table.Chains.Values.Any(other =>
        other.Rules.Any(rule => rule.Acts.Any(act => act is RuleAct.Rewrite or RuleAct.Translate)));

    /// <summary>
    /// Whether all its rules are for devices of other groups than these, of which null is any: most chains of a host
    /// are other switches'.
    /// </summary>
    public bool IsElsewhere(ImmutableArray<ValueRange>? coming, ImmutableArray<ValueRange>? leaving) =>
        _groups.All(asked => IsApart(asked.In, coming) || IsApart(asked.Out, leaving));

    private static bool IsApart(ImmutableArray<ValueRange>? asked, ImmutableArray<ValueRange>? there) =>
        asked is { } some && there is { } known && !Ranges.Meet(some, known);

    private static ImmutableArray<ValueRange>? Asked(FilterRule rule, HeaderField group) =>
        rule.Fields.TryGetValue(group, out var values) ? values : null;
}

/// <summary>The base chains of tables, in the order in which the kernel asks them.</summary>
internal sealed class BaseChains
{
    private readonly Dictionary<(string, PacketHook), List<BaseChain>> _at = [];

    public BaseChains(Ruleset ruleset)
    {
        Tables = [.. ruleset.Tables];
        foreach (var table in Tables.Where(table => !DecidesNothing(table)))
        {
            foreach (var chain in table.Chains.Values)
            {
                if (chain.Place is { } place)
                {
                    if (!_at.TryGetValue((table.Family, place.Hook), out var chains))
                    {
                        _at[(table.Family, place.Hook)] = chains = [];
                    }

                    chains.Add(new BaseChain(table, chain, place));
                }
            }
        }

        foreach (var key in _at.Keys)
        {
            // Of one priority they are asked in the order in which they were made.
            _at[key] = [.. _at[key].OrderBy(one => one.Place.Priority)];
        }
    }

    public IReadOnlyList<FilterTable> Tables { get; }

    /// <summary>Those of a hook.</summary>
    public IReadOnlyList<BaseChain> At(string family, PacketHook hook) =>
        _at.GetValueOrDefault((family, hook), []);

    /// <summary>
    /// A table that nowhere drops or changes a packet lets every packet pass, whatever it asks, as the counting tables
    /// are: to follow their questions would tell nothing.
    /// </summary>
    private static bool DecidesNothing(FilterTable table) => table.Chains.Values.All(chain =>
        chain.Place?.Accepts != false && chain.Rules.All(rule => rule.Acts.All(act => act switch
        {
            RuleAct.Decide decide => decide.Verdict is not Verdict.Drop,
            RuleAct.Choose choose => choose.Choices.All(choice => choice.Verdict is not Verdict.Drop),
            RuleAct.ChooseFrom or RuleAct.Rewrite or RuleAct.Translate => false,
            RuleAct.Count or RuleAct.Record or RuleAct.ClampSegments => true,
            _ => throw new System.Diagnostics.UnreachableException(),
        })));
}
