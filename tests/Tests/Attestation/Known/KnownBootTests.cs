using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Known;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;
using Bailiwick.Tests.Attestation.BootLog;
using Bailiwick.Tests.Attestation.RuntimeLog;

namespace Bailiwick.Tests.Attestation.Known;

/// <summary>A tail of the logs is worth what the whole would be, and nothing without what it goes on from.</summary>
public sealed class KnownBootTests
{
    private const string Subject = "host";
    private static readonly Guid Boot = Guid.Parse("e0000000-0000-0000-0000-000000000000");
    private static readonly byte[] BootLog = new BootScene().Write();
    private static readonly byte[] Good = RuntimeScene.Good().Bytes;
    private static readonly IReadOnlyList<Predicate> Demands = [.. BootScene.Predicates, .. RuntimeScene.Predicates];
    private readonly KnownBoots<string> _known = new();

    [Fact]
    public void A_tail_is_judged_from_what_is_known()
    {
        KnownBoot first = Accepted(Good);
        Assert.Equal(3, first.Position.Entries);
        byte[] longer = [.. Good, .. File("/usr/bin/bash", "bash")];
        LogsReading.Explained read = Explained(Tail(first, longer), longer, first);
        Assert.True(read.Appraise(Demands).Holds);
        Assert.Equal(1, read.Runtime?.After.Count.Entries - read.Runtime?.Before.Count.Entries);
        _known.Take(Subject, read);
        Assert.Equal(Accepted(longer).Position, _known.Of(Subject)?.Position);

        // A round in which nothing ran.
        KnownBoot second = Assert.IsType<KnownBoot>(_known.Of(Subject));
        read = Explained(Tail(second, longer), longer, second);
        Assert.True(read.Appraise(Demands).Holds);
        _known.Take(Subject, read);
        Assert.Equal(second.Position, _known.Of(Subject)?.Position);
    }

    [Fact]
    public void Tails_come_to_what_the_whole_log_comes_to()
    {
        var random = new Random(11);
        for (int round = 0; round < 60; round++)
        {
            byte[] log = Good;
            KnownBoot? known = Accepted(log);
            for (int step = 0; step < 6; step++)
            {
                log = [.. log, .. Some(random)];
                LogsReading.Explained whole = Explained(Shown(log), log, null);
                LogsReading.Explained part = known is null ? whole : Explained(Tail(known, log), log, known);
                AppraisalReport wanted = whole.Appraise(Demands), got = part.Appraise(Demands);
                Assert.Equal(
                    wanted.Outcomes.Select(one => one.Satisfied), got.Outcomes.Select(one => one.Satisfied));
                Assert.Equal(wanted.Holds, got.Holds);
                _known.Take(Subject, part);
                Assert.Equal(got.Holds, _known.Of(Subject) is not null);
                known = _known.Of(Subject);
            }
        }
    }

    [Fact]
    public void Refuses_a_tail_that_is_not_the_one_that_was_quoted()
    {
        KnownBoot known = Accepted(Good);
        byte[] bash = File("/usr/bin/bash", "bash"), proxy = File(RuntimeScene.Proxy, "proxy");
        byte[] longer = [.. Good, .. bash, .. proxy], tail = longer[Good.Length..];
        EvidenceLogs honest = Tail(known, longer);
        Explained(honest, longer, known);
        foreach (byte[] lie in (byte[][])
            [[.. proxy, .. bash], bash, proxy, [], [.. tail[1..]], File("/usr/bin/cat", "cat"), Good])
        {
            AssertRefused(EvidenceRefusalCode.RuntimeLogMismatch, honest with { RuntimeLog = lie }, longer, known);
        }
    }

