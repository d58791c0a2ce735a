using System.Globalization;
using Bailiwick.Channel.Board;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// A log as it was read: each leaf hashed again from what was shown, and each statement verified again. Made the same
/// way from the board's pages and from an export, so that both are judged by the same code.
/// </summary>
internal sealed class LedgerReading
{
    private readonly List<string> _faults = [];
    private readonly List<CompactRange> _prefixes = [CompactRange.Empty];

    private readonly Dictionary<Digest32, (long Index, byte[] Salt, byte[] Envelope)> _receipts = [];

    /// <summary>What is wrong, each with the leaf it is wrong at.</summary>
    internal IReadOnlyList<string> Faults => _faults;

    /// <summary>Leaves read.</summary>
    internal long Size => _prefixes[^1].Size;

    /// <summary>Leaves whose content was shown to the reader.</summary>
    internal int Opened { get; private set; }

    /// <summary>The statements that hold.</summary>
    internal StatementBook Book { get; private set; } = StatementBook.Empty;

    /// <summary>The leaf by which a key service told of a receipt, by the receipt's digest; null for none.</summary>
    internal (long Index, byte[] Salt, byte[] Envelope)? LeafOf(Digest32 receipt) =>
        _receipts.TryGetValue(receipt, out var leaf) ? leaf : null;

    /// <summary>Takes the next leaf.</summary>
    internal void Take(BoardEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        if (entry.Index != Size || !Digest32.TryParseBase64(entry.Commitment, out Digest32? commitment))
        {
            Fault(entry.Index, $"is no leaf, or not the leaf after {Size - 1}");
            return;
        }

        _prefixes.Add(_prefixes[^1].Append(MerkleTree.LeafHash(commitment.Bytes), out _));
        if (entry.Envelope is not { } shown)
        {
            return;
        }

        Opened++;
        byte[] envelope = CanonicalJson.Write(shown);
        if (!StrictBase64.TryDecode(entry.Salt, LedgerLimits.SaltBytes, out byte[]? salt)
            || salt.Length != LedgerLimits.SaltBytes || LeafCommitment.Of(salt, envelope) != commitment)
        {
            Fault(entry.Index, "shows something else than it is");
            return;
        }

        switch (Book.Consider(envelope))
        {
            case StatementVerdict.Accepted accepted:
                Book = accepted.Next;
                if (KeyChangeNotice.Read(accepted.Statement)?.Receipt is { } receipt)
                {
                    _receipts[receipt] = (entry.Index, salt, envelope);
                }

                break;
            case StatementVerdict.Repeated:
                break;
            case StatementVerdict.Refused refused:
                Fault(entry.Index, $"holds a statement that is refused, {refused.Reason}: {refused.Sentence}");
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <summary>The root over the first <paramref name="size"/> leaves, or null when fewer were read.</summary>
    internal Digest32? RootAt(long size) => size < _prefixes.Count ? _prefixes[(int)size].Root() : null;

    private void Fault(long leaf, string sentence) =>
        _faults.Add(string.Create(CultureInfo.InvariantCulture, $"leaf {leaf} {sentence}"));
}
