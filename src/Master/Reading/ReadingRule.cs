using System.Diagnostics;
using Bailiwick.Channel.Principals;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Master.Reading;

/// <summary>
/// Who may read what: a tenant its own statements and the public ones (roots, hosts and links), the operator's side and
/// the hosts all. The board could break this rule, for it holds the statements in the clear; it is there so that
/// tenants do not read each other, not so that the operator does not.
/// </summary>
public static class ReadingRule
{
    /// <summary>True if the caller may read the statement.</summary>
    public static bool MayRead(Principal caller, VerifiedStatement statement)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(statement);
        return ReadsAll(caller) || caller.ActsFor(statement.Owner)
            || (caller.Kind != PrincipalKind.Anonymous && IsPublic(statement.Kind));
    }

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

    private static bool IsPublic(StatementKind kind) => kind switch
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
}
