namespace Bailiwick.Domains.Policy.Differences;

/// <summary>The ways in which two sets or numbers differ, as changes.</summary>
internal static class ChangeList
{
    /// <summary>Entries that came open something, entries that went close it.</summary>
    public static void Sets<T>(
        this List<PolicyChange> changes, PolicyChangeCode code, IEnumerable<T> before, IEnumerable<T> after,
        Func<T, string> came, Func<T, string> went)
    {
        var (old, now) = (before.ToHashSet(), after.ToHashSet());
        changes.AddRange(now.Except(old).Select(one => new PolicyChange(PolicyEffect.Opens, code, came(one))));
        changes.AddRange(old.Except(now).Select(one => new PolicyChange(PolicyEffect.Closes, code, went(one))));
    }

    /// <summary>A number whose growth has one effect and whose fall has the other.</summary>
    public static void Number(
        this List<PolicyChange> changes, PolicyChangeCode code, long before, long after, PolicyEffect growth,
            string what)
    {
        if (before == after)
        {
            return;
        }

        var fall = growth switch
        {
            PolicyEffect.Opens => PolicyEffect.Closes,
            PolicyEffect.Closes => PolicyEffect.Opens,
            PolicyEffect.Changes => PolicyEffect.Changes,
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        changes.Add(new PolicyChange(after > before ? growth : fall, code, $"{what}: {before} becomes {after}."));
    }

    /// <summary>Anything that is merely otherwise.</summary>
    public static void Other(
        this List<PolicyChange> changes, PolicyChangeCode code, string before, string after, string what)
    {
        if (before != after)
        {
            changes.Add(new PolicyChange(PolicyEffect.Changes, code, $"{what}: {before} becomes {after}."));
        }
    }
}
