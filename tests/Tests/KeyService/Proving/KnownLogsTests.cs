using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Known;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Tests.Attestation;
using Bailiwick.Tests.Attestation.BootLog;
using Bailiwick.Tests.Attestation.Enrolment;
using Bailiwick.Tests.Attestation.RuntimeLog;
using Bailiwick.Tests.Domains.KeyRelease;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.KeyService.Proving;

/// <summary>
/// A key service says what it holds of a host's logs, is shown the rest, and judges no tail whose beginning was not
/// accepted under the demands of now.
/// </summary>
public sealed class KnownLogsTests : IDisposable
{
    private const string NoViolations = "{kind: no-violations}";
    private static readonly SoftwareTpm Tpm = new();
    private static readonly TpmClockInfo Clock = new(1_000_000, 10, 5, true);
    private static readonly byte[] BootLog = new BootScene().Write();
    private static readonly byte[] Good = RuntimeScene.Good().Bytes;
    private static readonly byte[] Longer = [.. Good, .. File("/usr/bin/bash", "bash")];
    private readonly DeskBench _bench = new();

    public KnownLogsTests()
    {
        Demand(NoViolations, Proxy("proxy"));
        _bench.Enrolments.Keep(Tpm.Enrol(ReleaseScene.Bank, ReleaseScene.HostName(1)));
    }

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task After_the_first_proof_only_what_is_new_is_shown()
    {
        Assert.Null(Held());
        await Lent(Good);
        Assert.Equal(3, Held()?.Entries);
        await Lent(Longer, body => AssertTail(body, Longer[Good.Length..]));
        Assert.Equal(4, Held()?.Entries);
        await Lent(Longer, body => AssertTail(body, []));

        // What is shown for a key goes on from there too.
        byte[] more = [.. Longer, .. File("/usr/bin/bash", "bash")];
        Assert.IsType<RouteAnswer<SealedKeyBody>.Recorded>(await Release(more));
        Assert.Equal(5, Held()?.Entries);
    }

    [Fact]
    public async Task A_violation_in_a_tail_ends_the_lease_and_what_was_held_is_forgotten()
    {
        await Lent(Good);
        byte[] bad = [.. Good, .. Violation("/usr/bin/bash")];
        await Refused(bad);
        Assert.NotNull(_bench.Doubt(1));
        Assert.Null(Held());
        await Refused(bad);
        Assert.Null(Held());
        await Lent(Good);
        Assert.NotNull(Held());
    }

    [Fact]
    public async Task A_violation_shown_for_a_key_is_forgotten_likewise()
    {
        await Lent(Good);
        Assert.IsType<RouteAnswer<SealedKeyBody>.Refused>(await Release([.. Good, .. Violation("/usr/bin/bash")]));
        Assert.NotNull(_bench.Doubt(1));
        Assert.Null(Held());
    }

    [Fact]
    public async Task A_tail_that_was_not_quoted_ends_the_lease()
    {
        foreach (byte[] lie in (byte[][])[[], File("/usr/bin/cat", "cat"), Longer, [1]])
        {
            await Lent(Good);
            Assert.Null(_bench.Doubt(1));
            await Refused(Longer, body => body with { RuntimeLog = Convert.ToBase64String(lie) });
            Assert.NotNull(_bench.Doubt(1));
            Assert.Null(Held());
        }
    }

    [Theory]
    [InlineData(11, 5)]
    [InlineData(10, 6)]
    [InlineData(11, 0)]
    public async Task After_a_new_start_of_its_TPM_a_tail_ends_the_lease_and_whole_logs_do_not(
        int resets, int restarts)
    {
        TpmClockInfo started = new(1_000_001, (uint)resets, (uint)restarts, true);
        await Lent(Good);

        // A host that leaves out what is held of the start before.
        LeaseBody lie = Body(Longer, started, claimed: Clock);
        Assert.NotNull(lie.LogsAfter);
        await Refused(Longer, _ => lie);
        Assert.NotNull(_bench.Doubt(1));
        Assert.Null(Held());

        // And an honest one, whatever the key service says that it holds.
        await Lent(Good);
        await Lent(Longer, AssertWhole, started);
        Assert.Equal((resets, restarts), ((int?)Held()?.Resets, (int?)Held()?.Restarts));
        await Lent(Longer, body => AssertTail(body, []), started);
    }

