using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Bailiwick.Ledger.Statements;

/// <summary>What a statement is about. Closed; on the wire the name as written here, case-sensitive.</summary>
public enum StatementKind
{
    /// <summary>Root of a tenant: its keys, its threshold, its administrators.</summary>
    Tenant = 1,

    /// <summary>Root of a datacentre's operator: its keys and threshold.</summary>
    Datacentre,

    /// <summary>A trusted virtual domain of a tenant.</summary>
    Domain,

    /// <summary>A machine of a tenant.</summary>
    Compartment,

    /// <summary>A virtual disk of a tenant.</summary>
    Volume,

    /// <summary>Boot software a tenant accepts.</summary>
    Image,

    /// <summary>A physical machine of a datacentre.</summary>
    Host,

    /// <summary>A physical network of a datacentre.</summary>
    Link,

    /// <summary>
    /// A change of a tenant's keys, signed not by the root's keys but by the key service that the root names.
    /// </summary>
    KeyChange,
}

/// <summary>The rules that belong to each <see cref="StatementKind"/>.</summary>
public static class StatementKinds
{
    /// <summary>All kinds, in the order of their declaration.</summary>
    public static IReadOnlyList<StatementKind> All { get; } = Enum.GetValues<StatementKind>();

    /// <summary>True for the kinds that carry keys and so make a party: tenants and datacentres.</summary>
    public static bool IsRoot(this StatementKind kind) => kind.OwnerRoot() == kind;

    /// <summary>True for what a party states itself; false for what its key service reports.</summary>
    public static bool IsPolicy(this StatementKind kind) => kind != StatementKind.KeyChange;

    /// <summary>True for what all parties of a datacentre may read; false for what is its owner's.</summary>
    public static bool IsPublic(this StatementKind kind) => kind switch
    {
        StatementKind.Tenant => true,
        StatementKind.Datacentre => true,
        StatementKind.Host => true,
        StatementKind.Link => true,
        StatementKind.Domain => false,
        StatementKind.Compartment => false,
        StatementKind.Volume => false,
        StatementKind.Image => false,
        StatementKind.KeyChange => false,
        _ => throw new UnreachableException(),
    };

    /// <summary>The only name that a subject of this kind may have; null where any may.</summary>
    internal static string? OnlyName(this StatementKind kind) => kind == StatementKind.KeyChange ? "keys" : null;

    /// <summary>The root kind whose parties may own statements of this kind.</summary>
    public static StatementKind OwnerRoot(this StatementKind kind) => kind switch
    {
        StatementKind.Tenant => StatementKind.Tenant,
        StatementKind.Datacentre => StatementKind.Datacentre,
        StatementKind.Domain => StatementKind.Tenant,
        StatementKind.Compartment => StatementKind.Tenant,
        StatementKind.Volume => StatementKind.Tenant,
        StatementKind.Image => StatementKind.Tenant,
        StatementKind.Host => StatementKind.Datacentre,
        StatementKind.Link => StatementKind.Datacentre,
        StatementKind.KeyChange => StatementKind.Tenant,
        _ => throw new UnreachableException(),
    };

    /// <summary>The name on the wire.</summary>
    public static string WireName(this StatementKind kind) => kind switch
    {
        StatementKind.Tenant => "Tenant",
        StatementKind.Datacentre => "Datacentre",
        StatementKind.Domain => "Domain",
        StatementKind.Compartment => "Compartment",
        StatementKind.Volume => "Volume",
        StatementKind.Image => "Image",
        StatementKind.Host => "Host",
        StatementKind.Link => "Link",
        StatementKind.KeyChange => "KeyChange",
        _ => throw new UnreachableException(),
    };

    /// <summary>Reads a name on the wire exactly as <see cref="WireName"/> writes it.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out StatementKind kind)
    {
        foreach (var candidate in All)
        {
            if (string.Equals(candidate.WireName(), text, StringComparison.Ordinal))
            {
                kind = candidate;
                return true;
            }
        }

        kind = default;
        return false;
    }
}
