using System.Globalization;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// Writes what tables mean, one line for each thing in a fixed order, without what carries no meaning: equal lines are
/// equal tables.
/// </summary>
public static class RulesetWords
{
    /// <summary>The lines of a ruleset.</summary>
    public static IReadOnlyList<string> Of(Ruleset ruleset)
    {
        ArgumentNullException.ThrowIfNull(ruleset);
        List<string> lines = [];
        foreach (var table in ruleset.Tables.OrderBy(one => $"{one.Family} {one.Name}", StringComparer.Ordinal))
        {
            var name = $"{table.Family} {table.Name}";
            lines.Add($"table {name}");
            lines.AddRange(table.Counters.Select(counter => $"{name} counter {counter}"));
            foreach (var set in table.Sets.Values)
            {
                // A raw field's type has a width in text that a listing does not tell.
                lines.Add($"{name} set {set.Name} {set.Data} {string.Join(" . ", set.Types.Select(Class))} "
                    + string.Join(",", set.Flags));
                lines.AddRange(set.Elements.Select(element => $"{name} set {set.Name}: {Of(element)}")
                    .Order(StringComparer.Ordinal));
            }

            foreach (var chain in table.Chains.Values)
            {
                lines.Add($"{name} chain {chain.Name} {chain.Place}");
                lines.AddRange(chain.Rules.Select(rule => $"{name} chain {chain.Name}: {Of(rule)}"));
            }
        }

        return lines;
    }

    /// <summary>A rule's line.</summary>
    internal static string Of(FilterRule rule) => string.Join(
        "; ",
        rule.Fields.Select(field => $"{field.Key} {string.Join(", ", field.Value.Select(Of))}")
            .Concat(rule.Lookups.Select(Of).Order(StringComparer.Ordinal)).Concat(rule.Acts.Select(Of)));

    private static string Class(string type) => type is "ifname" or "integer" ? type : "named";

    /// <summary>An element in words.</summary>
    internal static string Of(SetElement element) =>
        $"{string.Join(" . ", element.Parts.Select(Of))} {element.Verdict} {Of(element.Value)}".TrimEnd();

    private static string Of(SetLookup lookup) =>
        $"{string.Join(" . ", lookup.Key)} {(lookup.IsIn ? "in" : "not in")} {lookup.Set}";

    private static string Of(ValueRange range) => range.First == range.Last
        ? Of(range.First) : $"{Of(range.First)}-{Of(range.Last)}";

    private static string Of(UInt128? value) => value?.ToString("x", CultureInfo.InvariantCulture) ?? "";

    private static string Of(RuleAct act) => act switch
    {
        RuleAct.Count count => $"count {count.Counter}",
        RuleAct.Decide decide => $"{decide.Verdict}",
        RuleAct.Choose choose =>
            $"by {choose.Field}: {string.Join(", ", choose.Choices.Select(one => $"{Of(one.Values)} {one.Verdict}"))}",
        RuleAct.ChooseFrom choose => $"by {string.Join(" . ", choose.Key)} from {choose.Map}",
        RuleAct.Rewrite rewrite => $"{rewrite.Field} becomes {Of(rewrite.Value)}",
        RuleAct.Translate translate => $"translates {string.Join(" . ", translate.Key)} by {translate.Map}",
        RuleAct.Record record => $"writes {record.Key} into {record.Set}",
        RuleAct.ClampSegments => "clamps segments",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