    [Fact]
    public async Task A_tail_is_not_judged_by_demands_that_changed_under_it()
    {
        await Lent(Good);
        LeaseBody asked = Body(Longer);
        Assert.NotNull(asked.LogsAfter);
        Demand(NoViolations, Proxy("another proxy"));
        Assert.Equal("logs-not-held", (await Problem(asked)).Code);

        // Nothing was judged: that is silence. Asked whole, the host fails the new demand, and is not held.
        Assert.Null(_bench.Doubt(1));
        Assert.Null(Held());
        await Refused(Longer);
        Assert.NotNull(_bench.Doubt(1));
        Assert.Null(Held());

        // The other way: the policy was read anew and demands the same.
        Demand(NoViolations, Proxy("proxy"));
        await Lent(Good);
        Demand(NoViolations, Proxy("proxy"));
        await Lent(Longer, body => AssertTail(body, Longer[Good.Length..]));
    }

    [Fact]
    public async Task With_a_nonce_after_a_change_of_demands_nothing_is_said_to_be_held()
    {
        await Lent(Good);
        Assert.NotNull(Held());
        Demand(NoViolations);
        Assert.Null(Held());
        await Lent(Good);
        Assert.NotNull(Held());
    }

    [Fact]
    public async Task What_is_left_out_and_not_held_is_not_judged_and_lends_nothing()
    {
        await Lent(Good);
        LogsPosition held = Assert.IsType<LogsPosition>(Held());
        _bench.Proofs.Forget(ReleaseScene.HostName(1));
        LeaseBody Leaving(LeaseBody body) => body with
        {
            BootLog = "", RuntimeLog = Convert.ToBase64String(Longer[Good.Length..]), LogsAfter = held.Write(),
        };
        Assert.Equal("logs-not-held", (await Problem(Leaving(Body(Longer)))).Code);
        _bench.Clock.Move(Bailiwick.Domains.Leases.LeaseTable.Seconds + 1);
        Assert.NotNull(_bench.Doubt(1));
        Assert.Equal("logs-not-held", (await Problem(Leaving(Body(Longer)))).Code);
        Assert.NotNull(_bench.Doubt(1));
        await Lent(Longer);
        Assert.Equal("logs-not-held", (await Problem(Leaving(Body(Longer)))).Code);
        await Lent(Longer);
        LeaseBody malformed = Body(Longer) with { LogsAfter = JsonElement.Parse("{}"u8) };
        Assert.Equal("bad-document", (await Problem(malformed)).Code);
        Assert.NotNull(_bench.Doubt(1));
    }

    [Fact]
    public async Task A_host_that_no_statement_describes_any_more_is_forgotten()
    {
        await Lent(Good);
        Assert.NotNull(Held());
        var before = _bench.Snapshot;
        _bench.Snapshot = before with
        {
            Datacentre = Policies(NoViolations).With("alpine/hosts.yaml", "name: host-1\n", "name: host-9\n").Check()
                .Datacentre,
        };
        _bench.Proofs.Learn(ReleaseScene.HostName(2), null, _bench.Snapshot.Datacentre);
        _bench.Snapshot = before;
        Assert.Null(Held());
        await Lent(Good);
        _bench.Proofs.Learn(ReleaseScene.HostName(2), null, _bench.Snapshot.Datacentre);
        Assert.NotNull(Held());
    }

    [Fact]
    public async Task Another_hosts_request_in_its_name_makes_it_forget_nothing()
    {
        await Lent(Good);
        var given = Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(
            _bench.Desk.GiveNonce(DeskBench.Call(ReleaseScene.Host2)));
        ReleaseScene lie = Scene(Longer, Clock, given.Value);
        Assert.IsType<RouteAnswer<SealedKeyBody>.Refused>(await _bench.Desk.Release(
            DeskBench.Call(ReleaseScene.Host2),
            new ReleaseBody(JsonElement.Parse(lie.Request()), "", "", _bench.ShownLog, null)));
        Assert.NotNull(Held());
    }

    private static string Proxy(string content) =>
        $"{{kind: program, path: {RuntimeScene.Proxy}, digests: {{current: [{BootScene.Sha256(content)}]}}}}";

    private static Example Policies(params string[] demands) => ReleaseScene.Policies
        .With("bank/web.yaml", "  assurance: [software]\n", "  assurance: [software-tpm]\n  evidence:\n"
            + string.Concat(demands.Select(one => $"    - {one}\n")))
        .With("alpine/hosts.yaml", "name: host-1\n", $"name: host-1\ntpm: {{ek: {Tpm.EndorsementId.Hex}}}\n")
        .With("alpine/hosts.yaml", "assurance: software\n", "assurance: tpm\n");

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

