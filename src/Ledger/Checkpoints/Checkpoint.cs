using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Ledger.Checkpoints;

/// <summary>
/// The head of a log at one size (C2SP tlog-checkpoint): origin, number of leaves, root, and extension lines, which
/// mean nothing here. The words of a log, or of who claims to be it, until <see cref="Open"/> has checked the note.
/// </summary>
/// <param name="Origin">The log's name.</param>
/// <param name="Size">The number of leaves.</param>
/// <param name="Root">The root of the tree of that size.</param>
/// <param name="Extensions">Further lines.</param>
public sealed record Checkpoint(string Origin, long Size, Digest32 Root, ImmutableArray<string> Extensions)
{
    /// <summary>A checkpoint without extension lines.</summary>
    public Checkpoint(string origin, long size, Digest32 root)
        : this(origin, size, root, [])
    {
    }

    /// <summary>The note's text: each part on its line, the last line ended too.</summary>
    public byte[] ToText() => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"{Origin}\n{Size}\n{Root.Base64}\n{string.Concat(Extensions.Select(line => line + "\n"))}"));

    /// <summary>Signs the checkpoint as its log.</summary>
    /// <param name="log">The log's note key.</param>
    /// <param name="signer">The same key's private part.</param>
    /// <returns>The signed note.</returns>
    /// <exception cref="ArgumentException">The signer has another key, or no reader would take the note.</exception>
    public byte[] Sign(NoteKey log, ISigner signer)
    {
        ArgumentNullException.ThrowIfNull(log);
        ArgumentNullException.ThrowIfNull(signer);
        if (signer.Id != log.Key.Id || log.Use != NoteKeyUse.Note)
        {
            throw new ArgumentException($"The signer {signer.Id} is not the note key {log}.", nameof(signer));
        }

        var text = ToText();
        var signature = DerSignature.FromFixed(signer.Sign(text));
        var note = SignedNote.Compose(text, [new NoteSignature(log.Name, log.Id, [.. signature])]);
        return Open(note, log, Origin) switch
        {
            CheckpointVerdict.Opened => note,
            CheckpointVerdict.Refused refused => throw new ArgumentException(refused.Sentence),
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>
    /// Checks that a signed note is a checkpoint of the log that is expected, signed by the log's key. Signature lines
    /// of other keys are kept and ignored.
    /// </summary>
    /// <param name="note">The signed note.</param>
    /// <param name="log">The log's key, known beforehand.</param>
    /// <param name="origin">The log's origin, known beforehand.</param>
    public static CheckpointVerdict Open(ReadOnlySpan<byte> note, NoteKey log, string origin)
    {
        ArgumentNullException.ThrowIfNull(log);
        return SignedNote.Parse(note) switch
        {
            NoteReading.Refused refused => Refuse(CheckpointRefusal.MalformedNote, refused.Sentence),
            NoteReading.Read read => OpenSigned(read.Note, log, origin),
            _ => throw new UnreachableException(),
        };
    }

    private static CheckpointVerdict OpenSigned(SignedNote signed, NoteKey log, string origin)
    {
        if (TryRead(signed.Text) is not { } checkpoint)
        {
            return Refuse(
                CheckpointRefusal.MalformedCheckpoint, "The text must be origin, size, root and no blank lines.");
        }

        if (!string.Equals(checkpoint.Origin, origin, StringComparison.Ordinal))
        {
            return Refuse(
                CheckpointRefusal.OtherOrigin, $"The checkpoint is of {checkpoint.Origin} and not of {origin}.");
        }

        if (checkpoint.Size == 0 && checkpoint.Root != MerkleTree.EmptyRoot)
        {
            return Refuse(CheckpointRefusal.WrongEmptyRoot, "The log is empty, and the root is not the empty tree's.");
        }

        return CheckSignature(signed, log) is { } fault
            ? fault
            : new CheckpointVerdict.Opened(VerifiedCheckpoint.Of(checkpoint, signed));
    }

    private static CheckpointVerdict.Refused? CheckSignature(SignedNote signed, NoteKey log)
    {
        var count = 0;
        foreach (var line in signed.Signatures)
        {
            if (log.Use != NoteKeyUse.Note || line.KeyId != log.Id
                || !string.Equals(line.Name, log.Name, StringComparison.Ordinal))
            {
                continue;
            }

            count++;
            if (!DerSignature.TryToFixed(line.Signature.AsSpan(), out var signature)
                || !log.Key.Verifies(signed.Text, signature))
            {
                return Refuse(CheckpointRefusal.InvalidSignature, $"The signature of {log.Name} does not verify.");
            }
        }

        return count switch
        {
            0 => Refuse(CheckpointRefusal.NotSignedByLog, $"No line is signed by {log}."),
            1 => null,
            _ => Refuse(CheckpointRefusal.DuplicateSignature, $"The log {log.Name} signed {count} lines."),
        };
    }

    private static Checkpoint? TryRead(ReadOnlySpan<byte> text)
    {
        var lines = Encoding.UTF8.GetString(text).Split('\n');
        var parts = lines.AsSpan(0, lines.Length - 1);
        if (parts.Length is < 3 or > 3 + LedgerLimits.CheckpointExtensions || parts.Contains("")
            || !TrySize(parts[1], out var size) || !Digest32.TryParseBase64(parts[2], out var root))
        {
            return null;
        }

        return new Checkpoint(parts[0], size, root, [.. parts[3..]]);
    }

    /// <summary>Decimal digits without leading zeros, below 2^63.</summary>
    private static bool TrySize(string text, out long size) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out size)
        && string.Equals(size.ToString(CultureInfo.InvariantCulture), text, StringComparison.Ordinal);

    private static CheckpointVerdict.Refused Refuse(CheckpointRefusal reason, string sentence) =>
        new(reason, sentence);
}

/// <summary>Why a note is not accepted as a log's checkpoint. Closed.</summary>
public enum CheckpointRefusal
{
    /// <summary>It is not a signed note.</summary>
    MalformedNote = 1,

    /// <summary>Its text is not a checkpoint.</summary>
    MalformedCheckpoint,

    /// <summary>It is a checkpoint of another log.</summary>
    OtherOrigin,

    /// <summary>It has no leaves and another root than the empty tree's.</summary>
    WrongEmptyRoot,

    /// <summary>No signature line names the log's key.</summary>
    NotSignedByLog,

    /// <summary>A line names the log's key and does not verify.</summary>
    InvalidSignature,

    /// <summary>More than one line is signed by the log's key.</summary>
    DuplicateSignature,
}

/// <summary>
/// What <see cref="Checkpoint.Open"/> makes of a note: <see cref="Opened"/> or <see cref="Refused"/>.
/// </summary>
public abstract class CheckpointVerdict
{
    private CheckpointVerdict()
    {
    }

    /// <summary>It is a checkpoint of the log.</summary>
    public sealed class Opened : CheckpointVerdict
    {
        internal Opened(VerifiedCheckpoint checkpoint) => Checkpoint = checkpoint;

        /// <summary>The checkpoint.</summary>
        public VerifiedCheckpoint Checkpoint { get; }
    }

    /// <summary>It is not.</summary>
    public sealed class Refused : CheckpointVerdict
    {
        internal Refused(CheckpointRefusal reason, string sentence)
        {
            Reason = reason;
            Sentence = sentence;
        }

        /// <summary>Why.</summary>
        public CheckpointRefusal Reason { get; }

        /// <summary>Why, for people.</summary>
        public string Sentence { get; }
    }
}
