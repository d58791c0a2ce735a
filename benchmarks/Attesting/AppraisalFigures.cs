using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Known;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Benchmarks.Figures;
using Bailiwick.Benchmarks.Measuring;

namespace Bailiwick.Benchmarks.Attesting;

/// <summary>
/// A whole appraisal (quote, boot log of 48 KB, demands) beside its bare ECDSA verify and its hashes, beside
/// tpm2_checkquote and tpm2_eventlog on the same inputs; the same host again by what is held of it; and 10,000 hosts
/// that prove themselves again, each by a quote of its own key and a runtime log that went on by two entries, on one
/// core.
/// </summary>
internal sealed class AppraisalFigures(Effort effort, Action<string> tell)
{
    private const int Hosts = 10_000, TailEntries = 2, RoundSeconds = 30, FleetRounds = 3;
    private const string Subject = "host";
    private const int Entries = 5_000, Sha1Bytes = 20;
    private const double AppraisalSeconds = 1 / 5_000.0;

    private static readonly Goal
        OverVerify = new(1.5, "reading and judging may cost half of what the signature and the hashes cost"),
        Reached = new(1, "the time that is asked of it"),
        OneCore = new(0.5, "one core must have as much again for everything else"),
        OverTools = new(0.1, "a verifier of thousands of hosts cannot start two programs for each");

    private static readonly byte[] Zeros = new byte[1024 * 1024];
    private readonly byte[] _log = File.ReadAllBytes(AttestedHost.BootLogFile);
    private readonly byte[] _runtime = RuntimeLog();

    internal async Task<IReadOnlyList<Figure>> Measure(string directory) =>
        [.. await Whole(directory), await Again(), await Fleet()];

    private async Task<IReadOnlyList<Figure>> Whole(string directory)
    {
        using AttestedHost host = new(_log, AttestedHost.Registers(
            _log, RuntimeLogState.Start(TpmHash.Sha256).Pcr10(TpmHash.Sha256)));
        using var keys = new VerifierKeyCache(16);
        Predicate[] demands = host.Demands;
        EvidenceLogs shown = new(_log, default);
        int count = effort.Count(2000);
        int[] hashed = host.HashedBytes;
        List<Func<int, Task<double>>> contestants =
        [
            Race.Timed(count, _ => Race.Repeat(
                count, () => Accepted(host.Read(shown, keys, null), demands))),
            Race.Timed(count, _ => Race.Repeat(count, () =>
            {
                BenchException.Unless(host.VerifyBare());
                Hash(hashed);
            })),
        ];
        string? checkQuote = ToolRun.Find("tpm2_checkquote"), eventLog = ToolRun.Find("tpm2_eventlog");
        if (checkQuote is not null && eventLog is not null)
        {
            host.WriteFor(directory);
            int starts = effort.Count(20);
            contestants.Add(Race.Timed(starts, _ => Race.Repeat(starts, () =>
            {
                ToolRun.Start(checkQuote, directory, host.CheckQuoteArguments);
                ToolRun.Start(eventLog, directory, AttestedHost.BootLogFile);
            })));
        }
        else
        {
            tell("attestation: tpm2_checkquote and tpm2_eventlog are not here (package tpm2-tools); that comparison is "
                + "left out");
        }

        double[] medians = await Race.Run(effort, contestants);
        List<Figure> figures =
        [
            Figure.Rate("attestation.appraisal", medians[0], $"one P-256 verify and its {hashed.Length} SHA-256",
                medians[1], OverVerify),
            Figure.Rate("attestation.appraisal-cold", medians[0], "5,000 appraisals a second", AppraisalSeconds,
                Reached),
        ];
        if (medians.Length > 2)
        {
            figures.Add(Figure.Rate(
                "attestation.appraisal-tools", medians[0], "tpm2_checkquote and tpm2_eventlog", medians[2], OverTools));
        }

        return figures;
    }

    /// <summary>The same host a moment later, by what is held of it.</summary>
    private async Task<Figure> Again()
    {
        using AttestedHost host = new(_log, AttestedHost.Registers(
            _log, RuntimeLogState.Start(TpmHash.Sha256).Pcr10(TpmHash.Sha256)));
        using var keys = new VerifierKeyCache(16);
        Predicate[] demands = host.Demands;
        KnownBoots<string> known = new();
        known.Take(Subject, Accepted(host.Read(new EvidenceLogs(_log, default), keys, null), demands));
        int count = effort.Count(2000);
        double[] medians = await Race.Run(
            effort, Race.Timed(count, _ => Race.Repeat(count, () =>
            {
                KnownBoot held = Held(known, Subject);
                known.Take(Subject, Accepted(
                    host.Read(new EvidenceLogs(default, default) { After = held.Position }, keys, held), demands));
            })));
        return Figure.Rate("attestation.appraisal-again", medians[0], "5,000 appraisals a second", AppraisalSeconds,
            Reached);
    }

