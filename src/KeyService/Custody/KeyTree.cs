using System.Collections.Immutable;

namespace Bailiwick.KeyService.Custody;

/// <summary>The keys of a tenant, without any key.</summary>
/// <param name="Generation">The master key's generation.</param>
/// <param name="Master">Its id, lower hex.</param>
/// <param name="Domains">The domains that have a key.</param>
/// <param name="Destroyed">What was destroyed.</param>
public sealed record KeyTree(
    long Generation, string Master, ImmutableArray<DomainKeys> Domains, ImmutableArray<Tombstone> Destroyed);

/// <summary>A domain's keys.</summary>
/// <param name="Domain">`tenant id/name`.</param>
/// <param name="Generation">Which key of the domain is in force.</param>
/// <param name="Serial">Drawn with the domain's first key; what an approval of its destruction names.</param>
/// <param name="Keys">What is under it.</param>
public sealed record DomainKeys(string Domain, long Generation, string Serial, ImmutableArray<KeptKey> Keys);

/// <summary>The key of a volume or of a machine's TPM.</summary>
/// <param name="Key">What it opens.</param>
/// <param name="Epoch">Which key of that name.</param>
/// <param name="Serial">Drawn with the key; what an approval of its destruction names.</param>
/// <param name="Revision">The statement's revision at the last release.</param>
/// <param name="Holders">Who holds it.</param>
public sealed record KeptKey(
    string Key, long Epoch, string Serial, long Revision, ImmutableArray<VaultHolder> Holders);
