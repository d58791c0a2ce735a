namespace Bailiwick.Ledger.Keys;

/// <summary>
/// A private key that lives elsewhere: in a TPM, a token, or the memory of a process. It signs with ECDSA over P-256
/// and SHA-256.
/// </summary>
public interface ISigner
{
    /// <summary>The id of the public key.</summary>
    KeyId Id { get; }

    /// <summary>
    /// Signs the SHA-256 digest of <paramref name="data"/>: 64 bytes, r and s as fixed-length big-endian numbers
    /// (IEEE P1363).
    /// </summary>
    byte[] Sign(ReadOnlySpan<byte> data);
}
