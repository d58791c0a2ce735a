using System.Collections.Immutable;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Domains.Policy;

/// <summary>What an authored document lacks and a signed one must have.</summary>
/// <param name="Parties">Ids of the parties it names.</param>
/// <param name="FileDigests">SHA-256 (64 lower-case hex digits) of each file that documents name.</param>
/// <param name="Root">The keys of a tenant or datacentre; null when no root is to be signed.</param>
/// <param name="HostKeys">The identity key of each host, by its name.</param>
/// <param name="EndorsementKeys">
/// SHA-256 of the SubjectPublicKeyInfo of each TPM's endorsement key, by the host's name.
/// </param>
public sealed record SigningMaterial(
    PartyNames Parties,
    ImmutableDictionary<string, string> FileDigests,
    RootMembers? Root,
    ImmutableDictionary<string, PublicKey> HostKeys,
    ImmutableDictionary<string, string> EndorsementKeys)
{
    /// <summary>Names only: enough for domains, machines, volumes and links.</summary>
    public static SigningMaterial Of(PartyNames parties) => new(
        parties, ImmutableDictionary<string, string>.Empty, null, ImmutableDictionary<string, PublicKey>.Empty,
        ImmutableDictionary<string, string>.Empty);
}

/// <summary>The keys a root statement carries.</summary>
/// <param name="Roots">Keys that sign the party's statements.</param>
/// <param name="Threshold">How many of them must.</param>
/// <param name="Admins">Keys that may ask for acts within the party's policies.</param>
/// <param name="Auditors">Keys that may read.</param>
/// <param name="Service">The tenant's key service, or the datacentre's log; null when there is none yet.</param>
public sealed record RootMembers(
    ImmutableArray<PublicKey> Roots, int Threshold, ImmutableArray<PublicKey> Admins,
        ImmutableArray<PublicKey> Auditors,
    RootService? Service);

/// <summary>A service that a root vouches for.</summary>
/// <param name="Place">A tenant's key service: its address and port; a datacentre's log: its origin.</param>
/// <param name="Key">The key it proves itself with.</param>
public sealed record RootService(string Place, PublicKey Key);

/// <summary>The body of a statement, or why there is none. A closed set.</summary>
public abstract class SignedBody
{
    private SignedBody() { }

    /// <summary>A body that reads, signed, as the document reads.</summary>
    public sealed class Ready : SignedBody
    {
        internal Ready(ReadOnlyMemory<byte> canonical) => Canonical = canonical;

        /// <summary>Canonical JSON (RFC 8785).</summary>
        public ReadOnlyMemory<byte> Canonical { get; }
    }

    /// <summary>Something cannot be resolved, or the document has findings of its own.</summary>
    public sealed class Unready : SignedBody
    {
        internal Unready(ImmutableArray<Finding> findings) => Findings = findings;

        /// <summary>All of it.</summary>
        public ImmutableArray<Finding> Findings { get; }
    }
}
