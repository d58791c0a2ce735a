using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Ledger.Receipts;

/// <summary>
/// Proof that a log holds a statement: what the statement commits to is a leaf of a tree whose root the log signed.
/// Only <see cref="Check"/> makes one.
/// </summary>
public sealed class LedgerReceipt
{
    private readonly byte[] _salt;

    private LedgerReceipt(
        VerifiedStatement statement, byte[] salt, VerifiedCheckpoint checkpoint, InclusionProof proof)
    {
        Statement = statement.Digest;
        _salt = salt;
        Checkpoint = checkpoint;
        Proof = proof;
    }

    /// <summary>The statement's digest.</summary>
    public Digest32 Statement { get; }

    /// <summary>The leaf's salt, 32 bytes.</summary>
    public ReadOnlySpan<byte> Salt => _salt;

    /// <summary>The leaf's index, from 0.</summary>
    public long Index => Proof.Index;

    /// <summary>The checkpoint that the statement is in.</summary>
    public VerifiedCheckpoint Checkpoint { get; }

    /// <summary>The path from the leaf to the checkpoint's root.</summary>
    public InclusionProof Proof { get; }

    /// <summary>Checks that the checkpoint's log holds the statement, in the envelope it was verified in.</summary>
    /// <param name="statement">The statement.</param>
    /// <param name="salt">The leaf's salt.</param>
    /// <param name="checkpoint">A checkpoint of the log.</param>
    /// <param name="proof">The inclusion proof for the checkpoint's size.</param>
    public static ReceiptVerdict Check(
        VerifiedStatement statement, ReadOnlySpan<byte> salt, VerifiedCheckpoint checkpoint, InclusionProof proof)
    {
        ArgumentNullException.ThrowIfNull(statement);
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(proof);
        if (salt.Length != LedgerLimits.SaltBytes)
        {
            return new ReceiptVerdict.Refused(
                ReceiptRefusal.InvalidSalt, $"A salt has {LedgerLimits.SaltBytes} bytes, not {salt.Length}.");
        }

        if (proof.Size != checkpoint.Size)
        {
            return new ReceiptVerdict.Refused(
                ReceiptRefusal.OtherSize, $"The proof is for a log of {proof.Size} leaves, not for {checkpoint}.");
        }

        return proof.Proves(LeafCommitment.LeafHash(salt, statement.EnvelopeBytes.Span), checkpoint.Root)
            ? new ReceiptVerdict.Given(new LedgerReceipt(statement, salt.ToArray(), checkpoint, proof))
            : new ReceiptVerdict.Refused(
                ReceiptRefusal.NotIncluded, $"{statement} is not leaf {proof.Index} of {checkpoint}.");
    }
}

/// <summary>Why a receipt is refused. Closed.</summary>
public enum ReceiptRefusal
{
    /// <summary>The salt has another length.</summary>
    InvalidSalt = 1,

    /// <summary>The proof is for another size than the checkpoint's.</summary>
    OtherSize,

    /// <summary>The proof does not lead from this statement to the checkpoint's root.</summary>
    NotIncluded,
}

/// <summary>
/// What <see cref="LedgerReceipt.Check"/> finds: <see cref="Given"/> or <see cref="Refused"/>.
/// </summary>
public abstract class ReceiptVerdict
{
    private ReceiptVerdict()
    {
    }

    /// <summary>The log holds the statement.</summary>
    public sealed class Given : ReceiptVerdict
    {
        internal Given(LedgerReceipt receipt) => Receipt = receipt;

        /// <summary>The proof of it.</summary>
        public LedgerReceipt Receipt { get; }
    }

    /// <summary>It is not shown that the log holds the statement.</summary>
    public sealed class Refused : ReceiptVerdict
    {
        internal Refused(ReceiptRefusal reason, string sentence)
        {
            Reason = reason;
            Sentence = sentence;
        }

        /// <summary>Why.</summary>
        public ReceiptRefusal Reason { get; }

        /// <summary>Why, for people.</summary>
        public string Sentence { get; }
    }
}
