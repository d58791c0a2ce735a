using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Bailiwick.Channel.Board;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Tests.Fakes;

/// <summary>
/// A board that a test makes honest or dishonest. A watch shows the leaves and the checkpoint of the moment and ends,
/// so each connection is one step of the script.
/// </summary>
internal sealed class ScriptedBoard(NoteKey log, ISigner signer) : ReadOnlyBoard
{
    private readonly List<(byte[] Salt, byte[] Envelope)> _leaves = [];

    /// <summary>The leaves whose envelopes are not shown.</summary>
    public HashSet<long> Withheld { get; } = [];

    /// <summary>Changes what a watch shows.</summary>
    public Func<IEnumerable<WatchEvent>, IEnumerable<WatchEvent>> Twist { get; set; } = shown => shown;

    /// <summary>Replaces the greeting, which is otherwise the newest checkpoint.</summary>
    public string? Greeting { get; set; }

    /// <summary>The number of connections so far.</summary>
    public int Connections { get; private set; }

    public NodeTable Nodes { get; private set; } = new();

    /// <summary>A log that goes on from the first leaves of this one.</summary>
    public ScriptedBoard Branch(int size)
    {
        var branch = new ScriptedBoard(log, signer);
        foreach (var (salt, envelope) in _leaves.Take(size))
        {
            branch.Append(envelope, salt);
        }

        return branch;
    }

    public ScriptedBoard Append(byte[] envelope, byte[]? salt = null)
    {
        salt ??= System.Security.Cryptography.RandomNumberGenerator.GetBytes(LedgerLimits.SaltBytes);
        _leaves.Add((salt, envelope));
        Nodes.Append(LeafCommitment.LeafHash(salt, envelope));
        return this;
    }

    public string Note() => Sign(Nodes.Size, Nodes.Root);

    public string Sign(long size, Digest32 root) =>
        Encoding.UTF8.GetString(new Checkpoint(log.Name, size, root).Sign(log, signer));

    public WatchEvent.Entry Show(int index)
    {
        var (salt, envelope) = _leaves[index];
        var commitment = LeafCommitment.Of(salt, envelope).Base64;
        return Withheld.Contains(index)
            ? new WatchEvent.Entry(index, commitment)
            : new WatchEvent.Entry(index, commitment, Convert.ToBase64String(salt), JsonElement.Parse(envelope));
    }

    public override Task<string> Checkpoint(CancellationToken cancel = default) => Task.FromResult(Greeting ?? Note());

    public override async IAsyncEnumerable<WatchEvent> Watch(
        long from, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        Connections++;
        await Task.Yield();
        var shown = Enumerable.Range((int)from, (int)Math.Max(0, Nodes.Size - from)).Select(WatchEvent (i) => Show(i))
            .Append(new WatchEvent.Checkpoint(Note()));
        foreach (var line in Twist(shown).ToArray())
        {
            yield return line;
        }
    }

    public override Task<ProofHashes> Consistency(long first, long second, CancellationToken cancel = default) =>
        second > Nodes.Size
            ? throw new BoardException("The log is shorter than that.")
            : Task.FromResult(new ProofHashes(
                [.. ConsistencyProof.Make(first, second, Nodes).Path.Select(hash => hash.Base64)]));
}
