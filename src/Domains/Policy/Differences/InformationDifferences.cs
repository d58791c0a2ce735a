using Bailiwick.Domains.Flows;

namespace Bailiwick.Domains.Policy.Differences;

/// <summary>What changes in where each domain lets its information come.</summary>
internal static class InformationDifferences
{
    /// <summary>Adds the differences.</summary>
    public static void Add(List<PolicyChange> changes, CheckedDatacentre before, CheckedDatacentre after)
    {
        foreach (var key in before.Domains.Keys.Intersect(after.Domains.Keys))
        {
            var name = FlowMatrix.Display(after.Domains[key]);
            var (old, now) = (before.Domains[key].Information, after.Domains[key].Information);
            Demands(
                changes, old.NotTo, now.NotTo, one => $"Information of {name} must not come to {Name(one)}.",
                one => $"Information of {name} may now come to {Name(one)}.");
            Demands(
                changes, Pairs(old), Pairs(now),
                one => $"Information of {name} must not meet that of {Name(one.With)} ({one.Class}).",
                one => $"Information of {name} may now meet that of {Name(one.With)} ({one.Class}).");
            changes.Sets(
                PolicyChangeCode.Information, old.Keepers, now.Keepers,
                one => $"{name} now trusts {Name(one)} to keep its information.",
                one => $"{name} no longer trusts {Name(one)} to keep its information.");
            Countries(changes, name, old, now);
        }

        string Name(DomainRef domain) =>
            (after.Domains.GetValueOrDefault(domain.ToString()) ?? before.Domains.GetValueOrDefault(domain.ToString()))
                is { } model ? FlowMatrix.Display(model) : $"{domain.Tenant.Short}/{domain.Name}";
    }

    private static IEnumerable<(DomainRef With, string Class)> Pairs(InformationDemand demand) =>
        demand.Conflicts.SelectMany(one => one.With, (one, with) => (with, one.Name.Text));

    /// <summary>To name no countries is to let it come into all.</summary>
    private static void Countries(
        List<PolicyChange> changes, string name, InformationDemand old, InformationDemand now)
    {
        if (old.Jurisdictions is { } before && now.Jurisdictions is { } after)
        {
            changes.Sets(
                PolicyChangeCode.Information, before, after,
                country => $"Information of {name} may now come into {country}.",
                country => $"Information of {name} may no longer come into {country}.");
        }
        else if (old.Jurisdictions is not null || now.Jurisdictions is not null)
        {
            changes.Add(now.Jurisdictions is { } named
                ? new PolicyChange(
                    PolicyEffect.Closes, PolicyChangeCode.Information,
                    $"Information of {name} may come into {string.Join(", ", named)} only.")
                : new PolicyChange(
                    PolicyEffect.Opens, PolicyChangeCode.Information,
                    $"Information of {name} may now come into any country."));
        }
    }

    /// <summary>What is demanded more closes, what is demanded no more opens.</summary>
    private static void Demands<T>(
        List<PolicyChange> changes, IEnumerable<T> before, IEnumerable<T> after, Func<T, string> came,
        Func<T, string> went) => changes.Sets(PolicyChangeCode.Information, after, before, went, came);
}
