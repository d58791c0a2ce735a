using System.Collections.Immutable;

namespace Bailiwick.Domains.Volumes;

/// <summary>
/// What the header of a LUKS volume says; unverified unless <see cref="LuksReading.Accepted"/> gives it.
/// </summary>
/// <param name="Version">1 or 2.</param>
/// <param name="Cipher">Cipher, mode and initial vectors as dm-crypt writes them: <c>aes-xts-plain64</c>.</param>
/// <param name="Hash">The hash of the key derivation and of the splitting.</param>
/// <param name="KeyBytes">The length of the volume's master key.</param>
/// <param name="Uuid">As it is written.</param>
/// <param name="Payload">Where the data begins, and in which sectors it is encrypted.</param>
/// <param name="Slots">The key slots: all eight of version 1; those there are of version 2.</param>
public sealed record LuksHeader(
    int Version, string Cipher, string Hash, uint KeyBytes, string Uuid, LuksPayload Payload,
    ImmutableArray<LuksSlot> Slots)
{
    /// <summary>How the master key is recognised.</summary>
    public required LuksDigest Digest { get; init; }

    /// <summary>The first byte at which key material may lie.</summary>
    public required ulong KeysFrom { get; init; }
}

/// <summary>Where the data of a volume is.</summary>
/// <param name="Offset">Its first byte.</param>
/// <param name="SectorBytes">The sectors in which it is encrypted.</param>
public sealed record LuksPayload(ulong Offset, uint SectorBytes);

/// <summary>How a master key is recognised: PBKDF2 over it.</summary>
/// <param name="Value">What must come out.</param>
/// <param name="Salt">The salt.</param>
/// <param name="Iterations">The iterations.</param>
public sealed record LuksDigest(ImmutableArray<byte> Value, ImmutableArray<byte> Salt, uint Iterations);

/// <summary>One key slot.</summary>
/// <param name="Number">Its number.</param>
/// <param name="IsActive">Whether it opens the volume.</param>
/// <param name="Derivation"><c>pbkdf2</c>, <c>argon2i</c> or <c>argon2id</c>.</param>
/// <param name="Iterations">Of the key derivation; rounds of Argon2.</param>
/// <param name="Stripes">Of the splitting.</param>
/// <param name="Area">The key material.</param>
public sealed record LuksSlot(
    int Number, bool IsActive, string Derivation, uint Iterations, uint Stripes, LuksArea Area);

/// <summary>A range of the file.</summary>
/// <param name="Offset">Its first byte.</param>
/// <param name="Length">Its bytes.</param>
public sealed record LuksArea(ulong Offset, ulong Length)
{
    /// <summary>Whether two ranges have a byte of the file in common.</summary>
    public bool Overlaps(LuksArea other) => Length > 0 && other.Length > 0
        && Offset < other.Offset + (UInt128)other.Length && other.Offset < Offset + (UInt128)Length;

    /// <summary>Whether all of it lies in a range from <paramref name="from"/> up to <paramref name="to"/>.</summary>
    public bool LiesIn(ulong from, ulong to) => Offset >= from && Offset + (UInt128)Length <= to;
}

/// <summary>The outcome of reading a LUKS header. Made only by <see cref="LuksReader"/>.</summary>
public sealed class LuksReading
{
    internal LuksReading(LuksHeader? header, ImmutableArray<LuksRefusal> refusals)
    {
        Header = header;
        Refusals = refusals;
    }

    /// <summary>What the header says, for people; null when it could not be read so far.</summary>
    public LuksHeader? Header { get; }

    /// <summary>Every reason against it; empty when it is acceptable.</summary>
    public ImmutableArray<LuksRefusal> Refusals { get; }

    /// <summary>The header when nothing is against it, else null.</summary>
    public LuksHeader? Accepted => Refusals.IsEmpty ? Header : null;
}

/// <summary>One reason against a LUKS header.</summary>
/// <param name="Code">The kind of reason.</param>
/// <param name="Sentence">For people, with the values.</param>
public sealed record LuksRefusal(LuksRefusalCode Code, string Sentence);

/// <summary>Every reason against a LUKS header. Closed.</summary>
public enum LuksRefusalCode
{
    /// <summary>It does not begin as LUKS of version 1 or 2 does.</summary>
    NotLuks = 1,

    /// <summary>The file ends before the header or the data begins.</summary>
    Truncated,

    /// <summary>A text is not ended, is not ASCII, or has something behind its end.</summary>
    Text,

    /// <summary>The UUID is not written as one.</summary>
    Uuid,

    /// <summary>A cipher that encrypts nothing: any passphrase opens it.</summary>
    NullCipher,

    /// <summary>Another cipher than <c>aes-xts-plain64</c>.</summary>
    Cipher,

    /// <summary>Another hash than SHA-256.</summary>
    Hash,

    /// <summary>Another key than two of 256 bits.</summary>
    KeySize,

    /// <summary>The data begins where it cannot: in the header, behind the end, or in another file.</summary>
    PayloadOffset,

    /// <summary>It is encrypted in sectors that are neither 512 nor 4096 bytes.</summary>
    SectorSize,

    /// <summary>A key slot is neither in use nor free, or not as its version has it.</summary>
    SlotState,

    /// <summary>No key slot is in use.</summary>
    NoActiveSlot,

    /// <summary>Several key slots are in use: one is ours, and nobody knows whose the others are.</summary>
    SeveralActiveSlots,

    /// <summary>Key material lies in the header or in the data, or behind the end.</summary>
    SlotArea,

    /// <summary>The key material of two slots lies in the same place.</summary>
    SlotsOverlap,

    /// <summary>Other than 4000 stripes.</summary>
    Stripes,

    /// <summary>A key derivation that costs nothing, or more than a start may.</summary>
    Iterations,

    /// <summary>Another key derivation than PBKDF2 and Argon2, or not as it should be.</summary>
    Derivation,

    /// <summary>The header is larger than anybody needs, or of a size that version 2 does not have.</summary>
    HeaderSize,

    /// <summary>A checksum is wrong, or not SHA-256.</summary>
    Checksum,

    /// <summary>The two headers of version 2 do not say the same.</summary>
    CopiesDiffer,

    /// <summary>The metadata of version 2 is not exactly as the format has it.</summary>
    Metadata,

    /// <summary>A re-encryption is under way, or claims to be (CVE-2021-4122).</summary>
    Reencryption,

    /// <summary>It demands features of whoever opens it.</summary>
    Requirements,

    /// <summary>It asks for other behaviour of whoever opens it.</summary>
    Flags,

    /// <summary>Not one encrypted segment up to the end of the file.</summary>
    Segments,

    /// <summary>The data is said to have its own integrity tags.</summary>
    Integrity,

    /// <summary>There are tokens, by which other programs would look for a key.</summary>
    Tokens,

    /// <summary>Not one digest, of the one slot and the one segment.</summary>
    Digests,
}
