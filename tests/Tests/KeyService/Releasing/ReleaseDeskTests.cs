using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Api;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.HostLogs;
using Bailiwick.KeyService.Releasing;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Attestation;
using Bailiwick.Tests.Domains.KeyRelease;

namespace Bailiwick.Tests.KeyService.Releasing;

/// <summary>The desk as hosts meet it: nonce, release, return, and every refusal with nothing handed out.</summary>
public sealed class ReleaseDeskTests : IDisposable
{
    private static readonly EcdsaSigner Host1 = ReleaseScene.Host1;
    private static readonly Digest32 Ours = Digest32.Of("ours"u8), Older = Digest32.Of("older"u8);
    private static readonly KeySubject.Volume Volume =
        new(new VolumeRef(ReleaseScene.Bank, StatementName.Parse("web-1-data")));

    private readonly DeskBench _bench = new();

    public ReleaseDeskTests() => _bench.Lend(1);

    private ReleaseDesk Desk => _bench.Desk;

    private KeyVault Vault => _bench.Vault;

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Releases_a_key_that_only_the_asking_session_opens()
    {
        using SessionKey session = SessionKey.Create();
        SealedKeyBody body = await Released(Scene(session));
        using SecretBytes? key = session.Open(Sealed(body));
        using SessionKey other = SessionKey.Create();
        Assert.NotNull(key);
        Assert.Null(other.Open(Sealed(body)));
        using SessionKey second = SessionKey.Create();
        using SecretBytes? again = second.Open(Sealed(await Released(Scene(second))));
        Assert.True(again?.HasSameBytesAs(key));
    }

    [Fact]
    public async Task Refuses_a_nonce_the_second_time()
    {
        using SessionKey session = SessionKey.Create();
        ReleaseScene scene = Scene(session);
        await Released(scene);
        Assert.Equal(["nonce-used"], await RefusedCodes(scene));
    }

    [Fact]
    public async Task Refuses_a_nonce_it_never_gave()
    {
        using SessionKey session = SessionKey.Create();
        Assert.Equal(["nonce-unknown"], await RefusedCodes(Scene(session) with { Nonce = new byte[32] }));
        Assert.Empty(Vault.Volumes());
    }

    [Fact]
    public async Task Refuses_a_host_that_brings_anothers_request()
    {
        using SessionKey session = SessionKey.Create();
        string[] codes = await RefusedCodes(Scene(session), ReleaseScene.Host2);
        Assert.Contains("caller-not-host", codes);
        Assert.Contains("nonce-of-another-caller", codes);
        Assert.Empty(Vault.Volumes());
    }

    [Fact]
    public async Task A_second_host_gets_the_key_only_after_the_return()
    {
        using SessionKey session = SessionKey.Create();
        ReleaseScene first = Scene(session);
        await Released(first);
        ReleaseScene second = Scene(session, ReleaseScene.Host2) with
        {
            Host = ReleaseScene.HostName(2),
            Caller = ReleaseScene.Host2.Id,
            RequestSigner = ReleaseScene.Host2,
            EvidenceSigner = ReleaseScene.Host2,
        };
        Assert.Equal(
            ["host-not-chosen", "no-lease", "held-by-another-host"], await RefusedCodes(second, ReleaseScene.Host2));
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(Return(first));
        Assert.IsType<RouteAnswer<Nothing>.Refused>(Return(first));
        Assert.Null(Vault.HoldersOf(first.Volume).SingleOrDefault());
    }

