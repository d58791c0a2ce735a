using Bailiwick.Domains.Policy.Reading;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>Checks domains against images, keys and each other; flows come later.</summary>
internal static class DomainChecks
{
    /// <summary>Runs the checks.</summary>
    public static void Run(StatementSet statements, TenantRanks ranks)
    {
        foreach (var (_, domain) in statements.Usable<DomainModel>().ToArray())
        {
            Images(statements, domain);
            Approvals(
                statements, domain,
                statements.Find<TenantBody>(Subject.Root(StatementKind.Tenant, domain.Ref.Tenant))?.RootKeys);
        }

        Unique(
            statements, ranks, domain => DerivedNames.NetworkNumber(domain).ToString(
                System.Globalization.CultureInfo.InvariantCulture),
            FindingCode.NetworkNumberTaken, "network number", "Set network.number to a free one");
        Unique(
            statements, ranks, domain => DerivedNames.Digits(domain.Ref.ToString(), DerivedNames.DeviceDigits),
            FindingCode.DeviceNameTaken, "device name", "Give the domain another name");
    }

    private static void Images(StatementSet statements, DomainModel domain)
    {
        for (var i = 0; i < domain.Machines.Images.Length; i++)
        {
            var image = domain.Machines.Images[i];
            if (!statements.Declares(StatementKind.Image, domain.Ref.Tenant, image))
            {
                statements.Note(
                    domain.Origin, FindingCode.UnknownImage, $"/machines/images/{i}",
                    statements.Missing(StatementKind.Image, domain.Ref.Tenant, image.Text));
            }
        }
    }

    private static void Approvals(StatementSet statements, DomainModel domain, int? keys)
    {
        foreach (var (action, count) in domain.Approvals)
        {
            if (keys is { } known && count > known)
            {
                statements.Note(
                    domain.Origin, FindingCode.ApprovalsUnreachable, $"/approvals/{WireText.Of(action)}",
                    $"{count} approvals are demanded, but the tenant has {known} root keys, so this is always "
                    + $"refused. The least change: ask for {known}, or add {count - known} root keys"
                    + " (bailiwick tenant rotate).");
            }
        }
    }

    private static void Unique(
        StatementSet statements, TenantRanks ranks, Func<DomainModel, string> value, FindingCode code, string what,
        string remedy)
    {
        var taken = statements.Usable<DomainModel>().Select(pair => pair.Model)
            .GroupBy(value, StringComparer.Ordinal).Where(group => group.Count() > 1).ToArray();
        foreach (var group in taken)
        {
            var order = group.OrderBy(domain => ranks.Of(domain.Ref.Tenant))
                .ThenBy(domain => domain.Ref.ToString(), StringComparer.Ordinal).ToArray();
            foreach (var later in order.Skip(1))
            {
                statements.Reject(
                    later.Origin, code, "/network",
                    $"The {what} {group.Key} belongs to {Owner(order[0], later)} already. {remedy}.");
            }
        }
    }

    // A stranger's domain is not named to a tenant that may not read it.
    private static string Owner(DomainModel first, DomainModel later) =>
        first.Ref.Tenant == later.Ref.Tenant ? first.Ref.Name.Text : "another tenant's domain";
}
