using System.Collections.Immutable;

namespace Bailiwick.Domains.Policy.Differences;

/// <summary>What changes in the operator's word.</summary>
internal static class InventoryDifferences
{
    /// <summary>Adds the differences.</summary>
    public static void Add(List<PolicyChange> changes, CheckedDatacentre before, CheckedDatacentre after)
    {
        changes.Sets(
            PolicyChangeCode.Tenant, before.Datacentre?.Tenants ?? [], after.Datacentre?.Tenants ?? [],
            id => $"The datacentre admits the tenant {Name(after, id.ToString()) ?? id.Short}.",
            id => $"The datacentre no longer admits the tenant {Name(before, id.ToString()) ?? id.Short}.");
        var (old, now) = (before.Inventory.Hosts, after.Inventory.Hosts);
        changes.Sets(
            PolicyChangeCode.Host, old.Keys, now.Keys,
            key => $"The host {now[key].Ref.Name} is new: {Words(now[key])}.",
            key => $"The host {old[key].Ref.Name} is gone.");
        foreach (var key in old.Keys.Intersect(now.Keys))
        {
            changes.Other(PolicyChangeCode.Host, Words(old[key]), Words(now[key]), $"Host {now[key].Ref.Name}");
        }

        var (oldLinks, newLinks) = (Links(before), Links(after));
        changes.Sets(
            PolicyChangeCode.Link, oldLinks.Keys, newLinks.Keys,
            key => $"The link {key} is new: {newLinks[key]}.", key => $"The link {key} is gone.");
        foreach (var key in oldLinks.Keys.Intersect(newLinks.Keys))
        {
            changes.Other(PolicyChangeCode.Link, oldLinks[key], newLinks[key], $"Link {key}");
        }
    }

    private static string? Name(CheckedDatacentre datacentre, string id) =>
        datacentre.Tenants.GetValueOrDefault(id)?.Name.Text;

    private static string Words(HostModel host) =>
        $"{WireText.Of(host.Assurance)}, {host.Jurisdiction}, {host.UnderlayIpv4}, {host.CapacityCpus} processors, "
        + $"{host.CapacityMemoryMib} MiB, key {KeyText(host.IdentityKey)}, "
        + $"endorsement key {host.EndorsementKey?[..8] ?? "none"}"
        + (host.Vlans is { } vlans ? $", on the VLANs of {vlans}" : "")
        + (host.UplinkMbit is { } uplink ? $", uplink of {uplink} Mbit/s" : "")
        + (host.Medium is { } medium ? $", its pool on {medium}" : "");

    private static string KeyText(ImmutableArray<byte> key) => key.Length == 0
        ? "none" : Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(key.AsSpan()))[..8];

    private static ImmutableSortedDictionary<string, string> Links(CheckedDatacentre datacentre) =>
        datacentre.Inventory.Links.ToImmutableSortedDictionary(
            link => $"{link.Operator.Short}/{link.Name}",
            link => $"{WireText.Of(link.Medium)} between {string.Join(", ", link.Hosts.Select(host => host.Name))}"
                + (link.Vlans is { } vlans ? $", VLANs {vlans.First} to {vlans.Last}" : ""),
            StringComparer.Ordinal);
}
