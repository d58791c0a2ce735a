using System.Text;
using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.Leases;
using Bailiwick.Tests.Attestation;
using Bailiwick.Tests.Domains.KeyRelease;

namespace Bailiwick.Tests.KeyService.Leasing;

/// <summary>
/// A host keeps its lease by honest evidence and by nothing else; whatever it does instead, the lease has ended in
/// time, and every other host's has not (A05, CVE-2022-3500, CVE-2023-3674).
/// </summary>
public sealed class LeaseDeskTests : IDisposable
{
    private const int Prompt = 10;
    private readonly DeskBench _bench = new();
    private static readonly string Web = DeskBench.Web.ToString();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Honest_evidence_begins_a_lease_and_renews_it()
    {
        Assert.NotNull(_bench.Doubt(1));
        for (int round = 0; round < 20; round++)
        {
            DomainLease lease = Assert.Single(await Proved(Scene()));
            Assert.Equal((Web, 0), (lease.Domain, lease.Against.Length));
            Assert.Null(_bench.Doubt(1));
            _bench.Clock.Move(LeaseTable.Seconds - 1);
        }

        Assert.Equal(["held"], Journalled());
    }

    [Fact]
    public async Task Silence_ends_a_lease_after_a_minute_and_an_honest_proof_begins_it_again()
    {
        await Proved(Scene());
        _bench.Clock.Move(LeaseTable.Seconds);
        Assert.Null(_bench.Doubt(1));
        _bench.Clock.Move(1);
        Assert.Contains("60 s", _bench.Doubt(1), StringComparison.Ordinal);
        _bench.Leases.Sweep();
        await Proved(Scene());
        Assert.Null(_bench.Doubt(1));
        Assert.Equal(["held", "silent", "held"], Journalled());
    }

    [Fact]
    public async Task Refused_evidence_ends_it_at_once_and_says_why_and_no_other_hosts()
    {
        await Proved(Scene());
        _bench.Lend(2);
        DomainLease lease = Assert.Single(await Proved(Scene() with { EvidenceSigner = ReleaseScene.Stranger }));
        Assert.NotEmpty(lease.Against);
        Assert.Equal(string.Join(' ', lease.Against), _bench.Doubt(1));
        Assert.Null(_bench.Doubt(2));
        LeaseRow row = _bench.Leasing.Rows().Single(one => one.Host == ReleaseScene.HostName(1));
        Assert.Equal(("refused", Web), (row.Standing, row.Domain));
        Assert.NotEqual("", row.Because);
    }

    [Fact]
    public async Task A_domain_that_is_not_named_is_judged_too_while_there_is_a_standing()
    {
        await Proved(Scene());
        Assert.NotEmpty(Assert.Single(await Proved(Scene() with { EvidenceSigner = ReleaseScene.Stranger }, []))
            .Against);
        Assert.NotNull(_bench.Doubt(1));
    }

    [Fact]
    public async Task An_honest_host_gives_back_what_it_no_longer_names()
    {
        await Proved(Scene());
        Assert.Empty(await Proved(Scene(), []));
        Assert.Empty(_bench.Leases.All);
        Assert.NotNull(_bench.Doubt(1));
    }

    [Fact]
    public async Task Another_tenants_domain_is_not_judged_and_nothing_is_said_of_it()
    {
        string foreign = $"{ReleaseScene.Hospital}/records";
        Assert.Contains(foreign, _bench.Snapshot.Datacentre.Domains.Keys);
        Assert.Equal([Web], (await Proved(Scene(), [foreign, Web])).Select(one => one.Domain));
        Assert.Equal([DeskBench.Web], _bench.Leases.All.Select(one => one.Domain));
        Assert.Empty(await Proved(Scene(), [foreign]));
    }

    [Fact]
    public async Task What_ended_long_ago_is_forgotten_and_gives_no_key_for_it()
    {
        await Proved(Scene());
        _bench.Clock.Move(601);
        _bench.Leases.Sweep();
        Assert.Empty(_bench.Leases.All);
        Assert.NotNull(_bench.Doubt(1));
    }

    public static TheoryData<string> Lies => [.. Lie.Keys];

