using System.Diagnostics;

namespace Bailiwick.Channel.Principals;

/// <summary>Whom a peer's key stands for. Closed.</summary>
public enum PrincipalKind
{
    /// <summary>A key that no verified statement in force names: a stranger, or one whose key was withdrawn.</summary>
    Anonymous = 1,

    /// <summary>An administrator of a tenant (`Tenant.admins`).</summary>
    TenantAdmin,

    /// <summary>An auditor of a tenant (`Tenant.auditors`).</summary>
    TenantAuditor,

    /// <summary>A tenant's key service (`Tenant.keyService.key`).</summary>
    KeyService,

    /// <summary>An administrator of the datacentre (`Datacentre.admins`).</summary>
    Operator,

    /// <summary>An auditor of the datacentre (`Datacentre.auditors`).</summary>
    DatacentreAuditor,

    /// <summary>A host (`Host.identityKey`).</summary>
    Host,
}

/// <summary>The words for <see cref="PrincipalKind"/>.</summary>
public static class PrincipalKinds
{
    /// <summary>All kinds, in the order of their declaration.</summary>
    public static IReadOnlyList<PrincipalKind> All { get; } = Enum.GetValues<PrincipalKind>();

    /// <summary>The kind in words, for sentences and tables.</summary>
    public static string Words(this PrincipalKind kind) => kind switch
    {
        PrincipalKind.Anonymous => "anonymous",
        PrincipalKind.TenantAdmin => "tenant admin",
        PrincipalKind.TenantAuditor => "tenant auditor",
        PrincipalKind.KeyService => "key service",
        PrincipalKind.Operator => "operator",
        PrincipalKind.DatacentreAuditor => "datacentre auditor",
        PrincipalKind.Host => "host",
        _ => throw new UnreachableException(),
    };
}
