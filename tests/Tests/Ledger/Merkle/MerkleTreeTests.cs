using System.Text;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Tests.Ledger.Merkle;

public sealed class MerkleTreeTests
{
    private const int Largest = 67;

    [Fact]
    public void Makes_the_roots_of_the_definition()
    {
        var table = new NodeTable();
        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", table.Root.Hex);
        var range = CompactRange.Empty;
        for (var size = 1; size <= Largest; size++)
        {
            table.Append(Leaf(size - 1));
            range = range.Append(Leaf(size - 1), out _);
            var expected = Definition(0, size);
            Assert.Equal(expected, table.Root);
            Assert.Equal(expected, range.Root());
            Assert.Equal(expected, MerkleTree.Root(size, table));
            Assert.Equal(expected, CompactRange.Resume(size, table).Root());
        }
    }

    [Fact]
    public void Resumes_at_every_size_and_appends_as_if_it_had_never_stopped()
    {
        var table = Table(Largest);
        for (var size = 0; size < Largest; size++)
        {
            var resumed = CompactRange.Resume(size, table).Append(Leaf(size), out var completed);
            Assert.Equal(Definition(0, size + 1), resumed.Root());
            Assert.All(completed, one => Assert.Equal(table.Find(one.Address), one.Hash));
        }
    }

    [Fact]
    public void Proves_the_inclusion_of_every_leaf_in_every_size_and_of_no_other()
    {
        var table = Table(Largest);
        for (var size = 1; size <= Largest; size++)
        {
            var root = MerkleTree.Root(size, table);
            for (var index = 0; index < size; index++)
            {
                var proof = InclusionProof.Make(index, size, table);
                Assert.True(proof.Proves(Leaf(index), root));
                Assert.False(proof.Proves(Leaf(index + 1), root));
                Assert.False((proof with { Index = (index + 1) % size }).Proves(Leaf(index), root) && size > 1);
                Assert.False((proof with { Path = proof.Path.Add(root) }).Proves(Leaf(index), root));
                Assert.False((proof with { Path = [.. proof.Path.Skip(1)] }).Proves(Leaf(index), root) && size > 1);
                Assert.False(proof.Proves(Leaf(index), MerkleTree.Root(size - 1, table)));
            }
        }
    }

    [Fact]
    public void Proves_the_consistency_of_all_pairs_of_sizes_and_of_no_others()
    {
        var table = Table(Largest);
        var roots = Enumerable.Range(0, Largest + 1).Select(size => MerkleTree.Root(size, table)).ToArray();
        for (var second = 1; second <= Largest; second++)
        {
            for (var first = 1; first <= second; first++)
            {
                var proof = ConsistencyProof.Make(first, second, table);
                Assert.True(proof.Proves(roots[first], roots[second]), $"{first} to {second}");
                Assert.False(proof.Proves(roots[first - 1], roots[second]));
                Assert.False(proof.Proves(roots[first], roots[second - 1]));
                Assert.False((proof with { Path = proof.Path.Add(roots[0]) }).Proves(roots[first], roots[second]));
                Assert.False((proof with { OldSize = 0 }).Proves(roots[first], roots[second]));
                Assert.False((proof with { Path = default }).Proves(roots[first], roots[second]));
            }
        }
    }

    [Fact]
    public void Reads_few_hashes_for_a_proof()
    {
        var counted = new Counted(Table(1000));
        for (var index = 0; index < 1000; index += 37)
        {
            counted.Reads = 0;
            InclusionProof.Make(index, 1000, counted);
            Assert.InRange(counted.Reads, 1, 20);
            counted.Reads = 0;
            ConsistencyProof.Make(index + 1, 1000, counted);
            Assert.InRange(counted.Reads, 0, 20);
        }
    }

    [Fact]
    public void Refuses_to_prove_what_is_not_there()
    {
        var table = Table(5);
        Assert.Throws<ArgumentOutOfRangeException>(() => InclusionProof.Make(5, 5, table));
        Assert.Throws<ArgumentOutOfRangeException>(() => InclusionProof.Make(-1, 5, table));
        Assert.Throws<ArgumentOutOfRangeException>(() => ConsistencyProof.Make(6, 5, table));
        Assert.Throws<InvalidOperationException>(() => InclusionProof.Make(0, 9, table));
        Assert.Throws<InvalidOperationException>(() => ConsistencyProof.Make(4, 9, table));
        Assert.Throws<InvalidOperationException>(() => CompactRange.Resume(6, table));
    }

    [Fact]
    public void Commits_to_salt_and_envelope_apart_from_their_border()
    {
        var salt = new byte[LedgerLimits.SaltBytes];
        var commitment = LeafCommitment.Of(salt, "{}"u8);
        byte[] whole = [.. "bailiwick leaf v1\0"u8, .. salt, .. "{}"u8];
        Assert.Equal(Digest32.Of(whole), commitment);
        Assert.Equal(MerkleTree.LeafHash(commitment.Bytes), LeafCommitment.LeafHash(salt, "{}"u8));
        Assert.Throws<ArgumentException>(() => LeafCommitment.Of(salt.AsSpan(1), "{}"u8));
        Assert.Throws<ArgumentException>(() => LeafCommitment.Of(new byte[33], "{}"u8));
    }

    private static Digest32 Definition(int begin, int end)
    {
        if (end - begin == 1)
        {
            return Leaf(begin);
        }

        var split = 1;
        while (split * 2 < end - begin)
        {
            split *= 2;
        }

        return MerkleTree.NodeHash(Definition(begin, begin + split), Definition(begin + split, end));
    }

    private static NodeTable Table(int size)
    {
        var table = new NodeTable();
        for (var i = 0; i < size; i++)
        {
            table.Append(Leaf(i));
        }

        return table;
    }

    private static Digest32 Leaf(int index) => MerkleTree.LeafHash(Encoding.UTF8.GetBytes($"leaf {index}"));

    private sealed class Counted(INodeReader inner) : INodeReader
    {
        public int Reads { get; set; }

        public Digest32? Find(NodeAddress address)
        {
            Reads++;
            return inner.Find(address);
        }
    }
}
