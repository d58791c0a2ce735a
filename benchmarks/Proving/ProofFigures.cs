using System.Globalization;
using System.Security.Cryptography;
using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Merkle;

namespace Bailiwick.Benchmarks.Proving;

/// <summary>Proofs made and verified, beside the SHA-256 of 65 bytes that they cannot do without.</summary>
internal sealed class ProofFigures(Effort effort)
{
    // No power of two, so that the right edge has to be hashed as in a log that grows.
    private const int FullSize = 100_003;
    private const long Stride = 40_503;

    private static readonly Goal OverHashes = new(2,
        "finding the stored hashes may cost as much as the hashing, and no more");

    internal async Task<IReadOnlyList<Figure>> Measure()
    {
        var size = Math.Max(1003, effort.Count(FullSize));
        var nodes = new NodeTable();
        List<Digest32> leaves = [], roots = [];
        for (var i = 0; i < size; i++)
        {
            leaves.Add(MerkleTree.LeafHash(BitConverter.GetBytes(i)));
            nodes.Append(leaves[i]);
        }

        var count = effort.Count(5000);
        long[] places = [.. Enumerable.Range(0, count).Select(i => (i + 1) * Stride % (size - 1))];
        roots.AddRange(places.Select(place => MerkleTree.Root(place + 1, nodes)));
        return [await Inclusion(nodes, leaves, places), await Consistency(nodes, roots, places)];
    }

    private async Task<Figure> Inclusion(NodeTable nodes, List<Digest32> leaves, long[] places)
    {
        var root = nodes.Root;
        var medians = await Race.Run(effort,
            Race.Timed(places.Length, _ =>
            {
                foreach (var place in places)
                {
                    BenchException.Unless(
                        InclusionProof.Make(place, nodes.Size, nodes).Proves(leaves[(int)place], root));
                }
            }),
            Hashing(places.Length, places.Sum(place => HashCount.Inclusion(place, nodes.Size)), out var each));
        return Figure.Rate("ledger.inclusion", medians[0], each, medians[1], OverHashes);
    }

    private async Task<Figure> Consistency(NodeTable nodes, List<Digest32> roots, long[] places)
    {
        var root = nodes.Root;
        var medians = await Race.Run(effort,
            Race.Timed(places.Length, _ =>
            {
                for (var i = 0; i < places.Length; i++)
                {
                    BenchException.Unless(
                        ConsistencyProof.Make(places[i] + 1, nodes.Size, nodes).Proves(roots[i], root));
                }
            }),
            Hashing(places.Length, places.Sum(place => HashCount.Consistency(place + 1, nodes.Size)), out var each));
        return Figure.Rate("ledger.consistency", medians[0], each, medians[1], OverHashes);
    }

    private static Func<int, Task<double>> Hashing(int proofs, long hashes, out string each)
    {
        each = string.Create(
            CultureInfo.InvariantCulture, $"its {(double)hashes / proofs:0} SHA-256 of 65 bytes alone");
        return Race.Timed(proofs, _ =>
        {
            Span<byte> data = stackalloc byte[1 + (2 * Digest32.Length)];
            for (var i = 0L; i < hashes; i++)
            {
                // Each hash goes into the next, as it does up a tree.
                SHA256.HashData(data, data[1..(1 + Digest32.Length)]);
            }
        });
    }
}
