using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Receipts;

namespace Bailiwick.Tests.Ledger.Checkpoints;

/// <summary>A small log with its own key, kept in memory.</summary>
internal sealed class LogUnderTest
{
    public const string Origin = "log.example/bailiwick";

    private readonly EcdsaSigner _signer;

    public LogUnderTest(EcdsaSigner? signer = null)
    {
        _signer = signer ?? new EcdsaSigner(ECDsa.Create(ECCurve.NamedCurves.nistP256));
        Key = NoteKey.Of(Origin, _signer.PublicKey);
    }

    public NoteKey Key { get; }

    public EcdsaSigner Signer => _signer;

    public NodeTable Nodes { get; } = new();

    public List<LedgerEntry> Entries { get; } = [];

    public static byte[] Salt(int seed)
    {
        var salt = new byte[LedgerLimits.SaltBytes];
        BinaryPrimitives.WriteInt32LittleEndian(salt, seed);
        return SHA256.HashData(salt);
    }

    public LogUnderTest Append(params string[] envelopes)
    {
        foreach (var envelope in envelopes)
        {
            Append(Encoding.UTF8.GetBytes(envelope));
        }

        return this;
    }

    public void Append(byte[] envelope)
    {
        var entry = new LedgerEntry(Salt(Entries.Count), envelope);
        Entries.Add(entry);
        Nodes.Append(LeafCommitment.LeafHash(entry.Salt.Span, entry.Envelope.Span));
    }

    public byte[] Note() => new Checkpoint(Origin, Nodes.Size, Nodes.Root).Sign(Key, _signer);

    public VerifiedCheckpoint Head() => Open(Note());

    public VerifiedCheckpoint Open(byte[] note) =>
        Assert.IsType<CheckpointVerdict.Opened>(Checkpoint.Open(note, Key, Origin)).Checkpoint;
}