    [Fact]
    public void Refuses_what_goes_on_from_where_the_verifier_is_not()
    {
        KnownBoot known = Accepted(Good);
        byte[] longer = [.. Good, .. File("/usr/bin/bash", "bash")];
        EvidenceLogs honest = Tail(known, longer);
        LogsPosition position = known.Position;
        Explained(honest, longer, known);
        foreach (LogsPosition lie in (LogsPosition[])
        [
            position with { Boot = Guid.Empty }, position with { BootLog = Digest32.Of("another"u8) },
            position with { Entries = 2 }, position with { Entries = 4 }, position with { Resets = 9 },
            position with { Register = Digest32.Of("another"u8) }, position with { Restarts = 9 },
            Accepted(longer).Position,
        ])
        {
            AssertRefused(EvidenceRefusalCode.LogsPosition, honest with { After = lie }, longer, known);
        }

        // The verifier holds nothing, or of another host; a boot log is shown that is said to be known.
        AssertRefused(EvidenceRefusalCode.LogsPosition, honest, longer, null);
        AssertRefused(EvidenceRefusalCode.LogsPosition, honest, longer, Accepted(longer));
        AssertRefused(EvidenceRefusalCode.LogsPosition, honest with { BootLog = BootLog }, longer, known);

        // What is shown whole needs nothing, and may be shown to one who knows.
        Explained(Shown(longer), longer, null);
        Explained(Shown(longer), longer, known);
    }

    [Fact]
    public void Refuses_a_tail_after_a_new_start_of_the_host_or_its_TPM()
    {
        KnownBoot known = Accepted(Good);
        byte[] longer = [.. Good, .. File("/usr/bin/bash", "bash")];
        EvidenceLogs honest = Tail(known, longer);
        Explained(honest, longer, known);
        foreach (QuotedMoment moment in (QuotedMoment[])
        [
            Moment(longer) with { Boot = Guid.Empty },
            Moment(longer) with { Clock = new TpmClockInfo(2, 2, 0, true) },
            Moment(longer) with { Clock = new TpmClockInfo(2, 1, 1, true) },
        ])
        {
            Assert.Equal([EvidenceRefusalCode.LogsPosition], Refusals(LogsReading.Judge(honest, moment, known)));
            Assert.IsType<LogsReading.Explained>(LogsReading.Judge(Shown(longer), moment, known));
        }
    }

    [Fact]
    public void What_was_not_accepted_is_never_gone_on_from()
    {
        foreach (byte[] bad in (byte[][])[Violation("/usr/bin/bash"), File("/usr/bin/cat", "cat")])
        {
            KnownBoot known = Accepted(Good);
            byte[] longer = [.. Good, .. bad];
            LogsReading.Explained read = Explained(Tail(known, longer), longer, known);
            Assert.False(read.Appraise(Demands).Holds);
            _known.Take(Subject, read);
            Assert.Null(_known.Of(Subject));
        }

        // One demand of several that is not met is enough; and refused logs forget as well.
        _known.Take(Subject, Judged(Good, Demands));
        Assert.NotNull(_known.Of(Subject));
        LogsReading.Explained mixed = Judged(Good, Demands);
        mixed.Appraise([new Predicate.SecureBoot(On: false)]);
        _known.Take(Subject, mixed);
        Assert.Null(_known.Of(Subject));
        _known.Take(Subject, Judged(Good, Demands));
        _known.Take(Subject, LogsReading.Judge(Shown(Good), Moment([.. Good, .. Good]), null));
        Assert.Null(_known.Of(Subject));
    }

    [Fact]
    public void A_tail_says_nothing_to_demands_under_which_its_beginning_was_not_judged()
    {
        IReadOnlyList<Predicate> anew = [.. RuntimeScene.Predicates.Select(Reread)];
        IReadOnlyList<Predicate> stricter =
            [new Predicate.RuntimeFiles(null, ReferenceSet.Of([BootScene.Sha256("bash")]), [])];
        KnownBoot known = Known(Judged(Good, RuntimeScene.Predicates));
        Assert.True(known.Covers([RuntimeScene.Predicates, anew, []]));
        Assert.False(known.Covers([stricter]));
        Assert.False(known.Covers([RuntimeScene.Predicates, [.. RuntimeScene.Predicates.Take(2)]]));

        byte[] longer = [.. Good, .. File("/usr/bin/bash", "bash")];
        LogsReading.Explained read = Explained(Tail(known, longer), longer, known);
        Assert.True(read.Appraise(anew).Holds);
        Assert.False(read.Appraise(stricter).Holds);
        Assert.False(read.Appraise([new Predicate.NoViolations()]).Holds);

        // The same, shown whole, is judged by what it is.
        Assert.True(Explained(Shown(longer), longer, known).Appraise([new Predicate.NoViolations()]).Holds);
    }

