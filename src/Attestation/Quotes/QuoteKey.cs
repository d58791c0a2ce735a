using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.Quotes;

/// <summary>
/// A key that quotes are verified with. One whose attributes were checked (<see cref="IsAttestationKey"/>) is made by
/// <see cref="AttestationKeyCheck"/> alone; what any other key signs may come from anything that holds the key.
/// </summary>
public sealed class QuoteKey
{
    private QuoteKey(SubjectKey key, TpmPublic? area) => (Key, Area) = (key, area);

    /// <summary>The public key.</summary>
    public SubjectKey Key { get; }

    /// <summary>The public area; null for a bare key.</summary>
    public TpmPublic? Area { get; }

    /// <summary>
    /// Whether it is a restricted signing key that a TPM made and never lets go. That it is of a *genuine* TPM takes
    /// a credential activated by that TPM's endorsement key besides.
    /// </summary>
    public bool IsAttestationKey => Area is not null;

    /// <summary>
    /// A bare key, for quotes whose key is known in another way; nothing is known of how it is held.
    /// </summary>
    public static QuoteKey Bare(SubjectKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return new QuoteKey(key, null);
    }

    // Only AttestationKeyCheck calls this, after its last check.
    internal static QuoteKey After(TpmPublic area, SubjectKey key) => new(key, area);
}
