using System.Security.Cryptography;

namespace Bailiwick.Ledger.Merkle;

/// <summary>
/// What the log holds of a statement: a salted commitment, so that whoever reads the tree learns nothing of a statement
/// it was not shown, not even by guessing, and its owner can open one leaf without opening its neighbours.
/// </summary>
public static class LeafCommitment
{
    /// <summary>
    /// SHA-256("bailiwick leaf v1" || 0x00 || salt || envelope). These 32 bytes are the leaf's data; hash them with
    /// <see cref="MerkleTree.LeafHash"/>.
    /// </summary>
    /// <param name="salt">32 random bytes, another for each leaf.</param>
    /// <param name="envelope">The envelope's bytes as stored.</param>
    /// <exception cref="ArgumentException">The salt has not 32 bytes.</exception>
    public static Digest32 Of(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> envelope)
    {
        if (salt.Length != LedgerLimits.SaltBytes)
        {
            throw new ArgumentException(
                $"A salt has {LedgerLimits.SaltBytes} bytes, not {salt.Length}.", nameof(salt));
        }

        Span<byte> digest = stackalloc byte[Digest32.Length];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("bailiwick leaf v1\0"u8);
        hash.AppendData(salt);
        hash.AppendData(envelope);
        hash.GetHashAndReset(digest);
        return Digest32.FromBytes(digest);
    }

    /// <summary>The leaf hash of a statement: <see cref="MerkleTree.LeafHash"/> of the commitment.</summary>
    /// <exception cref="ArgumentException">The salt has not 32 bytes.</exception>
    public static Digest32 LeafHash(ReadOnlySpan<byte> salt, ReadOnlySpan<byte> envelope) =>
        MerkleTree.LeafHash(Of(salt, envelope).Bytes);
}