    /// <summary>
    /// The processor's time, not the clock's: what one core has to do in a round, whatever else the machine does. What
    /// is kept of a host between rounds is its opened key, and what the services keep.
    /// </summary>
    private async Task<Figure> Fleet()
    {
        int hosts = effort.Count(Hosts);
        var (before, tail) = Parted();
        RuntimeLogState start = RuntimeLogState.Start(TpmHash.Sha256);
        RuntimeLogState middle = RuntimeReplay.Of(start, before).State;
        PcrValues first = AttestedHost.Registers(_log, middle.Pcr10(TpmHash.Sha256));
        PcrValues now = AttestedHost.Registers(_log, RuntimeReplay.Of(middle, tail).State.Pcr10(TpmHash.Sha256));
        using var keys = new VerifierKeyCache(2 * Hosts);
        AttestedHost[] fleet = [.. Enumerable.Range(0, hosts).Select(_ => new AttestedHost(_log, now))];
        try
        {
            using AttestedHost early = new(_log, first);
            Predicate[] demands = [.. early.Demands, new Predicate.RuntimeFiles(null, Known(), [])];
            KnownBoots<AttestedHost> held = new(), learned = new();
            LogsReading earlier = Accepted(early.Read(new EvidenceLogs(_log, before), keys, null), demands);
            Array.ForEach(fleet, host => held.Take(host, earlier));
            Effort few = effort with { Rounds = Math.Min(effort.Rounds, FleetRounds) };
            double[] medians = await Race.Run(few, Race.Worked(_ => Array.ForEach(fleet, host =>
            {
                KnownBoot known = Held(held, host);
                learned.Take(host, Accepted(
                    host.Read(new EvidenceLogs(default, tail) { After = known.Position }, keys, known), demands));
            })));
            BenchException.Unless(learned.Count == hosts);
            return Figure.Time(
                "attestation.fleet", medians[0] * Hosts / hosts, $"one core for {RoundSeconds} s", RoundSeconds,
                OneCore);
        }
        finally
        {
            Array.ForEach(fleet, host => host.Dispose());
        }
    }

    private static LogsReading Accepted(LogsReading reading, Predicate[] demands)
    {
        BenchException.Unless(reading is LogsReading.Explained explained && explained.Appraise(demands).Holds);
        return reading;
    }

    private static KnownBoot Held<TSubject>(KnownBoots<TSubject> known, TSubject subject)
        where TSubject : notnull => known.Of(subject) ?? throw new BenchException("A good host is forgotten.");

    /// <summary>The runtime log without its last entries, and those.</summary>
    private (byte[] Known, byte[] Tail) Parted()
    {
        var reader = new RuntimeLogReader(_runtime);
        List<int> ends = [0];
        while (reader.TryRead(out _))
        {
            ends.Add(reader.Position);
        }

        int at = ends[^(TailEntries + 1)];
        return (_runtime[..at], _runtime[at..]);
    }

    /// <summary>A runtime log as IMA writes one (template ima-ng, SHA-256), of as many files as a server runs.
    /// </summary>
    private static byte[] RuntimeLog()
    {
        using var log = new MemoryStream();
        using var writer = new BinaryWriter(log);
        for (int i = 0; i < Entries; i++)
        {
            byte[] path = Encoding.ASCII.GetBytes($"/usr/lib/x86_64-linux-gnu/library-{i}.so\0");
            byte[] field = [.. "sha256:\0"u8, .. SHA256.HashData(path)];
            byte[] data =
                [.. BitConverter.GetBytes(field.Length), .. field, .. BitConverter.GetBytes(path.Length), .. path];
            writer.Write(RuntimeLogLimits.Pcr);

            // The SHA-1 of the entry, for a bank that is not quoted; zeros would say that it was violated.
            writer.Write(Enumerable.Repeat((byte)1, Sha1Bytes).ToArray());
            writer.Write("ima-ng".Length);
            writer.Write("ima-ng"u8);
            writer.Write(data.Length);
            writer.Write(data);
        }

        return log.ToArray();
    }

    /// <summary>The digests of all files in the runtime log: what a tenant accepts of such a host.</summary>
    private ReferenceSet Known()
    {
        var reader = new RuntimeLogReader(_runtime);
        HashSet<string> digests = [];
        while (reader.TryRead(out RuntimeEntry entry))
        {
            if (entry.TryReadFile(out RuntimeFile file))
            {
                digests.Add(Convert.ToHexStringLower(file.Digest));
            }
        }

        return ReferenceSet.Of(digests);
    }

    private static void Hash(int[] lengths)
    {
        Span<byte> digest = stackalloc byte[32];
        foreach (int length in lengths)
        {
            SHA256.HashData(Zeros.AsSpan(0, length), digest);
        }
    }
}
