namespace Bailiwick.Domains.Verification;

/// <summary>The base chains of tables, in the order in which the kernel asks them.</summary>
internal sealed class BaseChains
{
    private readonly Dictionary<(string, PacketHook), List<(FilterTable Table, FilterChain Chain)>> _at = [];

    public BaseChains(Ruleset ruleset)
    {
        Tables = [.. ruleset.Tables];
        foreach (var table in Tables.Where(table => !DecidesNothing(table)))
        {
            foreach (var chain in table.Chains.Values)
            {
                if (chain.Place is { } place)
                {
                    At(table.Family, place.Hook).Add((table, chain));
                }
            }
        }

        foreach (var key in _at.Keys)
        {
            // Of one priority they are asked in the order in which they were made.
            _at[key] = [.. _at[key].OrderBy(one => one.Chain.Place?.Priority)];
        }
    }

    public IReadOnlyList<FilterTable> Tables { get; }

    /// <summary>Those of a hook.</summary>
    public List<(FilterTable Table, FilterChain Chain)> At(string family, PacketHook hook)
    {
        if (!_at.TryGetValue((family, hook), out var chains))
        {
            _at[(family, hook)] = chains = [];
        }

        return chains;
    }

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