    [Fact]
    public void What_is_known_of_a_boot_is_judged_by_the_registers_that_are_quoted_now()
    {
        IReadOnlyList<Predicate> register = [new Predicate.Pcr(14, ReferenceSet.Of([new string('0', 64)]))];
        LogsReading.Explained first = Judged(Good, BootScene.Predicates);
        Assert.True(first.Appraise(register).Holds);
        KnownBoot known = Known(first);
        EvidenceLogs tail = Tail(known, Good);
        Assert.True(Explained(tail, Good, known).Appraise(register).Holds);

        // Something measured itself into 14, which no log has to explain; and into 4, which one must.
        LogsReading.Explained later = Assert.IsType<LogsReading.Explained>(
            LogsReading.Judge(tail, Moment(Good, (14, new byte[31])), known));
        Assert.False(later.Appraise(register).Holds);
        Assert.DoesNotContain(14, later.Boot?.Boot.Pcrs ?? []);
        Assert.True(later.Appraise(BootScene.Predicates).Holds);
        Assert.Equal(
            [EvidenceRefusalCode.BootLogMismatch],
            Refusals(LogsReading.Judge(tail, Moment(Good, (4, new byte[31])), known)));

        // What the log explained no longer is no fact any more.
        LogsReading.Explained moved = Assert.IsType<LogsReading.Explained>(
            LogsReading.Judge(tail, Moment(Good, (9, new byte[31])), known));
        LogsReading.Explained whole = Assert.IsType<LogsReading.Explained>(
            LogsReading.Judge(Shown(Good), Moment(Good, (9, new byte[31])), null));
        Assert.Equal(whole.Boot?.All.Length, moved.Boot?.All.Length);
        Assert.Equal(
            whole.Appraise(BootScene.Predicates).Outcomes.Select(one => one.Satisfied),
            moved.Appraise(BootScene.Predicates).Outcomes.Select(one => one.Satisfied));
        Assert.False(moved.Appraise(BootScene.Predicates).Holds);
    }

    [Fact]
    public void A_host_leaves_out_only_what_can_be_of_this_boot()
    {
        byte[] longer = [.. Good, .. File("/usr/bin/bash", "bash")];
        LogsPosition held = Accepted(Good).Position;
        EvidenceLogs rest = Shown(longer).Beyond(held, Boot, Clock);
        Assert.Equal((true, longer.Length - Good.Length), (rest.BootLog.IsEmpty, rest.RuntimeLog.Length));
        Assert.Equal(held, rest.After);
        foreach (LogsPosition? other in (LogsPosition?[])
        [
            null, held with { Boot = Guid.Empty }, held with { Resets = 2 }, held with { Restarts = 1 },
            held with { BootLog = Digest32.Of("another"u8) }, held with { Entries = 5 },
        ])
        {
            Assert.Equal(Shown(longer), Shown(longer).Beyond(other, Boot, Clock));
        }

        Assert.Equal(Shown(longer), Shown(longer).Beyond(held, Boot, null));
        byte[] broken = longer[..^1];
        Assert.Equal(Shown(broken), Shown(broken).Beyond(held with { Entries = 4 }, Boot, Clock));
    }

    [Fact]
    public void Who_left_is_forgotten_and_too_long_a_boot_log_is_not_held()
    {
        foreach (string host in (string[])["host-1", "host-2", "host-3"])
        {
            _known.Take(host, Judged(Good, Demands));
        }

        _known.Keep(new HashSet<string> { "host-2", "host-4" });
        Assert.Equal(1, _known.Count);
        Assert.NotNull(_known.Of("host-2"));
        byte[] large = new BootScene
        {
            AtEnd = log => log.Add(14, BootEventType.Ipl, new byte[KnownBoot.MostBootLogBytes]),
        }.Write();
        LogsReading.Explained read = Assert.IsType<LogsReading.Explained>(LogsReading.Judge(
            new EvidenceLogs(large, default), new QuotedMoment(Boot, Clock, Quoted(large, Good)), null));
        _known.Take("host-2", read);
        Assert.Equal(0, _known.Count);
    }

