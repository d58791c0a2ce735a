using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bailiwick.Channel.Board;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Tests.Proxy.Signed;

/// <summary>A log with a real tree and real checkpoints that takes any envelope, as a hostile Master's would.</summary>
internal sealed class TestLog(ECDsa key)
{
    private readonly EcdsaSigner _signer = new(key);
    private readonly List<WatchEvent.Entry> _entries = [];
    private readonly Lock _lock = new();
    private CompactRange _range = CompactRange.Empty;
    private TaskCompletionSource _changed = New();
    private PlacementRow[] _placements = [];

    public Task Changed
    {
        get
        {
            lock (_lock)
            {
                return _changed.Task;
            }
        }
    }

    public NoteKey Key => NoteKey.Of(SignedDatacentre.Origin, _signer.PublicKey);

    public void Append(params IEnumerable<byte[]> envelopes)
    {
        lock (_lock)
        {
            foreach (byte[] envelope in envelopes)
            {
                byte[] salt = RandomNumberGenerator.GetBytes(32);
                Digest32 commitment = LeafCommitment.Of(salt, envelope);
                _range = _range.Append(MerkleTree.LeafHash(commitment.Bytes), out _);
                _entries.Add(new WatchEvent.Entry(
                    _entries.Count, commitment.Base64, Convert.ToBase64String(salt), JsonElement.Parse(envelope)));
            }
        }

        Tell();
    }

    public void Place(params PlacementRow[] rows)
    {
        lock (_lock)
        {
            _placements = rows;
        }

        Tell();
    }

    public string Note()
    {
        lock (_lock)
        {
            return Encoding.UTF8.GetString(
                new Checkpoint(SignedDatacentre.Origin, _range.Size, _range.Root()).Sign(Key, _signer));
        }
    }

    /// <summary>Everything from an index on, as the watch stream tells it.</summary>
    public IReadOnlyList<WatchEvent> Events(long from)
    {
        lock (_lock)
        {
            return
            [
                .. _entries.Skip((int)from), new WatchEvent.Checkpoint(Note()),
                new WatchEvent.Placements([.. _placements]),
            ];
        }
    }

    public long Size
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Tell()
    {
        TaskCompletionSource told;
        lock (_lock)
        {
            told = _changed;
            _changed = New();
        }

        told.SetResult();
    }
}
