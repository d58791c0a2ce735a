using System.Collections.Immutable;
using System.Security.Cryptography;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Attestation.IntegrityLog;

/// <summary>
/// What a verifier makes of the part of a log that it was shown: <see cref="Followed"/> or <see cref="Refused"/>. The
/// stated head must have been verified by other means: by the quote over the log's register, or as the host's word.
/// </summary>
public abstract class IntegrityReading
{
    private IntegrityReading()
    {
    }

    /// <summary>Judges what was shown; never throws for what it contains.</summary>
    /// <param name="shown">What was shown.</param>
    /// <param name="boot">The boot that the evidence states.</param>
    /// <param name="stated">The head that the evidence states.</param>
    /// <param name="demand">What this verifier brings along.</param>
    public static IntegrityReading Judge(
        IntegrityTail shown, Guid boot, IntegrityHead stated, IntegrityDemand demand)
    {
        ArgumentNullException.ThrowIfNull(shown);
        ArgumentNullException.ThrowIfNull(stated);
        ArgumentNullException.ThrowIfNull(demand);
        if (shown.After is { } after && (after != demand.Known || after.Boot != boot))
        {
            return new Refused(
                IntegrityRefusalCode.OtherPosition,
                $"The log goes on from entry {after.Head.Entries} of a boot, and this verifier was not there.");
        }

        long from = shown.After?.Head.Entries ?? stated.Entries - shown.Count;
        if (from < 0 || from + shown.Count != stated.Entries || (shown.After is null && shown.Count == 0))
        {
            return new Refused(
                IntegrityRefusalCode.Incomplete,
                $"{shown.Count} entries are shown from {Math.Max(from, 0)} on; the evidence is over {stated.Entries}.");
        }

        IntegrityPosition begin = shown.After ?? new(boot, from, new IntegrityHead(from, IntegrityHead.Zero));
        return Replay(shown, begin, stated, demand.Known) ?? Open(shown, begin, stated, demand.Reader);
    }

    private static Refused? Replay(
        IntegrityTail shown, IntegrityPosition begin, IntegrityHead stated, IntegrityPosition? known)
    {
        // Later starts of the log in one boot are possible: a TPM can be reset alone. An earlier entry is not.
        bool mustMeet = known is not null && known.Boot == begin.Boot && begin.First < known.Head.Entries;
        long meeting = mustMeet && known is not null && begin.First == known.First
            ? known.Head.Entries - begin.Head.Entries
            : -1;
        bool met = !mustMeet;
        // As IntegrityHead.Extend, without an object for each of very many entries.
        Span<byte> both = stackalloc byte[2 * Digest32.Length];
        Span<byte> next = stackalloc byte[Digest32.Length];
        begin.Head.Digest.Bytes.CopyTo(both);
        for (int place = 0; place <= shown.Count; place++)
        {
            met |= place == meeting && known is not null
                && both[..Digest32.Length].SequenceEqual(known.Head.Digest.Bytes);
            if (place < shown.Count)
            {
                shown.Commitments.Span.Slice(place * Digest32.Length, Digest32.Length)
                    .CopyTo(both[Digest32.Length..]);
                SHA256.HashData(both, next);
                next.CopyTo(both);
            }
        }

        Digest32 given = Digest32.FromBytes(both[..Digest32.Length]);
        return given != stated.Digest
            ? new Refused(
                IntegrityRefusalCode.Mismatch,
                $"The entries give the head {given.Hex[..16]}, and the evidence is over "
                + $"{stated.Digest.Hex[..16]}: one was changed, moved or dropped.")
            : !met
                ? new Refused(
                    IntegrityRefusalCode.Rewritten,
                    $"In the same boot this verifier followed the log to entry {known?.Head.Entries}; what is shown "
                    + "now is another log.")
                : null;
    }

    private static IntegrityReading Open(
        IntegrityTail shown, IntegrityPosition begin, IntegrityHead stated, PartyId? reader)
    {
        long from = begin.Head.Entries;
        foreach (IntegrityOpening opening in shown.Openings)
        {
            IntegrityEntry entry = opening.Entry;
            long place = entry.Sequence - from;
            if (place < 0 || place >= shown.Count || opening.Commitment() != shown.Commitment((int)place))
            {
                return new Refused(
                    IntegrityRefusalCode.FalseOpening,
                    $"What is said to be entry {entry.Sequence} is not what the log holds there.");
            }

            if (reader is null || !entry.Readers.Include(reader))
            {
                return new Refused(
                    IntegrityRefusalCode.ForeignOpening,
                    $"Entry {entry.Sequence} is opened, and it does not concern "
                    + $"{(reader is null ? "this verifier" : $"tenant {reader.Short}")}: the host tells strangers "
                    + "what is not theirs.");
            }
        }

        bool isOpenAtBoot = shown.Openings is [{ Entry: var first }, ..] && first.Sequence == begin.First
            && first.Kind == IntegrityKind.Boot && first.Subject == begin.Boot.ToString("D");
        return shown.After is null && reader is not null && !isOpenAtBoot
            ? new Refused(
                IntegrityRefusalCode.Incomplete,
                $"The log does not begin with the entry of the boot {begin.Boot:D}.")
            : new Followed(new IntegrityPosition(begin.Boot, begin.First, stated), from, shown.Openings);
    }

    /// <summary>The part shown is the log that the stated head stands for.</summary>
    public sealed class Followed : IntegrityReading
    {
        internal Followed(IntegrityPosition position, long from, ImmutableArray<IntegrityOpening> openings)
        {
            Position = position;
            From = from;
            Openings = openings;
        }

        /// <summary>How far the log was followed; the next time it goes on from there.</summary>
        public IntegrityPosition Position { get; }

        /// <summary>The number of the first entry shown.</summary>
        public long From { get; }

        /// <summary>What the tenant may read of it. A host that runs other software could withhold some.</summary>
        public ImmutableArray<IntegrityOpening> Openings { get; }
    }

    /// <summary>It is not.</summary>
    public sealed class Refused : IntegrityReading
    {
        internal Refused(IntegrityRefusalCode code, string sentence)
        {
            Code = code;
            Sentence = sentence;
        }

        /// <summary>The kind of reason.</summary>
        public IntegrityRefusalCode Code { get; }

        /// <summary>For people.</summary>
        public string Sentence { get; }
    }
}

/// <summary>Every reason against a part of a log, in the order of the checks. Closed.</summary>
public enum IntegrityRefusalCode
{
    /// <summary>It goes on from a position that this verifier was never at.</summary>
    OtherPosition = 1,

    /// <summary>It has too few or too many entries, or not the boot's own.</summary>
    Incomplete,

    /// <summary>Its entries do not give the head.</summary>
    Mismatch,

    /// <summary>In the same boot this verifier saw another log.</summary>
    Rewritten,

    /// <summary>An opening does not open the commitment at its number.</summary>
    FalseOpening,

    /// <summary>An opening is of an entry that does not concern the reader.</summary>
    ForeignOpening,
}
