using System.Collections.Immutable;
using Bailiwick.Domains.Policy.Reading;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>The operator's part of a check.</summary>
internal sealed record CheckedInventory(DatacentreModel? Datacentre, Inventory Inventory);

/// <summary>Checks the datacentre, its hosts and its links.</summary>
internal static class InventoryChecks
{
    /// <summary>Runs the checks.</summary>
    public static CheckedInventory Run(StatementSet statements, PartyId? chosen)
    {
        var datacentre = Datacentre(statements, chosen);
        Tenants(statements, datacentre);
        Twins(
            statements, host => host.UnderlayIpv4, FindingCode.DuplicateHostAddress, "/underlay/ipv4",
            "the underlay address");

        // One key, one host: evidence under the key would otherwise speak for two hosts.
        Twins(
            statements, host => Convert.ToHexStringLower(host.IdentityKey.AsSpan()), FindingCode.DuplicateHostKey,
            "/identityKey", "the identity key");
        Twins(
            statements, host => host.EndorsementKey ?? "", FindingCode.DuplicateEndorsementKey, "/tpm/ek",
            "the endorsement key");
        Links(statements);
        Vlans(statements);
        var hosts = statements.Usable<HostModel>().Where(host => datacentre is null
            || host.Model.Ref.Operator == datacentre.Id);
        var links = statements.Usable<LinkModel>().Where(link => datacentre is null
            || link.Model.Operator == datacentre.Id);
        return new CheckedInventory(
            datacentre,
            new Inventory(
                hosts.ToImmutableSortedDictionary(
                    pair => pair.Model.Ref.ToString(), pair => pair.Model, StringComparer.Ordinal),
                [.. links.Select(pair => pair.Model)]));
    }

    private static DatacentreModel? Datacentre(StatementSet statements, PartyId? chosen)
    {
        var all = statements.Usable<DatacentreModel>().Select(pair => pair.Model).ToArray();
        if (chosen is not null)
        {
            return all.FirstOrDefault(one => one.Id == chosen);
        }

        if (all.Length <= 1)
        {
            return all.FirstOrDefault();
        }

        foreach (var one in all)
        {
            statements.Reject(
                one.Origin, FindingCode.SeveralDatacentres, "",
                $"There are {all.Length} datacentres and none was chosen, so none counts. Choose one.");
        }

        return null;
    }

    private static void Tenants(StatementSet statements, DatacentreModel? datacentre)
    {
        if (datacentre is null)
        {
            return;
        }

        for (var i = 0; i < datacentre.Tenants.Length; i++)
        {
            if (!statements.Knows(datacentre.Tenants[i]))
            {
                statements.Note(
                    datacentre.Origin, FindingCode.UnknownTenant, $"/tenants/{i}",
                    "The datacentre admits a tenant that has made no statement.");
            }
        }

        foreach (var (_, tenant) in statements.Usable<TenantBody>())
        {
            if (!datacentre.Tenants.Contains(tenant.Model.Id))
            {
                statements.Note(
                    tenant.Model.Origin, FindingCode.TenantNotAdmitted, "",
                    $"{datacentre.Origin} does not admit this tenant, so none of its machines starts there. Ask its "
                    + "operator.");
            }
        }
    }

    private static void Twins(
        StatementSet statements, Func<HostModel, string> value, FindingCode code, string pointer, string what)
    {
        var twins = statements.Usable<HostModel>().Select(pair => pair.Model)
            .Where(host => value(host).Length > 0).GroupBy(value,
                StringComparer.Ordinal).Where(group => group.Count() > 1);
        foreach (var group in twins.ToArray())
        {
            foreach (var host in group)
            {
                var others = group.Where(other => other != host).Select(other => other.Ref.Name.Text);
                statements.Reject(
                    host.Origin, code, pointer,
                    $"Host {host.Ref.Name} and {string.Join(", ", others)} have {what} in common, so none of them "
                    + $"counts.");
            }
        }
    }

    /// <summary>A host that names the wrong link does without VLANs, and is a host all the same.</summary>
    private static void Vlans(StatementSet statements)
    {
        foreach (var (_, host) in statements.Usable<HostModel>().ToArray())
        {
            if (host.Vlans is { } name && !(
                statements.Find<LinkModel>(StatementKind.Link, host.Ref.Operator, name) is { Vlans: not null } link
                && link.Hosts.Contains(host.Ref)))
            {
                statements.Note(
                    host.Origin, FindingCode.NoSuchVlans, "/underlay/vlans",
                    $"No link {name} that joins this host states vlans, so it counts as a host without any.");
            }
        }
    }

    private static void Links(StatementSet statements)
    {
        foreach (var (_, link) in statements.Usable<LinkModel>().ToArray())
        {
            for (var i = 0; i < link.Hosts.Length; i++)
            {
                statements.Need(
                    link.Origin, StatementKind.Host, link.Hosts[i].Name, FindingCode.UnknownHost, $"/hosts/{i}");
            }
        }
    }
}
