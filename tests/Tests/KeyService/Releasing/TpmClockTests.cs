using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.Policy;
using Bailiwick.Tests.Attestation;
using Bailiwick.Tests.Attestation.Enrolment;
using Bailiwick.Tests.Domains.KeyRelease;
using Bailiwick.Tests.Domains.Policy;
using Bailiwick.Tests.KeyService.Enrolling;

namespace Bailiwick.Tests.KeyService.Releasing;

/// <summary>
/// A TPM's counters only go on. What the desk saw of them at one proof or release is what the next is held against.
/// </summary>
public sealed class TpmClockTests : IDisposable
{
    private static readonly SoftwareTpm Tpm = new();
    private static readonly Example Policies = ReleaseScene.Policies
        .With("bank/web.yaml", "  assurance: [software]\n", "  assurance: [software-tpm]\n")
        .With("alpine/hosts.yaml", "name: host-1\n", $"name: host-1\ntpm: {{ek: {Tpm.EndorsementId.Hex}}}\n")
        .With("alpine/hosts.yaml", "assurance: software\n", "assurance: tpm\n");

    private static readonly TpmClockInfo Seen = new(1_000_000, 10, 5, true);
    private readonly DeskBench _bench = new();

    public TpmClockTests()
    {
        _bench.Snapshot = _bench.Snapshot with { Datacentre = Policies.Check().Datacentre };
        _bench.Enrolments.Keep(Tpm.Enrol(ReleaseScene.Bank, ReleaseScene.HostName(1)));
        _bench.Lend(1);
    }

    public void Dispose() => _bench.Dispose();

    public static TheoryData<long, int, int> After => new()
    {
        { 1_000_000, 10, 5 }, { 1_000_001, 10, 5 }, { 1, 11, 0 }, { 1, 11, 7 }, { 1_000_001, 10, 6 },
    };

    public static TheoryData<long, int, int> Before => new()
    {
        { 999_999, 10, 5 }, { 2_000_000, 9, 5 }, { 2_000_000, 9, 99 }, { 2_000_000, 10, 4 }, { 1, 10, 5 },
    };

    [Theory]
    [MemberData(nameof(After))]
    public async Task Releases_to_a_TPM_whose_counters_went_on(long clock, int resets, int restarts)
    {
        Assert.Empty(await Ask(Seen));
        Assert.Empty(await Ask(new TpmClockInfo((ulong)clock, (uint)resets, (uint)restarts, true)));
    }

    [Theory]
    [MemberData(nameof(Before))]
    public async Task Refuses_a_TPM_whose_counters_went_back_and_ends_the_lease(long clock, int resets, int restarts)
    {
        Assert.Empty(await Ask(Seen));
        string[] codes = await Ask(new TpmClockInfo((ulong)clock, (uint)resets, (uint)restarts, true));
        Assert.Contains("evidence-tpm-rolled-back", codes);
        Assert.NotNull(_bench.Doubt(1));
    }

    [Fact]
    public async Task Refused_evidence_is_no_new_mark_to_hold_others_against()
    {
        Assert.Empty(await Ask(Seen));
        Assert.NotEmpty(await Ask(new TpmClockInfo(9_000_000, 99, 5, true), new SoftwareTpm()));
        _bench.Lend(1);
        Assert.Empty(await Ask(Seen with { Clock = Seen.Clock + 1 }));
    }

    [Fact]
    public async Task The_TPM_that_comes_after_a_forgotten_one_is_held_against_its_own_counters_only()
    {
        SoftwareTpm next = new();
        HostRef host = ReleaseScene.HostOf(1);
        Assert.Empty(await Ask(Seen));
        Example changed = Policies.With("alpine/hosts.yaml", Tpm.EndorsementId.Hex, next.EndorsementId.Hex);
        _bench.Snapshot = _bench.Snapshot with { Datacentre = changed.Check().Datacentre };
        Assert.NotNull(_bench.Enrolments.Forget(
            ForgettingTests.Approved(host, _bench.Enrolments.BoundOf(host.ToString()))));
        Assert.Contains("evidence-not-enrolled", await Ask(new TpmClockInfo(7, 1, 0, true), next));
        Assert.NotNull(_bench.Enrolments.Keep(next.Enrol(ReleaseScene.Bank, host.ToString())));
        _bench.Lend(1);
        Assert.Empty(await Ask(new TpmClockInfo(7, 1, 0, true), next));
        Assert.Contains("evidence-tpm-rolled-back", await Ask(new TpmClockInfo(6, 1, 0, true), next));
    }

    [Fact]
    public async Task A_proof_and_a_release_share_one_mark()
    {
        Assert.Empty(await Ask(Seen));
        ReleaseScene scene = Scene(Seen with { Clock = Seen.Clock - 1 }, Tpm);
        LeaseBody body = new(
            Convert.ToBase64String(scene.Nonce), [DeskBench.Web.ToString()],
            JsonElement.Parse(EvidenceDocument.Write(scene.Claims(), ReleaseScene.Host1)), "", "",
            _bench.ShownLog, null, []);
        var answer = Assert.IsType<RouteAnswer<LeaseAnswer>.Ok>(
            await _bench.Leasing.Prove(DeskBench.Call(ReleaseScene.Host1), body));
        Assert.NotEmpty(Assert.Single(answer.Value.Domains).Against);
    }

    private async Task<string[]> Ask(TpmClockInfo clock, SoftwareTpm? tpm = null)
    {
        ReleaseScene scene = Scene(clock, tpm ?? Tpm);
        var answer = await _bench.Desk.Release(
            DeskBench.Call(ReleaseScene.Host1),
            new ReleaseBody(JsonElement.Parse(scene.Request()), "", "", _bench.ShownLog, null));
        return answer is RouteAnswer<SealedKeyBody>.Refused refused
            ? [.. refused.Problem.Refusals.Select(one => one.Code)]
            : [];
    }

    private ReleaseScene Scene(TpmClockInfo clock, SoftwareTpm tpm)
    {
        var given = Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(
            _bench.Desk.GiveNonce(DeskBench.Call(ReleaseScene.Host1)));
        return new ReleaseScene
        {
            Nonce = Convert.FromBase64String(given.Value.Nonce),
            EndorsementKey = tpm.EndorsementKey,
            Evidence = claims => claims.With(
                tpm, tpm.Quoting.Attest(
                    EvidenceDocument.Binding(claims).Bytes.ToArray(), EvidenceRegisters.Selection,
                    QuotedEvidence.Registers) with { Clock = clock },
                QuotedEvidence.Registers),
        };
    }
}
