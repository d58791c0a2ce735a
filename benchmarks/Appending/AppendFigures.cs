using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Benchmarks.Appending;

/// <summary>Durable appends through the Master's own writer, singly and in batches, beside the bare store and disk.
/// </summary>
internal sealed class AppendFigures(string directory, Effort effort)
{
    private const int BatchSize = 256;

    private static readonly Goal OneOverSqlite = new(4,
        "an append checks two signatures, the policy and its own checkpoint, and signs that: three more commits' time");

    private static readonly Goal OneOverDisk = new(8,
        "a database writes its index and log pages as well as the bytes; publishing is done by hand");

    private static readonly Goal BatchOverSqlite = new(40,
        "without a disk to wait for, each row costs two signature checks, which are as dear as tens of rows");

    private static readonly Goal BatchOverWork = new(2,
        "whatever is neither signature check nor row may cost no more than these two");

    internal async Task<IReadOnlyList<Figure>> Measure()
    {
        using var files = PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, directory);
        await using var board = await BenchBoard.Open(files);
        using var bare = new BareStore(files);
        using var disk = new BareFile(directory);
        return [.. await Singly(board, bare, disk), .. await InBatches(board, bare)];
    }

    private async Task<IReadOnlyList<Figure>> Singly(BenchBoard board, BareStore bare, BareFile disk)
    {
        var count = effort.Count(100);
        var rounds = Statements(board, count);
        var medians = await Race.Run(effort,
            Race.Timed(count, async round =>
            {
                foreach (var envelope in rounds[round])
                {
                    await board.Append(envelope);
                }
            }),
            Race.Timed(count, round =>
            {
                foreach (var envelope in rounds[round])
                {
                    bare.Append(envelope);
                }
            }),
            Race.Timed(count, round =>
            {
                foreach (var envelope in rounds[round])
                {
                    disk.Append(envelope);
                }
            }));
        return
        [
            Figure.Rate("ledger.append", medians[0], "SQLite, one row a commit", medians[1], OneOverSqlite),
            Figure.Rate("ledger.append-disk", medians[0], "fdatasync of the same bytes", medians[2], OneOverDisk),
        ];
    }

    private async Task<IReadOnlyList<Figure>> InBatches(BenchBoard board, BareStore bare)
    {
        var batches = effort.Count(3);
        var count = batches * BatchSize;
        var rounds = Statements(board, count);
        var check = new BareChecks(board.Tenant);
        var medians = await Race.Run(effort,
            Race.Timed(count, async round =>
            {
                foreach (var batch in rounds[round].Chunk(BatchSize))
                {
                    await board.Append(batch);
                }
            }),
            Race.Timed(count, round =>
            {
                foreach (var batch in rounds[round].Chunk(BatchSize))
                {
                    bare.Append(batch);
                }
            }),
            Race.Timed(count, _ => check.Run(count)));
        return
        [
            Figure.Rate("ledger.append-256", medians[0], "SQLite, 256 rows a commit", medians[1], BatchOverSqlite),
            Figure.Rate("ledger.append-256-work", medians[0], "SQLite and two bare P-256 verifies a row",
                medians[1] + medians[2], BatchOverWork),
        ];
    }

    private byte[][][] Statements(BenchBoard board, int count) =>
    [
        .. Enumerable.Range(0, effort.All)
            .Select(_ => Enumerable.Range(0, count).Select(_ => board.Tenant.Volume()).ToArray()),
    ];
}

/// <summary>The signature checks of a statement and nothing else, with keys that are open already.</summary>
internal sealed class BareChecks
{
    private readonly byte[] _data;
    private readonly (PublicKey Key, byte[] Signature)[] _pairs;

    internal BareChecks(SigningParty party)
    {
        _data = Envelope.PreAuthEncoding(StatementPayload.MediaType, party.VolumePayload());
        _pairs = [.. party.Signing.Select(key => (key.PublicKey, key.Sign(_data)))];
    }

    /// <summary>Checks as many statements' signatures.</summary>
    internal void Run(int statements)
    {
        for (var i = 0; i < statements; i++)
        {
            foreach (var (key, signature) in _pairs)
            {
                if (!key.Verifies(_data, signature))
                {
                    throw new BenchException("A good signature was refused.");
                }
            }
        }
    }
}