    private static readonly Dictionary<string, Func<ReleaseScene, LeaseBody, LeaseBody>> Lie = new()
    {
        ["bad signature"] = (scene, body) => body with
        {
            Evidence = JsonElement.Parse(EvidenceDocument.Write(scene.Claims(), ReleaseScene.Stranger)),
        },
        ["other channel"] = (scene, body) => Said(
            scene, body, claims => claims with { ChannelKey = ReleaseScene.Host2.PublicKey }),
        ["other host"] = (scene, body) => Said(scene, body, claims => claims with { Host = ReleaseScene.HostName(2) }),
        ["other nonce"] = (scene, body) => Said(scene, body, claims => claims with { Nonce = new byte[32] }),
        ["forked board"] = (scene, body) => Said(scene, body, claims => claims with
        {
            Checkpoint = claims.Checkpoint with { Root = Bailiwick.Ledger.Digest32.Of("another"u8) },
        }),
        ["no envelope"] = (_, body) => body with { Evidence = JsonElement.Parse("{}"u8) },
        ["a number"] = (_, body) => body with { Evidence = JsonElement.Parse("1.5"u8) },
        ["log that is no base64"] = (_, body) => body with { BootLog = "%" },
        ["other runtime log"] = (scene, body) => Quoted(scene, body) with { RuntimeLog = Convert.ToBase64String([1]) },
        ["10 MB log"] = (scene, body) => Quoted(scene, body) with
        {
            RuntimeLog = Convert.ToBase64String(new byte[10 << 20]),
        },
        ["malformed boot log"] = (scene, body) => Quoted(scene, body) with { BootLog = Convert.ToBase64String([1]) },
        ["quote that nobody enrolled"] = Quoted,
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task Every_lie_ends_the_lease_within_10_s_and_only_the_liars(string lie)
    {
        await Proved(Scene());
        _bench.Lend(2);
        Assert.Null(_bench.Doubt(1));
        ReleaseScene scene = Scene();
        await _bench.Leasing.Prove(DeskBench.Call(ReleaseScene.Host1), Lie[lie](scene, Body(scene, [Web])));
        _bench.Clock.Move(Prompt);
        Assert.NotNull(_bench.Doubt(1));
        Assert.Null(_bench.Doubt(2));
        await Proved(Scene());
        Assert.Null(_bench.Doubt(1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_verifier_that_fails_at_a_step_ends_the_lease_at_once(int step)
    {
        await Proved(Scene());
        _bench.Lend(2);
        LeaseBody body = Body(Scene(), [Web]);
        // The policies are asked for before anything is judged, when the checkpoint is, and when the domains are.
        int asked = 0;
        _bench.Policies = () => asked++ == step ? throw new IOException("it failed") : _bench.Snapshot;
        await Assert.ThrowsAsync<IOException>(
            () => _bench.Leasing.Prove(DeskBench.Call(ReleaseScene.Host1), body));
        Assert.Contains("failed", _bench.Doubt(1), StringComparison.Ordinal);
        Assert.Null(_bench.Doubt(2));
    }

    [Fact]
    public async Task A_bad_nonce_is_silence_and_no_refusal()
    {
        await Proved(Scene());
        LeaseBody used = Body(Scene(), [Web]);
        await _bench.Leasing.Prove(DeskBench.Call(ReleaseScene.Host1), used);
        foreach (LeaseBody body in new[] { used, used with { Nonce = Convert.ToBase64String(new byte[32]) },
            used with { Nonce = "" }, used with { Nonce = "%" } })
        {
            var refused = Assert.IsType<RouteAnswer<LeaseAnswer>.Refused>(
                await _bench.Leasing.Prove(DeskBench.Call(ReleaseScene.Host1), body));
            Assert.Equal("bad-nonce", refused.Problem.Code);
            Assert.Null(_bench.Doubt(1));
        }

        _bench.Clock.Move(LeaseTable.Seconds + 1);
        Assert.NotNull(_bench.Doubt(1));
    }

    [Fact]
    public async Task A_lease_is_for_the_calling_host_whatever_is_shown()
    {
        LeaseBody body = Body(Scene(), [Web]);
        await _bench.Leasing.Prove(DeskBench.Call(ReleaseScene.Host2), body);
        Assert.NotNull(_bench.Doubt(1));
        Assert.NotNull(_bench.Doubt(2));
    }

    [Fact]
    public async Task No_lease_is_lent_for_a_domain_nobody_described()
    {
        DomainLease lease = Assert.Single(await Proved(Scene(), [$"{ReleaseScene.Bank}/nowhere"]));
        Assert.NotEmpty(lease.Against);
        Assert.Empty(_bench.Leases.All);
    }

    private ReleaseScene Scene()
    {
        var given = Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(
            _bench.Desk.GiveNonce(DeskBench.Call(ReleaseScene.Host1)));
        return new ReleaseScene { Nonce = Convert.FromBase64String(given.Value.Nonce) };
    }

    private async Task<IReadOnlyList<DomainLease>> Proved(ReleaseScene scene, string[]? domains = null) =>
        Assert.IsType<RouteAnswer<LeaseAnswer>.Ok>(await _bench.Leasing.Prove(
            DeskBench.Call(ReleaseScene.Host1), Body(scene, domains ?? [Web]))).Value.Domains;

    private static LeaseBody Body(ReleaseScene scene, string[] domains) => new(
        Convert.ToBase64String(scene.Nonce), [.. domains],
        JsonElement.Parse(EvidenceDocument.Write(scene.Claims(), scene.EvidenceSigner)), "", "",
        JsonElement.Parse(QuotedEvidence.Log.Tail(ReleaseScene.Bank).Write()), null, []);

    private static LeaseBody Said(
        ReleaseScene scene, LeaseBody body, Func<EvidenceClaims, EvidenceClaims> change) => body with
    {
        Evidence = JsonElement.Parse(EvidenceDocument.Write(change(scene.Claims()), ReleaseScene.Host1)),
    };

    private static LeaseBody Quoted(ReleaseScene scene, LeaseBody body) =>
        Said(scene, body, claims => claims.With(new Attestation.Enrolment.SoftwareTpm()));

    private string[] Journalled()
    {
        _bench.Close();
        string text = Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(_bench.Path, "leases.log")));
        return [.. System.Text.RegularExpressions.Regex.Matches(text, "\"standing\":\"([a-z]+)\"")
            .Select(match => match.Groups[1].Value)];
    }
}
