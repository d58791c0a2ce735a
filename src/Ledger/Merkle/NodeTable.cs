namespace Bailiwick.Ledger.Merkle;

/// <summary>The hashes of all complete subtrees of a log, in memory: 2n hashes for n leaves. For one thread.</summary>
public sealed class NodeTable : INodeReader
{
    private readonly List<List<Digest32>> _levels = [];
    private CompactRange _range = CompactRange.Empty;

    /// <summary>The number of leaves.</summary>
    public long Size => _range.Size;

    /// <summary>The root of the tree (RFC 9162 section 2.1.1).</summary>
    public Digest32 Root => _range.Root();

    /// <summary>Appends a leaf hash (see <see cref="MerkleTree.LeafHash"/>).</summary>
    public void Append(Digest32 leafHash)
    {
        _range = _range.Append(leafHash, out var completed);
        foreach (var (address, hash) in completed)
        {
            if (address.Level == _levels.Count)
            {
                _levels.Add([]);
            }

            _levels[address.Level].Add(hash);
        }
    }

    /// <inheritdoc/>
    public Digest32? Find(NodeAddress address) =>
        address.Level >= 0 && address.Level < _levels.Count
        && address.Index >= 0 && address.Index < _levels[address.Level].Count
            ? _levels[address.Level][(int)address.Index]
            : null;
}
