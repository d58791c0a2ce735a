using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Ledger.Checkpoints;

/// <summary>
/// A witness's timestamped signature on a checkpoint: the message and the structure of C2SP tlog-cosignature, with
/// ECDSA P-256 in IEEE P1363 form in the place of Ed25519, whose signatures have the same 64 bytes. Ed25519 is not in
/// this platform; because C2SP defines no ECDSA cosignature, the keys have an id of their own (see
/// <see cref="NoteKey"/>) and nobody can take one for an Ed25519 cosignature.
/// </summary>
public sealed class CosignatureV1
{
    private const int TimeLength = 8;

    private CosignatureV1(NoteKey witness, long time)
    {
        Witness = witness;
        Time = time;
    }

    /// <summary>Who cosigned.</summary>
    public NoteKey Witness { get; }

    /// <summary>
    /// When it says it did, in seconds since 1970-01-01T00:00:00Z. For people; nothing is decided by it.
    /// </summary>
    public long Time { get; }

    /// <summary>
    /// The cosignatures by these witnesses that verify, at most one for each key, however often the witness signed or
    /// is listed; so their number is a number of witnesses. Lines of unknown keys, lines that do not verify and
    /// anything that is not a cosignature do not count.
    /// </summary>
    public static ImmutableArray<CosignatureV1> Find(VerifiedCheckpoint checkpoint, IEnumerable<NoteKey> witnesses)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(witnesses);
        var found = new Dictionary<KeyId, CosignatureV1>();
        foreach (var witness in witnesses)
        {
            if (witness.Use == NoteKeyUse.Cosignature && !found.ContainsKey(witness.Key.Id)
                && Newest(checkpoint.Note, witness) is { } cosignature)
            {
                found.Add(witness.Key.Id, cosignature);
            }
        }

        return [.. found.Values];
    }

    /// <summary>Adds a witness's line to a checkpoint's note; the witness must have checked its history.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="witness">The witness's key.</param>
    /// <param name="signer">The same key's private part.</param>
    /// <param name="time">Seconds since 1970-01-01T00:00:00Z, not negative.</param>
    /// <exception cref="ArgumentException">The signer has another key.</exception>
    public static byte[] Add(VerifiedCheckpoint checkpoint, NoteKey witness, ISigner signer, long time)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(witness);
        ArgumentNullException.ThrowIfNull(signer);
        ArgumentOutOfRangeException.ThrowIfNegative(time);
        if (signer.Id != witness.Key.Id || witness.Use != NoteKeyUse.Cosignature)
        {
            throw new ArgumentException($"The signer {signer.Id} is not the witness {witness}.", nameof(signer));
        }

        var material = new byte[TimeLength + PublicKey.SignatureLength];
        BinaryPrimitives.WriteInt64BigEndian(material, time);
        signer.Sign(Message(checkpoint.Note, time)).CopyTo(material, TimeLength);
        return checkpoint.Note.With(new NoteSignature(witness.Name, witness.Id, [.. material])).ToBytes();
    }

    private static CosignatureV1? Newest(SignedNote note, NoteKey witness)
    {
        CosignatureV1? newest = null;
        foreach (var line in note.Signatures)
        {
            if (line.KeyId == witness.Id && string.Equals(line.Name, witness.Name, StringComparison.Ordinal)
                && TryVerify(note, witness, line.Signature.AsSpan()) is { } one
                && (newest is null || one.Time > newest.Time))
            {
                newest = one;
            }
        }

        return newest;
    }

    private static CosignatureV1? TryVerify(SignedNote note, NoteKey witness, ReadOnlySpan<byte> material)
    {
        if (material.Length != TimeLength + PublicKey.SignatureLength)
        {
            return null;
        }

        var time = BinaryPrimitives.ReadInt64BigEndian(material);
        return time >= 0 && witness.Key.Verifies(Message(note, time), material[TimeLength..])
            ? new CosignatureV1(witness, time)
            : null;
    }

    private static byte[] Message(SignedNote note, long time) =>
    [
        .. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"cosignature/v1\ntime {time}\n")),
        .. note.Text,
    ];
}
