using System.Collections.Immutable;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy;

/// <summary>A tenant as its newest root statement describes it.</summary>
/// <param name="Id">Hash of its first root statement.</param>
/// <param name="Name">Display name; carries no authority.</param>
/// <param name="LegalName">The legal owner's name.</param>
/// <param name="Origin">The root statement.</param>
public sealed record TenantModel(PartyId Id, StatementName Name, string LegalName, StatementOrigin Origin);

/// <summary>A datacentre as its operator's newest root statement describes it.</summary>
/// <param name="Id">Hash of the operator's first root statement.</param>
/// <param name="Name">Display name.</param>
/// <param name="Tenants">The tenants that may have machines here; a Proxy refuses all others.</param>
/// <param name="Origin">The root statement.</param>
public sealed record DatacentreModel(
    PartyId Id, StatementName Name, ImmutableArray<PartyId> Tenants, StatementOrigin Origin);

/// <summary>One host in the operator's word.</summary>
public sealed record HostModel
{
    /// <summary>The host's name.</summary>
    public required HostRef Ref { get; init; }
    /// <summary>SubjectPublicKeyInfo (DER) of the host's identity key; empty while the document is unsigned.</summary>
    public required ImmutableArray<byte> IdentityKey { get; init; }
    /// <summary>
    /// SHA-256 of the SubjectPublicKeyInfo of its TPM's endorsement key, 64 hex digits: it binds the TPM to the machine
    /// that the operator bought. Null when the host has no TPM, or while the document is unsigned.
    /// </summary>
    public required string? EndorsementKey { get; init; }
    /// <summary>The best assurance this host can give.</summary>
    public required AssuranceLevel Assurance { get; init; }
    /// <summary>ISO 3166-1 alpha-2 code of the country it stands in.</summary>
    public required string Jurisdiction { get; init; }
    /// <summary>Its IPv4 address on the underlay.</summary>
    public required string UnderlayIpv4 { get; init; }
    /// <summary>
    /// The link whose VLANs its port and its kernel carry, all of them, in the operator's word; null for none.
    /// </summary>
    public StatementName? Vlans { get; init; }
    /// <summary>What its pool is on, in the operator's word; null where nothing is said.</summary>
    public StatementName? Medium { get; init; }
    /// <summary>Virtual processors it offers.</summary>
    public required int CapacityCpus { get; init; }
    /// <summary>Memory it offers, in MiB.</summary>
    public required int CapacityMemoryMib { get; init; }
    /// <summary>
    /// What it can send to other hosts, 10^6 bits a second; null where nothing is said, and then nothing of it is
    /// shared out.
    /// </summary>
    public int? UplinkMbit { get; init; }
    /// <summary>The statement.</summary>
    public required StatementOrigin Origin { get; init; }
}

/// <summary>A medium that joins two or more hosts, in the operator's word.</summary>
public sealed record LinkModel(
    PartyId Operator, StatementName Name, ImmutableArray<HostRef> Hosts, LinkMedium Medium, StatementOrigin Origin)
{
    /// <summary>The VLANs that its switches carry; null for none.</summary>
    public VlanRange? Vlans { get; init; }
}
