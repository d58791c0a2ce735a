using System.Security.Cryptography;

namespace Bailiwick.Attestation.Tpm;

/// <summary>
/// The name of a TPM entity (TPM 2.0 Part 1, section 16): for an object or an NV index the algorithm and the digest of
/// its public area, for a hierarchy or a register its handle, and empty for no entity. Immutable; equal by bytes.
/// </summary>
public sealed class TpmName : IEquatable<TpmName>
{
    private const int HandleLength = 4;

    private readonly byte[] _bytes;

    private TpmName(byte[] bytes) => _bytes = bytes;

    /// <summary>The name of no entity.</summary>
    public static TpmName Empty { get; } = new([]);

    /// <summary>Its bytes, as a TPM2B_NAME carries them.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Its bytes in lower-case hexadecimal.</summary>
    public string Hex => Convert.ToHexStringLower(_bytes);

    /// <summary>The algorithm of its digest; null for a handle or no entity.</summary>
    public TpmHash? Hash =>
        _bytes.Length > HandleLength ? TpmHashes.FromAlgorithm((ushort)((_bytes[0] << 8) | _bytes[1])) : null;

    /// <summary>The name of what has this public area: the algorithm, then the digest of the bytes.</summary>
    public static TpmName OfPublicArea(TpmHash hash, ReadOnlySpan<byte> area) =>
        new(new TpmWriter().Hash(hash).Bytes(hash.Digest(area)).ToArray());

    /// <summary>The name of a hierarchy or register: its handle.</summary>
    public static TpmName OfHandle(uint handle) => new(new TpmWriter().U32(handle).ToArray());

    /// <summary>
    /// The qualified name (Part 1, section 26.5): the algorithm of the name and the digest of the parent's qualified
    /// name followed by the name; a hierarchy's qualified name is its handle.
    /// </summary>
    /// <exception cref="InvalidOperationException">The name has no digest.</exception>
    public TpmName QualifiedUnder(TpmName parent)
    {
        ArgumentNullException.ThrowIfNull(parent);
        var hash = Hash ?? throw new InvalidOperationException("Only the name of an object can be qualified.");
        return OfPublicArea(hash, [.. parent._bytes, .. _bytes]);
    }

    /// <summary>Reads a name; null unless it is a digest of a known algorithm, a handle or empty.</summary>
    public static TpmName? Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length is 0 or HandleLength)
        {
            return new TpmName(bytes.ToArray());
        }

        return bytes.Length > HandleLength
            && TpmHashes.FromAlgorithm((ushort)((bytes[0] << 8) | bytes[1])) is { } hash
            && bytes.Length == sizeof(ushort) + hash.Size()
                ? new TpmName(bytes.ToArray())
                : null;
    }

    internal static TpmName Read(ref TpmReader reader)
    {
        var bytes = reader.Sized(TpmLimits.NameBytes);
        if (reader.Fault is null && Parse(bytes) is { } name)
        {
            return name;
        }

        reader.Fail(TpmFault.NotAName);
        return Empty;
    }

    /// <inheritdoc/>
    public bool Equals(TpmName? other) =>
        other is not null && CryptographicOperations.FixedTimeEquals(_bytes, other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TpmName);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(_bytes);
        return hash.ToHashCode();
    }

    /// <summary>Whether two names are the same.</summary>
    public static bool operator ==(TpmName? left, TpmName? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Whether two names differ.</summary>
    public static bool operator !=(TpmName? left, TpmName? right) => !(left == right);

    /// <inheritdoc/>
    public override string ToString() => Hex;
}
