using System.Collections.Immutable;
using Bailiwick.Channel.Principals;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.KeyService.Following;

/// <summary>Everything a decision rests on, at one checkpoint of the board. Replaced whole.</summary>
/// <param name="Datacentre">The policies and the inventory, each statement at its last good revision.</param>
/// <param name="TenantRoot">The tenant's root keys in force; null while its root is unknown here.</param>
/// <param name="Principals">Whom each key stands for.</param>
/// <param name="Checkpoint">How far the board was read and verified.</param>
/// <param name="Problems">Statements that are not in force, in sentences.</param>
public sealed record PolicySnapshot(
    CheckedDatacentre Datacentre, RootKeys? TenantRoot, PrincipalRegister Principals, VerifiedPoint Checkpoint,
    ImmutableArray<string> Problems)
{
    /// <summary>The newest change of the tenant's keys in the ledger; null when there is none.</summary>
    public VerifiedStatement? KeyChange { get; init; }
}

/// <summary>A checkpoint that was verified: its log signed it and every leaf hashes into its root.</summary>
/// <param name="Origin">The log.</param>
/// <param name="Size">How many leaves.</param>
/// <param name="Root">The root.</param>
public sealed record VerifiedPoint(string Origin, long Size, Digest32 Root);
