using Bailiwick.Ledger;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>A nonce of a key service: 32 bytes, by which one release is told from every other.</summary>
public sealed class KeyNonce : IEquatable<KeyNonce>
{
    /// <summary>Its length in bytes.</summary>
    public const int Length = 32;

    private readonly byte[] _bytes;

    private KeyNonce(byte[] bytes) => _bytes = bytes;

    /// <summary>The bytes.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes;

    /// <summary>Canonical standard base64, 44 characters.</summary>
    public string Base64 => Convert.ToBase64String(_bytes);

    /// <summary>Takes bytes as a nonce; null when there are not exactly <see cref="Length"/>.</summary>
    public static KeyNonce? Of(ReadOnlySpan<byte> bytes) => bytes.Length == Length ? new(bytes.ToArray()) : null;

    /// <summary>Reads canonical base64; null when it is none, or of another length.</summary>
    public static KeyNonce? Read(string? base64) =>
        StrictBase64.TryDecode(base64, Length, out byte[]? bytes) ? Of(bytes) : null;

    /// <inheritdoc/>
    public bool Equals(KeyNonce? other) => other is not null && _bytes.AsSpan().SequenceEqual(other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as KeyNonce);

    /// <inheritdoc/>
    public override int GetHashCode() => BitConverter.ToInt32(_bytes);

    /// <inheritdoc/>
    public override string ToString() => Base64;
}
