using System.Security.Cryptography;

namespace Bailiwick.Ledger.Keys;

/// <summary>Signs with an <see cref="ECDsa"/> key that its owner opened and will dispose of.</summary>
public sealed class EcdsaSigner : ISigner
{
    private readonly ECDsa _key;

    /// <summary>Wraps a private P-256 key, in software or in hardware.</summary>
    /// <exception cref="ArgumentException">The key is not on P-256.</exception>
    public EcdsaSigner(ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(key);
        _key = key;
        PublicKey = PublicKey.TryParse(key.ExportSubjectPublicKeyInfo(), out var parsed)
            ? parsed
            : throw new ArgumentException("Only keys on the curve P-256 sign here.", nameof(key));
    }

    /// <summary>The public key.</summary>
    public PublicKey PublicKey { get; }

    /// <inheritdoc/>
    public KeyId Id => PublicKey.Id;

    /// <inheritdoc/>
    public byte[] Sign(ReadOnlySpan<byte> data) =>
        _key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
}
