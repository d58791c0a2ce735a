using System.Collections.Immutable;
using Bailiwick.Keyring.Prepared;

namespace Bailiwick.KeyService.Custody;

/// <summary>Prepared keys that were decided to come in.</summary>
/// <param name="Prepared">The document as read.</param>
/// <param name="Document">SHA-256 of it, lower hex.</param>
/// <param name="Revisions">The revisions of the statements that describe what the keys open, in their order.</param>
public sealed record KeyLoad(PreparedKeys Prepared, string Document, ImmutableArray<long> Revisions)
{
    /// <summary>The domain that they are of: `tenant id/name`.</summary>
    public string Domain => Prepared.Domain;
}
