using System.Collections.Immutable;

namespace Bailiwick.Attestation.IntegrityLog;

/// <summary>
/// Whether a list of entries is the log that a head (from verified evidence, or from an earlier replay) stands for:
/// <see cref="Whole"/> or <see cref="Broken"/>.
/// </summary>
public abstract class IntegrityReplay
{
    private IntegrityReplay()
    {
    }

    /// <summary>Replays entries from a known head on, which must give the expected head exactly.</summary>
    /// <param name="known">Where the replay starts: <see cref="IntegrityHead.Empty"/> for the whole log.</param>
    /// <param name="lines">The canonical entries that follow it, in order.</param>
    /// <param name="expected">The head that the verifier has from evidence.</param>
    public static IntegrityReplay Run(
        IntegrityHead known, IEnumerable<ReadOnlyMemory<byte>> lines, IntegrityHead expected)
    {
        ArgumentNullException.ThrowIfNull(known);
        ArgumentNullException.ThrowIfNull(lines);
        ArgumentNullException.ThrowIfNull(expected);
        var head = known;
        var entries = ImmutableArray.CreateBuilder<IntegrityEntry>();
        foreach (var line in lines)
        {
            if (head.Entries >= expected.Entries)
            {
                return new Broken(head.Entries, "there are more entries than the head stands for");
            }

            if (IntegrityEntry.Read(line.Span) is not { } entry)
            {
                return new Broken(head.Entries, "it is not an entry in canonical form");
            }

            if (entry.Sequence != head.Entries)
            {
                return new Broken(head.Entries, $"its sequence is {entry.Sequence}");
            }

            head = head.Extend(entry);
            entries.Add(entry);
        }

        if (head.Entries != expected.Entries)
        {
            return new Broken(head.Entries, $"the log ends here, and the head stands for {expected.Entries} entries");
        }

        return head.Digest == expected.Digest
            ? new Whole(entries.ToImmutable(), head)
            : new Broken(head.Entries, "the chain hash is not the expected one: an entry before here was changed");
    }

    /// <summary>The entries give the head.</summary>
    public sealed class Whole : IntegrityReplay
    {
        internal Whole(ImmutableArray<IntegrityEntry> entries, IntegrityHead head)
        {
            Entries = entries;
            Head = head;
        }

        /// <summary>The entries, in order.</summary>
        public ImmutableArray<IntegrityEntry> Entries { get; }

        /// <summary>The head they give.</summary>
        public IntegrityHead Head { get; }
    }

    /// <summary>They do not.</summary>
    public sealed class Broken : IntegrityReplay
    {
        internal Broken(long at, string clause)
        {
            At = at;
            Clause = clause;
        }

        /// <summary>The number of the entry where it shows.</summary>
        public long At { get; }

        /// <summary>What is wrong there.</summary>
        public string Clause { get; }
    }
}
