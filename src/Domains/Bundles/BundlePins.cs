using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Bundles;

/// <summary>What a reader of a bundle knows without it. The ids of parties are hashes of their first roots.</summary>
public sealed record BundlePins
{
    /// <summary>The tenant's domain whose demands count.</summary>
    public required DomainRef Domain { get; init; }

    /// <summary>The host that is asked about; its operator's word on hosts counts.</summary>
    public required HostRef Host { get; init; }

    /// <summary>The time, which decides only on the expiry of policies and statements.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The nonce the evidence was asked for with; null where it is not known.</summary>
    public ReadOnlyMemory<byte>? Nonce { get; init; }

    /// <summary>
    /// A signed checkpoint (C2SP tlog-checkpoint) of the datacentre's log that the evidence must not be older
    /// than; null where none is held.
    /// </summary>
    public ReadOnlyMemory<byte>? Checkpoint { get; init; }

    /// <summary>The newest revision of the domain's policy that the reader knows; null where it knows none.
    /// </summary>
    public long? Revision { get; init; }

    internal PartyId Tenant => Domain.Tenant;
}