    [Fact]
    public void A_position_is_read_as_it_is_written_and_in_no_other_form()
    {
        LogsPosition position = Accepted(Good).Position;
        string text = position.Write().GetRawText();
        Assert.Equal(position, LogsPosition.Read(position.Write()));
        foreach ((string part, string lie) in ((string, string)[])
        [
            ("\"entries\":3", "\"entries\":-1"), ("\"entries\":3", "\"entries\":\"3\""), ("\"resets\":1", "\"more\":1"),
            ("\"bootLog\":\"", "\"bootLog\":\"0"), ("\"boot\":\"e", "\"boot\":\"E"), ("{", "{\"more\":1,"),
        ])
        {
            Assert.Contains(part, text, StringComparison.Ordinal);
            Assert.Null(LogsPosition.Read(JsonElement.Parse(text.Replace(part, lie, StringComparison.Ordinal))));
        }
    }

    private static TpmClockInfo Clock { get; } = new(1, 1, 0, true);

    private static byte[] Some(Random random) => random.Next(20) switch
    {
        0 => Violation("/usr/bin/bash"),
        1 => File("/usr/bin/cat", "cat"),
        2 => [],
        < 10 => File(RuntimeScene.Proxy, "proxy"),
        _ => [.. File("/usr/bin/bash", "bash"), .. File("/usr/bin/bash", "bash")],
    };

    private static byte[] File(string path, string content)
    {
        RuntimeScene scene = new();
        scene.File(path, content);
        return scene.Bytes;
    }

    private static byte[] Violation(string path)
    {
        RuntimeScene scene = new();
        scene.Violation(path);
        return scene.Bytes;
    }

    private static Predicate Reread(Predicate one) => one switch
    {
        Predicate.RuntimeFiles files => files with { Digests = ReferenceSet.Of(files.Digests?.Current ?? []) },
        Predicate.Program program => program with { Digests = ReferenceSet.Of(program.Digests.Current) },
        _ => one with { },
    };

    private static EvidenceLogs Shown(byte[] runtime) => new(BootLog, runtime);

    private static EvidenceLogs Tail(KnownBoot known, byte[] runtime) =>
        Shown(runtime).Beyond(known.Position, Boot, Clock);

    private static QuotedPcrs Quoted(byte[] boot, byte[] runtime, params (int Register, byte[] Value)[] others) =>
        QuotedPcrs.Of(TpmHash.Sha256, QuotedEvidence.RegistersOf(new EvidenceLogs(boot, runtime)).All.Select(
            value => KeyValuePair.Create(
                value.Register,
                others.FirstOrDefault(one => one.Register == value.Register) is { Value: { } other }
                    ? new ReadOnlyMemory<byte>([1, .. other]) : value.Value)));

    private static QuotedMoment Moment(byte[] runtime, params (int Register, byte[] Value)[] others) =>
        new(Boot, Clock, Quoted(BootLog, runtime, others));

    private static LogsReading.Explained Explained(EvidenceLogs shown, byte[] runtime, KnownBoot? known) =>
        Assert.IsType<LogsReading.Explained>(LogsReading.Judge(shown, Moment(runtime), known));

    private static LogsReading.Explained Judged(byte[] runtime, IReadOnlyList<Predicate> demands)
    {
        LogsReading.Explained read = Explained(Shown(runtime), runtime, null);
        read.Appraise(demands);
        return read;
    }

    private static KnownBoot Known(LogsReading.Explained read) => Assert.IsType<KnownBoot>(KnownBoot.After(read));

    private static KnownBoot Accepted(byte[] runtime) => Known(Judged(runtime, Demands));

    private static void AssertRefused(
        EvidenceRefusalCode code, EvidenceLogs shown, byte[] runtime, KnownBoot? known) =>
        Assert.Equal([code], Refusals(LogsReading.Judge(shown, Moment(runtime), known)));

    private static IEnumerable<EvidenceRefusalCode> Refusals(LogsReading reading) =>
        Assert.IsType<LogsReading.Refused>(reading).Refusals.Select(refusal => refusal.Code);
}
