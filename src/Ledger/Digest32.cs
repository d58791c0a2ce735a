using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Bailiwick.Ledger;

/// <summary>
/// A SHA-256 digest: exactly 32 bytes, written as 64 lower-case hexadecimal digits. A class and not a struct, so that
/// no digest exists that nobody computed or checked.
/// </summary>
public sealed class Digest32 : IEquatable<Digest32>, IComparable<Digest32>
{
    /// <summary>Length of a digest, in bytes.</summary>
    public const int Length = 32;

    private readonly byte[] _bytes;
    private string? _hex;

    private Digest32(byte[] bytes) => _bytes = bytes;

    /// <summary>The 32 bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public string Hex => _hex ??= Convert.ToHexStringLower(_bytes);

    /// <summary>The digest in standard base64, as checkpoints write it (44 characters).</summary>
    public string Base64 => Convert.ToBase64String(_bytes);

    /// <summary>The SHA-256 digest of <paramref name="data"/> (FIPS 180-4).</summary>
    public static Digest32 Of(ReadOnlySpan<byte> data) => new(SHA256.HashData(data));

    /// <summary>Takes 32 bytes as a digest.</summary>
    /// <exception cref="ArgumentException">There are not exactly 32 bytes.</exception>
    public static Digest32 FromBytes(ReadOnlySpan<byte> bytes) => bytes.Length == Length
        ? new Digest32(bytes.ToArray())
        : throw new ArgumentException($"A digest has 32 bytes, not {bytes.Length}.", nameof(bytes));

    /// <summary>Reads 64 lower-case hexadecimal digits; false for anything else, upper-case digits included.</summary>
    public static bool TryParse([NotNullWhen(true)] string? hex, [NotNullWhen(true)] out Digest32? digest)
    {
        digest = null;
        if (hex is null || hex.Length != 2 * Length || !IsLowerHex(hex))
        {
            return false;
        }

        digest = new Digest32(Convert.FromHexString(hex));
        return true;
    }

    /// <summary>Reads the canonical base64 form; false for anything else.</summary>
    public static bool TryParseBase64([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Digest32? digest)
    {
        digest = StrictBase64.TryDecode(text, Length, out var bytes) && bytes.Length == Length
            ? new Digest32(bytes)
            : null;
        return digest is not null;
    }

    /// <inheritdoc/>
    public bool Equals(Digest32? other) => other is not null && Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Digest32);

    /// <inheritdoc/>
    public override int GetHashCode() => BinaryPrimitives.ReadInt32LittleEndian(_bytes);

    /// <summary>Orders digests by their bytes, as their hexadecimal forms sort.</summary>
    public int CompareTo(Digest32? other) => other is null ? 1 : Bytes.SequenceCompareTo(other.Bytes);

    /// <inheritdoc/>
    public override string ToString() => Hex;

    /// <summary>Equal bytes.</summary>
    public static bool operator ==(Digest32? left, Digest32? right) =>
        left is null ? right is null : left.Equals(right);

    /// <summary>Different bytes.</summary>
    public static bool operator !=(Digest32? left, Digest32? right) => !(left == right);

    /// <summary>Sorts before.</summary>
    public static bool operator <(Digest32? left, Digest32? right) => Compare(left, right) < 0;

    /// <summary>Sorts before or equal.</summary>
    public static bool operator <=(Digest32? left, Digest32? right) => Compare(left, right) <= 0;

    /// <summary>Sorts after.</summary>
    public static bool operator >(Digest32? left, Digest32? right) => Compare(left, right) > 0;

    /// <summary>Sorts after or equal.</summary>
    public static bool operator >=(Digest32? left, Digest32? right) => Compare(left, right) >= 0;

    private static int Compare(Digest32? left, Digest32? right) =>
        left is null ? (right is null ? 0 : -1) : left.CompareTo(right);

    private static bool IsLowerHex(string text)
    {
        foreach (var c in text)
        {
            if (c is not ((>= '0' and <= '9') or (>= 'a' and <= 'f')))
            {
                return false;
            }
        }

        return true;
    }
}
