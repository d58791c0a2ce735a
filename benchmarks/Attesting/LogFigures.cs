using System.Security.Cryptography;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;

namespace Bailiwick.Benchmarks.Attesting;

/// <summary>
/// A boot log of 48 KB parsed and replayed in the bank that is quoted, beside tpm2_eventlog on the same file; a runtime
/// log of 5,071 entries replayed; both beside their hashing alone and beside what they must reach.
/// </summary>
internal sealed class LogFigures(Effort effort, Action<string> tell)
{
    private const string BootLogFile = "bootlogs/keylime__binary_bios_measurements";
    private const string RuntimeLogFile = "ima/h12ssl.values.binary_runtime_measurements";
    private const string Tool = "/usr/bin/tpm2_eventlog";
    private const double BootLogSeconds = 100e-6, EntrySeconds = 1 / 500_000.0;

    private static readonly Goal
        OverHashes = new(1.5, "walking a log may cost half of what its hashing costs"),
        OverTool = new(0.1, "a verifier of thousands of hosts cannot start a program for each"),
        Reached = new(1, "the time that is asked of it");

    internal async Task<IReadOnlyList<Figure>> Measure() => [.. await BootLog(), .. await RuntimeLog()];

    private async Task<List<Figure>> BootLog()
    {
        byte[] bytes = await File.ReadAllBytesAsync(Vector(BootLogFile));
        int count = effort.Count(2000);
        int extends = Extends(bytes);
        List<Func<int, Task<double>>> contestants =
        [
            Race.Timed(count, _ => Race.Repeat(count, () => Replay(bytes))),
            Race.Timed(count, _ => Race.Repeat(count, () => Hash(64, extends))),
        ];
        if (File.Exists(Tool))
        {
            int starts = effort.Count(20);
            contestants.Add(Race.Timed(starts, _ => Race.Repeat(
                starts, () => ToolRun.Start(Tool, Checkout.Root, Vector(BootLogFile)))));
        }
        else
        {
            tell($"attestation: {Tool} is not here (package tpm2-tools); that comparison is left out");
        }

        double[] medians = await Race.Run(effort, contestants);
        List<Figure> figures =
        [
            Figure.Rate("attestation.bootlog", medians[0], "100 us for 45 KB", BootLogSeconds, Reached),
            Figure.Rate("attestation.bootlog-hashing", medians[0], $"its {extends} SHA-256 extends alone",
                medians[1], OverHashes),
        ];
        if (medians.Length > 2)
        {
            figures.Add(Figure.Rate("attestation.bootlog-tool", medians[0], "tpm2_eventlog", medians[2], OverTool));
        }

        return figures;
    }

    private async Task<Figure[]> RuntimeLog()
    {
        byte[] bytes = await File.ReadAllBytesAsync(Vector(RuntimeLogFile));
        RuntimeLogState start = RuntimeLogState.Start(TpmHash.Sha256);
        int entries = (int)RuntimeReplay.Of(start, bytes).State.Count.Entries, count = effort.Count(50);
        int average = (bytes.Length / entries) - 34;
        double[] medians = await Race.Run(effort,
            Race.Timed(count * entries, _ => Race.Repeat(count, () =>
            {
                if (RuntimeReplay.Of(start, bytes).Fault is not null)
                {
                    throw new BenchException("A good runtime log is refused.");
                }
            })),
            Race.Timed(count * entries, _ => Race.Repeat(count, () =>
            {
                Hash(average, entries);
                Hash(64, entries);
            })));
        return
        [
            Figure.Rate("attestation.runtimelog", medians[0], "500,000 entries a second", EntrySeconds, Reached),
            Figure.Rate("attestation.runtimelog-hashing", medians[0], "its two SHA-256 an entry alone", medians[1],
                OverHashes),
        ];
    }

    private static void Replay(byte[] bytes)
    {
        if (MeasuredBoot.Read(bytes) is not BootLogReading.Understood { Log: { } log })
        {
            throw new BenchException("A good boot log is refused.");
        }

        BootReplay.Of(log, TpmHash.Sha256);
    }

    private static int Extends(byte[] bytes) =>
        MeasuredBoot.Read(bytes) is BootLogReading.Understood { Log: { } log }
            ? Enumerable.Range(0, log.Count).Count(i => log[i].Extends && !log[i].Digest(TpmHash.Sha256).IsEmpty)
            : throw new BenchException("A good boot log is refused.");

    /// <summary>As many hashes, each going into the next as a PCR does.</summary>
    private static void Hash(int length, int count)
    {
        Span<byte> data = stackalloc byte[length];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < count; i++)
        {
            hash.AppendData(data);
            hash.GetHashAndReset(data);
        }
    }

    private static string Vector(string relative) => Path.Combine(Checkout.Root, "tests", "Vectors", relative);
}
