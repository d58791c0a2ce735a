using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using System.Text.Unicode;

namespace Bailiwick.Ledger.Checkpoints;

/// <summary>One signature line of a note, as read; nothing about it is verified.</summary>
/// <param name="Name">The key's name.</param>
/// <param name="KeyId">The key id, four bytes big-endian.</param>
/// <param name="Signature">What follows the key id; its form depends on the key.</param>
public sealed record NoteSignature(string Name, uint KeyId, ImmutableArray<byte> Signature);

/// <summary>
/// A signed note (C2SP signed-note), as read; nothing in it is verified. The text ends before the last blank line and
/// includes its final newline; each line after it is an em dash, the key's name and base64 of key id and signature.
/// Lines of unknown keys are kept and mean nothing.
/// </summary>
public sealed class SignedNote
{
    private const int KeyIdLength = 4;

    private readonly byte[] _text;

    private SignedNote(byte[] text, ImmutableArray<NoteSignature> signatures)
    {
        _text = text;
        Signatures = signatures;
    }

    /// <summary>The text that is signed, in UTF-8, with its final newline.</summary>
    public ReadOnlySpan<byte> Text => _text;

    /// <summary>The signature lines in their order.</summary>
    public ImmutableArray<NoteSignature> Signatures { get; }

    private static ReadOnlySpan<byte> LineStart => "\u2014 "u8;

    /// <summary>Reads a note.</summary>
    public static NoteReading Parse(ReadOnlySpan<byte> note)
    {
        if (note.Length > LedgerLimits.NoteBytes)
        {
            return Refuse(NoteFault.TooLarge, $"The note is larger than {LedgerLimits.NoteBytes} bytes.");
        }

        if (!Utf8.IsValid(note) || HasControls(note))
        {
            return Refuse(NoteFault.InvalidText, "The note is not UTF-8 without control characters.");
        }

        var blank = note.LastIndexOf("\n\n"u8);
        if (blank < 0 || note[^1] != (byte)'\n')
        {
            return Refuse(NoteFault.Malformed, "The note must be text, a blank line and signature lines.");
        }

        var signatures = ImmutableArray.CreateBuilder<NoteSignature>();
        var lines = note[(blank + 2)..];
        while (!lines.IsEmpty)
        {
            var end = lines.IndexOf((byte)'\n');
            if (signatures.Count == LedgerLimits.NoteSignatures)
            {
                return Refuse(
                    NoteFault.TooLarge, $"The note has more than {LedgerLimits.NoteSignatures} signature lines.");
            }

            if (ReadLine(lines[..end]) is not { } signature)
            {
                return Refuse(
                    NoteFault.Malformed, $"Line {signatures.Count + 1} of the signatures is not a signature line.");
            }

            signatures.Add(signature);
            lines = lines[(end + 1)..];
        }

        return signatures.Count == 0
            ? Refuse(NoteFault.Malformed, "The note has no signature line.")
            : new NoteReading.Read(new SignedNote(note[..(blank + 1)].ToArray(), signatures.ToImmutable()));
    }

    /// <summary>The note's bytes, the same as were read.</summary>
    public byte[] ToBytes() => Compose(_text, Signatures);

    /// <summary>The note with one more signature line at its end.</summary>
    internal SignedNote With(NoteSignature signature) => new(_text, Signatures.Add(signature));

    /// <summary>Puts a note together.</summary>
    internal static byte[] Compose(ReadOnlySpan<byte> text, IEnumerable<NoteSignature> signatures)
    {
        var lines = new StringBuilder(Encoding.UTF8.GetString(text)).Append('\n');
        foreach (var one in signatures)
        {
            var material = new byte[KeyIdLength + one.Signature.Length];
            BinaryPrimitives.WriteUInt32BigEndian(material, one.KeyId);
            one.Signature.CopyTo(material.AsSpan(KeyIdLength));
            lines.Append("\u2014 ").Append(one.Name).Append(' ').Append(Convert.ToBase64String(material)).Append('\n');
        }

        return Encoding.UTF8.GetBytes(lines.ToString());
    }

    private static NoteSignature? ReadLine(ReadOnlySpan<byte> line)
    {
        if (!line.StartsWith(LineStart))
        {
            return null;
        }

        var parts = Encoding.UTF8.GetString(line[LineStart.Length..]).Split(' ');
        return parts.Length == 2 && NoteKey.IsName(parts[0])
            && StrictBase64.TryDecode(parts[1], LedgerLimits.NoteBytes, out var material)
            && material.Length > KeyIdLength
                ? new NoteSignature(
                    parts[0], BinaryPrimitives.ReadUInt32BigEndian(material), [.. material.AsSpan(KeyIdLength)])
                : null;
    }

    private static bool HasControls(ReadOnlySpan<byte> note)
    {
        foreach (var one in note)
        {
            if (one is < 0x20 and not (byte)'\n')
            {
                return true;
            }
        }

        return false;
    }

    private static NoteReading.Refused Refuse(NoteFault fault, string sentence) => new(fault, sentence);
}

/// <summary>Why bytes are not a signed note. Closed.</summary>
public enum NoteFault
{
    /// <summary>More bytes or signature lines than the limit.</summary>
    TooLarge = 1,

    /// <summary>Not UTF-8, or with control characters other than newlines.</summary>
    InvalidText,

    /// <summary>Not text, a blank line and signature lines.</summary>
    Malformed,
}

/// <summary>The outcome of reading a note: <see cref="Read"/> or <see cref="Refused"/>.</summary>
public abstract record NoteReading
{
    private NoteReading()
    {
    }

    /// <summary>It has the form of a signed note.</summary>
    /// <param name="Note">What it says, unverified.</param>
    public sealed record Read(SignedNote Note) : NoteReading;

    /// <summary>It is not a signed note.</summary>
    /// <param name="Fault">Why.</param>
    /// <param name="Sentence">Why, for people.</param>
    public sealed record Refused(NoteFault Fault, string Sentence) : NoteReading;
}
