using System.Diagnostics;
using Bailiwick.Channel.Principals;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Master.Reading;

/// <summary>
/// Who may read what: a tenant its own statements, the public ones (roots, hosts and links) and those by which another
/// tenant's machine has a volume of its own (<see cref="LentReading"/>), the operator's side and the hosts all. The
/// board could break this rule, for it holds the statements in the clear; it is there so that tenants do not read each
/// other, not so that the operator does not.
/// </summary>
public static class ReadingRule
{
    /// <summary>True if the caller may read the statement.</summary>
    public static bool MayRead(Principal caller, VerifiedStatement statement)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(statement);
        return ReadsAll(caller) || caller.ActsFor(statement.Owner)
            || (caller.Kind != PrincipalKind.Anonymous && statement.Kind.IsPublic());
    }

    /// <summary>The tenant as which the caller reads; null for the operator's side, hosts and strangers.</summary>
    internal static PartyId? TenantOf(Principal caller) => caller.Kind switch
    {
        PrincipalKind.TenantAdmin or PrincipalKind.TenantAuditor or PrincipalKind.KeyService => caller.Party,
        PrincipalKind.Operator or PrincipalKind.DatacentreAuditor or PrincipalKind.Host or PrincipalKind.Anonymous =>
            null,
        _ => throw new UnreachableException(),
    };

    /// <summary>True if the caller may see what belongs to a party: its machines, their places, its domains.</summary>
    public static bool MaySee(Principal caller, PartyId party)
    {
        ArgumentNullException.ThrowIfNull(caller);
        return ReadsAll(caller) || caller.ActsFor(party);
    }

    private static bool ReadsAll(Principal caller) => caller.Kind switch
    {
        PrincipalKind.Operator => true,
        PrincipalKind.DatacentreAuditor => true,
        PrincipalKind.Host => true,
        PrincipalKind.TenantAdmin => false,
        PrincipalKind.TenantAuditor => false,
        PrincipalKind.KeyService => false,
        PrincipalKind.Anonymous => false,
        _ => throw new UnreachableException(),
    };
}