    [Fact]
    public async Task A_header_that_its_maker_named_is_the_only_one_with_which_the_key_leaves()
    {
        using SessionKey session = SessionKey.Create();
        ReleaseScene blank = Scene(session);
        await Released(blank);
        Assert.Null(Row().Header);
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(Bind(blank, Ours));
        Assert.Equal((Ours.Hex, _bench.Clock.GetUtcNow()), (Row().Header, Row().HeaderSince));
        Assert.Equal(["header-differs"], await RefusedCodes(Scene(session) with { State = Older.Hex }));
        Assert.Equal(["header-missing"], await RefusedCodes(Scene(session)));

        // The pool is nobody's evidence against the host.
        Assert.Null(_bench.Doubt(1));
        SealedKeyBody body = await Released(Scene(session) with { State = Ours.Hex });
        Assert.Contains($"\"header\":\"{Ours.Hex}\"", body.Context, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_header_that_the_holder_shows_after_a_crash_is_bound_as_one_that_it_named()
    {
        using SessionKey session = SessionKey.Create();
        await Released(Scene(session));
        await Released(Scene(session));
        ReleaseScene second = Scene(session) with { State = Ours.Hex };
        await Released(second);
        Assert.Equal(Ours.Hex, Row().Header);
        Assert.Equal(["header-missing"], await RefusedCodes(Scene(session)));
        Assert.Equal(["header-differs"], await RefusedCodes(Scene(session) with { State = Older.Hex }));
        Assert.Equal("header-differs", Code(Bind(second, Older)));
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(Bind(second, Ours));
    }

    [Fact]
    public async Task A_header_outlasts_the_return_and_a_file_without_a_key_gets_none()
    {
        using SessionKey session = SessionKey.Create();
        Assert.Equal(["header-unknown"], await RefusedCodes(Scene(session) with { State = Ours.Hex }));
        Assert.Empty(Vault.Volumes());
        ReleaseScene blank = Scene(session);
        await Released(blank);
        Bind(blank, Ours);
        Return(blank);
        Assert.Equal("not-held-so", Code(Bind(blank, Ours)));
        Assert.Equal(["header-missing"], await RefusedCodes(Scene(session)));
        Assert.Equal(["header-differs"], await RefusedCodes(Scene(session) with { State = Older.Hex }));
        await Released(Scene(session) with { State = Ours.Hex });
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("1.5")]
    [InlineData("""{"payload":"","payloadType":"x","signatures":[]}""")]
    public async Task Refuses_what_is_no_request(string json)
    {
        var answer = await Desk.Release(
            DeskBench.Call(Host1), new ReleaseBody(Json(Encoding.UTF8.GetBytes(json)), "", "", null, null));
        Assert.Equal(400, Assert.IsType<RouteAnswer<SealedKeyBody>.Refused>(answer).Problem.Status);
    }

    [Fact]
    public async Task No_answer_and_no_refusal_holds_a_key()
    {
        using SessionKey session = SessionKey.Create();
        ReleaseScene scene = Scene(session);
        SealedKeyBody body = await Released(scene);
        using SecretBytes? key = session.Open(Sealed(body));
        Assert.NotNull(key);
        byte[] secret = Bytes(key);
        var refused = await Desk.Release(
            DeskBench.Call(Host1), new ReleaseBody(Json(scene.Request()), "", "", _bench.ShownLog, null));
        string told = JsonSerializer.Serialize(body)
            + JsonSerializer.Serialize(Assert.IsType<RouteAnswer<SealedKeyBody>.Refused>(refused).Problem)
            + JsonSerializer.Serialize(Desk.Status([]));
        foreach (string form in new[]
            { Convert.ToHexString(secret), Convert.ToHexStringLower(secret), Convert.ToBase64String(secret)[..40] })
        {
            Assert.DoesNotContain(form, told, StringComparison.Ordinal);
        }

        _bench.Close();
        Assert.All(
            Directory.EnumerateFiles(_bench.Path),
            file => Assert.Equal(-1, File.ReadAllBytes(file).AsSpan().IndexOf(secret)));
    }

    [Fact]
    public void Nobody_but_hosts_and_the_tenant_has_a_route()
    {
        ImmutableArray<PrincipalKind> served = [.. KeyRoutes.Table.Rows.SelectMany(row => row.Callers).Distinct()];
        Assert.Equal([PrincipalKind.Host, PrincipalKind.TenantAdmin, PrincipalKind.TenantAuditor], served);
        Assert.Equal(
            [PrincipalKind.Host], KeyRoutes.Table.Rows.Single(row => row.Template == "/v1/releases").Callers);
    }

    [Fact]
    public async Task Releases_nothing_without_a_lease_however_good_the_evidence()
    {
        using SessionKey session = SessionKey.Create();
        await Released(Scene(session));
        _bench.Clock.Move(LeaseTable.Seconds + 1);
        var refused = await Desk.Release(
            DeskBench.Call(Host1), new ReleaseBody(Json(Scene(session).Request()), "", "", _bench.ShownLog, null));
        RefusedItem reason = Assert.Single(
            Assert.IsType<RouteAnswer<SealedKeyBody>.Refused>(refused).Problem.Refusals);
        Assert.Equal("no-lease", reason.Code);
        Assert.Contains("60 s", reason.Sentence, StringComparison.Ordinal);
        _bench.Lend(1);
        await Released(Scene(session));
    }

    [Fact]
    public async Task Refused_evidence_ends_the_leases_of_the_host_that_showed_it_and_of_no_other()
    {
        _bench.Lend(2);
        using SessionKey session = SessionKey.Create();
        await RefusedCodes(Scene(session) with { EvidenceSigner = ReleaseScene.Stranger });
        Assert.Equal("evidence-signature no-lease", string.Join(' ', await RefusedCodes(
            Scene(session) with { EvidenceSigner = ReleaseScene.Stranger })));
        Assert.NotNull(_bench.Doubt(1));
        Assert.Null(_bench.Doubt(2));
    }

    [Fact]
    public async Task Nobody_ends_the_lease_of_another_by_bringing_bad_evidence_of_it()
    {
        using SessionKey session = SessionKey.Create();
        ReleaseScene scene = Scene(session, ReleaseScene.Host2) with { EvidenceSigner = ReleaseScene.Stranger };
        Assert.Contains("caller-not-host", await RefusedCodes(scene, ReleaseScene.Host2));
        Assert.Null(_bench.Doubt(1));
    }

    [Fact]
    public async Task Follows_the_hosts_log_keeps_what_is_the_tenants_and_takes_no_other_log()
    {
        using SessionKey session = SessionKey.Create();
        Assert.Null(Given(Host1).Followed);
        await Released(Scene(session));
        JsonElement told = Given(Host1).Followed ?? throw new InvalidOperationException();
        Assert.Equal(QuotedEvidence.Log.Position, IntegrityPosition.Read(told));
        Assert.Null(Given(ReleaseScene.Host2).Followed);

        // Nothing new is a tail from where it was; a tail from elsewhere is none.
        _bench.Shown = QuotedEvidence.Log.Tail(ReleaseScene.Bank, after: QuotedEvidence.Log.Entries.Count);
        await Released(Scene(session));
        _bench.Shown = QuotedEvidence.Log.Tail(ReleaseScene.Bank, after: 2);
        Assert.Contains("evidence-integrity-log-position", await RefusedCodes(Scene(session)));
        _bench.Close();
        using PrivateDirectory directory = PrivateDirectory.Open(LinuxDisk.Instance, _bench.Path);
        using HostLogBook again = HostLogBook.Open(directory);
        HostLog? log = again.Of(ReleaseScene.HostName(1));
        Assert.Equal(QuotedEvidence.Log.Position, log?.Position);
        Assert.Equal([1, 2, 3, 5], log?.Openings.Select(o => o.Entry.Sequence));
        Assert.Null(again.Of(ReleaseScene.HostName(2)));
    }

    [Fact]
    public async Task Refuses_a_log_without_the_boots_own_entry_and_keeps_nothing_of_it()
    {
        using SessionKey session = SessionKey.Create();
        _bench.Shown = QuotedEvidence.Log.Tail(null);
        Assert.Contains("evidence-integrity-log-incomplete", await RefusedCodes(Scene(session)));
        Assert.Null(Given(Host1).Followed);
        Assert.NotNull(_bench.Doubt(1));
    }

    [Fact]
    public async Task The_tenant_reads_what_was_followed_and_nobody_knows_other_hosts()
    {
        using SessionKey session = SessionKey.Create();
        Assert.Equal(
            404, Assert.IsType<RouteAnswer<FollowedLogBody>.Refused>(Desk.HostLog(Asking(1))).Problem.Status);
        await Released(Scene(session));
        FollowedLogBody body = Assert.IsType<RouteAnswer<FollowedLogBody>.Ok>(Desk.HostLog(Asking(1))).Value;
        Assert.Equal(QuotedEvidence.Log.Position, IntegrityPosition.Read(body.Position));
        Assert.Equal([3, 5], body.Openings.Select(o => IntegrityOpening.Read(o)?.Entry.Sequence));
        Assert.IsType<RouteAnswer<FollowedLogBody>.Refused>(Desk.HostLog(Asking(2)));
    }

    /// <summary>The tenant asks for the two newest entries of a host.</summary>
    private static RouteCall Asking(int host) => new(
        Principal.Of(PrincipalKind.TenantAdmin, ReleaseScene.Stranger.Id, ReleaseScene.Bank, null),
        new RouteValues(new Dictionary<string, string>
        {
            ["operator"] = PartyId.Unsigned("alpine").ToString(), ["name"] = $"host-{host}",
        }),
        new Dictionary<string, long> { ["limit"] = 2 }, () => true, TestContext.Current.CancellationToken);

    private RouteAnswer<Nothing> Return(ReleaseScene released) => _bench.Holders.Return(
        DeskBench.Call(Host1),
        new ReturnBody(Json(HolderDocument.WriteReturn(
            Volume, null, Guid.Empty, ReleaseScene.HostOf(1), NonceOf(released), Host1))));

    private RouteAnswer<Nothing> Bind(ReleaseScene released, Digest32 header) => _bench.Holders.Bind(
        DeskBench.Call(Host1),
        new HeaderBody(Json(HolderDocument.WriteHeader(
            Volume, header, ReleaseScene.HostOf(1), NonceOf(released), Host1))));

    private static string? Code(RouteAnswer<Nothing> answer) =>
        Assert.IsType<RouteAnswer<Nothing>.Refused>(answer).Problem.Code;

    private static KeyNonce NonceOf(ReleaseScene released) =>
        KeyNonce.Of(released.Nonce) ?? throw new InvalidOperationException();

    private HeldVolume Row() => Assert.Single(
        Assert.IsType<RouteAnswer<KeyServiceStatus>.Ok>(Desk.Status([])).Value.Volumes);

    private NonceAnswer Given(EcdsaSigner caller) =>
        Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(Desk.GiveNonce(DeskBench.Call(caller))).Value;

    private ReleaseScene Scene(SessionKey session, EcdsaSigner? caller = null)
    {
        var given = Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(Desk.GiveNonce(DeskBench.Call(caller ?? Host1)));
        Assert.Equal(ReleaseScene.Newest.Size, given.Value.Size);
        return new ReleaseScene { Nonce = Convert.FromBase64String(given.Value.Nonce), Session = session.PublicKey };
    }

    private async Task<SealedKeyBody> Released(ReleaseScene scene)
    {
        var answer = await Desk.Release(
            DeskBench.Call(Host1), new ReleaseBody(Json(scene.Request()), "", "", _bench.ShownLog, null));
        return Assert.IsType<RouteAnswer<SealedKeyBody>.Recorded>(answer).Value;
    }

    private async Task<string[]> RefusedCodes(ReleaseScene scene, EcdsaSigner? caller = null)
    {
        var answer = await Desk.Release(
            DeskBench.Call(caller ?? Host1), new ReleaseBody(Json(scene.Request()), "", "", _bench.ShownLog, null));
        var problem = Assert.IsType<RouteAnswer<SealedKeyBody>.Refused>(answer).Problem;
        Assert.Equal(403, problem.Status);
        return [.. problem.Refusals.Select(refusal => refusal.Code)];
    }

    private static byte[] Bytes(SecretBytes key)
    {
        using SecretLoan loan = key.Borrow();
        return loan.Bytes.ToArray();
    }

    private static SealedKey Sealed(SealedKeyBody body) => new(
        Convert.FromBase64String(body.Ephemeral), Convert.FromBase64String(body.Ciphertext),
        Encoding.UTF8.GetBytes(body.Context));

    private static JsonElement Json(byte[] utf8) => JsonElement.Parse(utf8);
}