    private static LeaseBody AssertTail(LeaseBody body, byte[] tail)
    {
        Assert.Equal(("", Convert.ToBase64String(tail)), (body.BootLog, body.RuntimeLog));
        Assert.NotNull(body.LogsAfter);
        return body;
    }

    private static LeaseBody AssertWhole(LeaseBody body)
    {
        Assert.Equal(Convert.ToBase64String(BootLog), body.BootLog);
        Assert.Null(body.LogsAfter);
        return body;
    }

    private void Demand(params string[] demands) =>
        _bench.Snapshot = _bench.Snapshot with { Datacentre = Policies(demands).Check().Datacentre };

    private NonceAnswer Given() => Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(
        _bench.Desk.GiveNonce(DeskBench.Call(ReleaseScene.Host1))).Value;

    private LogsPosition? Held() => Given().Held is { } held ? LogsPosition.Read(held) : null;

    /// <summary>What an honest host shows after it was told what is held.</summary>
    private static (string Boot, string Runtime, JsonElement? After) Logs(
        byte[] runtime, NonceAnswer given, TpmClockInfo clock)
    {
        EvidenceLogs shown = new EvidenceLogs(BootLog, runtime).Beyond(
            given.Held is { } held ? LogsPosition.Read(held) : null, new ReleaseScene().Claims().Boot, clock);
        return (Convert.ToBase64String(shown.BootLog.Span), Convert.ToBase64String(shown.RuntimeLog.Span),
            shown.After?.Write());
    }

    private static ReleaseScene Scene(byte[] runtime, TpmClockInfo clock, NonceAnswer given)
    {
        PcrValues registers = QuotedEvidence.RegistersOf(new EvidenceLogs(BootLog, runtime));
        return new ReleaseScene
        {
            Nonce = Convert.FromBase64String(given.Nonce),
            EndorsementKey = Tpm.EndorsementKey,
            Evidence = claims => claims.With(
                Tpm, Tpm.Quoting.Attest(
                    EvidenceDocument.Binding(claims).Bytes.ToArray(), EvidenceRegisters.Selection, registers)
                    with { Clock = clock },
                registers),
        };
    }

    private LeaseBody Body(byte[] runtime, TpmClockInfo? clock = null, TpmClockInfo? claimed = null)
    {
        NonceAnswer given = Given();
        ReleaseScene scene = Scene(runtime, clock ?? Clock, given);
        var (boot, tail, after) = Logs(runtime, given, claimed ?? clock ?? Clock);
        return new LeaseBody(
            given.Nonce, [DeskBench.Web.ToString()],
            JsonElement.Parse(EvidenceDocument.Write(scene.Claims(), ReleaseScene.Host1)), boot, tail, _bench.ShownLog,
            after, []);
    }

    private Task<RouteAnswer<SealedKeyBody>> Release(byte[] runtime)
    {
        NonceAnswer given = Given();
        var (boot, tail, after) = Logs(runtime, given, Clock);
        Assert.NotNull(after);
        return _bench.Desk.Release(
            DeskBench.Call(ReleaseScene.Host1),
            new ReleaseBody(
                JsonElement.Parse(Scene(runtime, Clock, given).Request()), boot, tail, _bench.ShownLog, after));
    }

    private async Task Lent(byte[] runtime, Func<LeaseBody, LeaseBody>? change = null, TpmClockInfo? clock = null)
    {
        Assert.Empty(await Verdict(runtime, change, clock));
        Assert.Null(_bench.Doubt(1));
    }

    private async Task Refused(byte[] runtime, Func<LeaseBody, LeaseBody>? change = null, TpmClockInfo? clock = null) =>
        Assert.NotEmpty(await Verdict(runtime, change, clock));

    private async Task<IEnumerable<string>> Verdict(
        byte[] runtime, Func<LeaseBody, LeaseBody>? change, TpmClockInfo? clock)
    {
        LeaseBody body = Body(runtime, clock);
        return Assert.Single(Assert.IsType<RouteAnswer<LeaseAnswer>.Ok>(await _bench.Leasing.Prove(
            DeskBench.Call(ReleaseScene.Host1), change?.Invoke(body) ?? body)).Value.Domains).Against;
    }

    private async Task<RouteProblem> Problem(LeaseBody body) => Assert.IsType<RouteAnswer<LeaseAnswer>.Refused>(
        await _bench.Leasing.Prove(DeskBench.Call(ReleaseScene.Host1), body)).Problem;
}
