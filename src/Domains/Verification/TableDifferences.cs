using System.Collections.Immutable;

namespace Bailiwick.Domains.Verification;

/// <summary>In which lines tables differ from those that they should be.</summary>
public static class TableDifferences
{
    private const int MostLines = 20;

    /// <summary>One sentence for each line, at most twenty and how many more; none for equal tables.</summary>
    /// <param name="wanted">What they should be.</param>
    /// <param name="found">What is there.</param>
    public static ImmutableArray<string> Between(Ruleset wanted, Ruleset found)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        ArgumentNullException.ThrowIfNull(found);
        List<string> lines = [];
        var (should, are) = (ByName(wanted), ByName(found));
        foreach (var name in should.Keys.Union(are.Keys).Order(StringComparer.Ordinal))
        {
            switch (should.GetValueOrDefault(name), are.GetValueOrDefault(name))
            {
                case ({ }, null):
                    lines.Add($"The table {name} is not there.");
                    break;
                case (null, { }):
                    lines.Add($"The table {name} is not in the plan.");
                    break;
                case ({ } table, { } other):
                    lines.AddRange(Chains(name, table, other).Concat(Sets(name, table, other)));
                    break;
            }
        }

        return lines.Count <= MostLines
            ? [.. lines] : [.. lines.Take(MostLines), $"And {lines.Count - MostLines} more lines."];
    }

    private static Dictionary<string, FilterTable> ByName(Ruleset ruleset) =>
        ruleset.Tables.ToDictionary(table => $"{table.Family} {table.Name}", StringComparer.Ordinal);

    private static IEnumerable<string> Chains(string table, FilterTable wanted, FilterTable found)
    {
        foreach (var name in wanted.Chains.Keys.Union(found.Chains.Keys).Order(StringComparer.Ordinal))
        {
            var place = $"{table}, chain {name}";
            if (!found.Chains.TryGetValue(name, out var are))
            {
                yield return $"{place}: it is not there.";
                continue;
            }

            if (!wanted.Chains.TryGetValue(name, out var should))
            {
                yield return $"{place}: it is not in the plan.";
                continue;
            }

            if (should.Place != are.Place)
            {
                yield return $"{place}: it stands at {Words(are.Place)}, and should at {Words(should.Place)}.";
            }

            var (extra, missing) = (Without(are, should), Without(should, are));
            foreach (var rule in extra)
            {
                yield return $"{place}: the rule \"{rule.Text}\" is not in the plan.";
            }

            foreach (var rule in missing)
            {
                yield return $"{place}: the rule \"{rule.Text}\" is not there.";
            }

            if (extra.Count == 0 && missing.Count == 0
                && !should.Rules.Select(RulesetWords.Of).SequenceEqual(are.Rules.Select(RulesetWords.Of)))
            {
                yield return $"{place}: its rules are in another order.";
            }
        }
    }

    private static IEnumerable<string> Sets(string table, FilterTable wanted, FilterTable found)
    {
        foreach (var name in wanted.Sets.Keys.Union(found.Sets.Keys).Order(StringComparer.Ordinal))
        {
            var place = $"{table}, set {name}";
            if (!found.Sets.TryGetValue(name, out var are))
            {
                yield return $"{place}: it is not there.";
            }
            else if (!wanted.Sets.TryGetValue(name, out var should))
            {
                yield return $"{place}: it is not in the plan.";
            }
            else
            {
                foreach (var element in Without(are, should))
                {
                    yield return $"{place}: the element {Words(are, element)} is not in the plan.";
                }

                foreach (var element in Without(should, are))
                {
                    yield return $"{place}: the element {Words(should, element)} is not there.";
                }

                if (should.Data != are.Data || !should.Flags.SetEquals(are.Flags))
                {
                    yield return $"{place}: it is of another kind than planned.";
                }
            }
        }
    }

    private static IEnumerable<SetElement> Without(NamedSet set, NamedSet other)
    {
        HashSet<string> has = [.. other.Elements.Select(RulesetWords.Of)];
        return set.Elements.Where(element => !has.Contains(RulesetWords.Of(element)))
            .OrderBy(RulesetWords.Of, StringComparer.Ordinal);
    }

    private static string Words(NamedSet set, SetElement element) =>
        string.Join(" . ", element.Parts.Select((part, i) => i < set.Types.Length
            ? NftValues.Text(set.Types[i], part) : RulesetWords.Of(element)))
        + (element.Verdict is { } verdict ? $" : {verdict}" : "");

    /// <summary>Rules that one chain has more often than another.</summary>
    private static List<FilterRule> Without(FilterChain chain, FilterChain other)
    {
        var left = other.Rules.GroupBy(RulesetWords.Of).ToDictionary(group => group.Key, group => group.Count());
        List<FilterRule> more = [];
        foreach (var rule in chain.Rules)
        {
            var words = RulesetWords.Of(rule);
            if (left.GetValueOrDefault(words) > 0)
            {
                left[words]--;
            }
            else
            {
                more.Add(rule);
            }
        }

        return more;
    }

    private static string Words(ChainPlace? place) => place is null ? "no hook"
        : $"{place.Hook} {place.Priority}, policy {(place.Accepts ? "accept" : "drop")}";
}
