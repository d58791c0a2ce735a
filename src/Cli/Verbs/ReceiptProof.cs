using System.Text;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Custody;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Cli.Verbs;

/// <summary>Finds a receipt in the ledger, and puts what proves that into the receipt's own file.</summary>
internal static class ReceiptProof
{
    /// <summary>
    /// The receipt with its proof, and over how many leaves; null while the ledger has it not. The whole log is read
    /// and verified for it, so that the proof is of a log that holds.
    /// </summary>
    /// <exception cref="CustodyException">The log does not hold, or the board's proof does not.</exception>
    internal static async Task<(byte[] Document, long Leaves)?> Find(
        BoardDesk desk, byte[] receipt, Digest32 digest, PublicKey service, CancellationToken cancel)
    {
        NoteKey log = LedgerVerify.LogKey(desk);
        (LedgerReading reading, string note) = await LedgerVerify.ReadVerified(desk, cancel).ConfigureAwait(false);
        if (reading.LeafOf(digest) is not var (index, salt, change)
            || Checkpoint.Open(Encoding.UTF8.GetBytes(note), log, log.Name) is not CheckpointVerdict.Opened opened
            || index >= opened.Checkpoint.Size)
        {
            return null;
        }

        long size = opened.Checkpoint.Size;
        ProofHashes hashes = await desk.Board.Inclusion(index, size, cancel).ConfigureAwait(false);
        InclusionProof proof = new(index, size, [.. hashes.Hashes.Select(HashOf)]);
        byte[] document = ProvenReceipt.Write(receipt, change, salt, note, proof);
        return ProvenReceipt.Verify(document, service, log, out string fault) is not null
            ? (document, size)
            : throw new CustodyException($"The board's proof does not hold. {fault}");
    }

    private static Digest32 HashOf(string text) => Digest32.TryParseBase64(text, out Digest32? hash)
        ? hash : throw new CustodyException("A hash of the board's proof is none.");
}
