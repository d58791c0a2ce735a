using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Ledger.Checkpoints;

/// <summary>What a note key signs, which is part of its identity. Closed.</summary>
public enum NoteKeyUse
{
    /// <summary>The text of a note: C2SP signed-note, type 0x02 (ECDSA).</summary>
    Note = 1,

    /// <summary>A witness's timestamped cosignature of a checkpoint.</summary>
    Cosignature,
}

/// <summary>
/// A named key of signed notes (C2SP signed-note). Note keys have type 0x02, and their key id is the first four bytes
/// of SHA-256 over the SubjectPublicKeyInfo. C2SP assigns no type to ECDSA cosignatures, so those use the type 0xff
/// with the identifier <see cref="CosignatureIdentifier"/>, as signed-note recommends: their id is the first four
/// bytes of SHA-256(name || 0x0A || 0xff || identifier || SubjectPublicKeyInfo).
/// </summary>
public sealed class NoteKey
{
    /// <summary>What follows the type 0xff for ECDSA cosignatures.</summary>
    public const string CosignatureIdentifier = "bailiwick ecdsa-p256-sha256 cosignature/v1";

    private const byte EcdsaType = 0x02;
    private const byte OtherType = 0xff;

    private NoteKey(string name, PublicKey key, NoteKeyUse use)
    {
        Name = name;
        Key = key;
        Use = use;
        Id = BinaryPrimitives.ReadUInt32BigEndian(SHA256.HashData(IdSource()));
    }

    /// <summary>The key's name, by convention a URL without a scheme, and for a log its origin.</summary>
    public string Name { get; }

    /// <summary>The public key.</summary>
    public PublicKey Key { get; }

    /// <summary>What it signs.</summary>
    public NoteKeyUse Use { get; }

    /// <summary>The key id that its signature lines carry. A hint and not a proof.</summary>
    public uint Id { get; }

    /// <summary>
    /// The verifier key as text, `name+id+base64(type || key)`, as tools of the C2SP family take it.
    /// </summary>
    public string Text => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name}+{Id:x8}+{Convert.ToBase64String([.. TypePrefix(), .. Key.SubjectPublicKeyInfo])}");

    /// <summary>Names a key; null for what <see cref="Of"/> refuses as a name.</summary>
    public static NoteKey? Find(string name, PublicKey key) => IsName(name) ? Of(name, key) : null;

    /// <summary>Names a key.</summary>
    /// <exception cref="ArgumentException">
    /// The name is empty or holds white space, a plus sign or a control character.
    /// </exception>
    public static NoteKey Of(string name, PublicKey key, NoteKeyUse use = NoteKeyUse.Note)
    {
        ArgumentNullException.ThrowIfNull(key);
        return IsName(name)
            ? new NoteKey(name, key, use)
            : throw new ArgumentException($"'{name}' is not a key name: no white space, no plus sign.", nameof(name));
    }

    /// <summary>Reads <see cref="Text"/>; false unless the id is the key's.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out NoteKey? key)
    {
        key = null;
        var parts = (text ?? "").Split('+', 3);
        if (parts.Length != 3 || !IsName(parts[0]) || !StrictBase64.TryDecode(parts[2], 256, out var material))
        {
            return false;
        }

        foreach (var use in Enum.GetValues<NoteKeyUse>())
        {
            var prefix = TypePrefix(use);
            if (material.AsSpan().StartsWith(prefix)
                && PublicKey.TryParse(material.AsSpan(prefix.Length), out var parsed)
                && new NoteKey(parts[0], parsed, use) is var candidate
                && string.Equals(candidate.Text, text, StringComparison.Ordinal))
            {
                key = candidate;
                return true;
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>True for a name that signature lines can carry (C2SP signed-note, Format).</summary>
    internal static bool IsName([NotNullWhen(true)] string? name) =>
        !string.IsNullOrEmpty(name) && !name.Any(c => char.IsWhiteSpace(c) || char.IsControl(c) || c == '+')
        && !name.Any(char.IsSurrogate);

    private static byte[] TypePrefix(NoteKeyUse use) => use switch
    {
        NoteKeyUse.Note => [EcdsaType],
        NoteKeyUse.Cosignature => [OtherType, .. Encoding.ASCII.GetBytes(CosignatureIdentifier)],
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private byte[] TypePrefix() => TypePrefix(Use);

    private byte[] IdSource() => Use switch
    {
        NoteKeyUse.Note => Key.SubjectPublicKeyInfo.ToArray(),
        NoteKeyUse.Cosignature =>
            [.. Encoding.UTF8.GetBytes(Name), (byte)'\n', .. TypePrefix(), .. Key.SubjectPublicKeyInfo],
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
