using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.KeyService.Custody;
using Bailiwick.Tests.Attestation;
using Bailiwick.Tests.Attestation.Enrolment;
using Bailiwick.Tests.Domains.KeyRelease;

namespace Bailiwick.Tests.KeyService.Restarting;

/// <summary>
/// What a key service lends for restarts, takes back, and waits for; over real files and at a clock that is moved.
/// </summary>
public sealed class RestartDeskTests : IDisposable
{
    private static readonly SoftwareTpm Tpm = new();
    private static readonly string Volume = $"{ReleaseScene.Bank}/web-1-data";
    private readonly DeskBench _bench = new();

    public RestartDeskTests()
    {
        _bench.Enrolments.Keep(Tpm.Enrol(ReleaseScene.Bank, ReleaseScene.HostName(1)));
        State("restart: {within: 8h}\n");
        _bench.Lend(1);
    }

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task A_release_says_for_how_long_it_may_be_opened_again_and_counts_it()
    {
        Assert.Equal(8 * 3600, Seconds(await Released()));
        RestartRow row = Assert.Single(Status().Restarts);
        Assert.Equal((Volume, $"{ReleaseScene.Bank}/web-1", ReleaseScene.HostName(1)),
            (row.Key, row.Compartment, row.Host));
        Assert.Equal(_bench.Clock.GetUtcNow() + TimeSpan.FromHours(8), row.Until);
    }

    [Fact]
    public async Task A_machine_whose_statement_allows_no_restart_gets_none()
    {
        State("");
        Assert.Equal(0, Seconds(await Released()));
        Assert.Empty(Status().Restarts);
    }

    [Fact]
    public async Task A_host_without_a_TPM_gets_none()
    {
        State("restart: {within: 8h}\n", assurance: "software");
        Assert.Equal(0, Seconds(await Released(tpm: false)));
        Assert.Empty(Status().Restarts);
    }

    [Fact]
    public async Task What_a_host_keeps_stands_until_it_is_withdrawn_and_a_withdrawn_key_goes_to_nobody()
    {
        string nonce = Nonce(await Released());
        Assert.Equal("", Word(nonce));
        Assert.Contains("no such restart lease", Word("another"), StringComparison.Ordinal);
        Withdraw(true);
        Assert.Contains("its tenant withdrew the key", Word(nonce), StringComparison.Ordinal);
        Assert.Contains("key-withdrawn", await Refused());
        Assert.Equal(Volume, Assert.Single(Status().Withdrawn).Key);
        Withdraw(false);
        Assert.Equal("", Word(nonce));
        await Released();
        Assert.Empty(Status().Withdrawn);
    }

    [Fact]
    public async Task A_withdrawal_outlasts_a_restart_of_the_key_service()
    {
        string nonce = Nonce(await Released());
        Withdraw(true);
        _bench.Restart();
        Assert.Contains("its tenant withdrew the key", Word(nonce), StringComparison.Ordinal);
        Assert.Contains("key-withdrawn", await Refused());
    }

    [Fact]
    public void Refuses_to_withdraw_a_key_that_there_is_not() =>
        Assert.IsType<RouteAnswer<Nothing>.Refused>(
            _bench.Leasing.Restarts.Withdraw(new WithdrawalBody($"{ReleaseScene.Bank}/no-such", true)));

    [Fact]
    public async Task Another_hosts_word_neither_stands_nor_ends_it()
    {
        string nonce = Nonce(await Released());
        _bench.Clock.Move(120);
        Assert.NotEqual("", Assert.Single(
            _bench.Leasing.Restarts.Heard(ReleaseScene.HostOf(2), [nonce])).Against);
        Assert.Empty(_bench.Leasing.Restarts.Heard(ReleaseScene.HostOf(2), []));
        Assert.Equal("", Word(nonce));
    }

    [Fact]
    public async Task A_returned_key_is_not_opened_again()
    {
        string nonce = Nonce(await Released());
        _bench.Vault.Clear(
            Volume, new VaultHolder(ReleaseScene.HostName(1), nonce), ClearCause.Returned, new string('0', 64), "");
        Assert.Contains("no longer held", Word(nonce), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_takeover_waits_until_the_host_let_go_or_the_time_is_over()
    {
        string nonce = Nonce(await Released());
        Assert.NotNull(Until());

        // Heard too early: what the host says may be from before the release.
        Assert.Empty(_bench.Leasing.Restarts.Heard(ReleaseScene.HostOf(1), []));
        Assert.NotNull(Until());
        _bench.Clock.Move(61);
        Assert.Equal("", Word(nonce));
        Assert.NotNull(Until());
        Assert.Empty(_bench.Leasing.Restarts.Heard(ReleaseScene.HostOf(1), []));
        Assert.Null(Until());
        Assert.Contains("no such restart lease", Word(nonce), StringComparison.Ordinal);

        await Released();
        _bench.Clock.Move((8 * 3600) - 1);
        Assert.NotNull(Until());
        _bench.Clock.Move(1);
        Assert.Null(Until());
    }

    [Fact]
    public async Task A_restart_of_the_key_service_forgets_no_restart_lease()
    {
        await Released();
        _bench.Restart();
        Assert.NotNull(Until());
        _bench.Clock.Move((8 * 3600) - 1);
        Assert.NotNull(Until());
        _bench.Clock.Move(3);
        Assert.Null(Until());
    }

    [Fact]
    public async Task Many_releases_of_one_key_are_counted_to_the_last_end()
    {
        await Released();
        State("restart: {within: 1m}\n");
        for (int again = 0; again < 40; again++)
        {
            await Released();
        }

        _bench.Clock.Move(7 * 3600);
        Assert.NotNull(Until());
        _bench.Clock.Move(3601);
        Assert.Null(Until());
    }

    [Fact]
    public async Task Refused_evidence_of_a_host_is_not_its_word_that_it_let_go()
    {
        await Released();
        _bench.Clock.Move(61);
        ReleaseScene scene = Scene(null, tpm: true) with { EvidenceSigner = ReleaseScene.Stranger };
        Assert.Empty((await Proved(scene)).Restarts);
        Assert.NotNull(Until());
        Assert.Empty((await Proved(Scene(null, tpm: true))).Restarts);
        Assert.Null(Until());
    }

    private DateTimeOffset? Until() => _bench.Restarts.UntilOf(Volume, ReleaseScene.HostName(1));

    private string Word(string nonce) =>
        Assert.Single(_bench.Leasing.Restarts.Heard(ReleaseScene.HostOf(1), [nonce])).Against;

    private void Withdraw(bool withdrawn) => Assert.IsType<RouteAnswer<Nothing>.Recorded>(
        _bench.Leasing.Restarts.Withdraw(new WithdrawalBody(Volume, withdrawn)));

    private KeyServiceStatus Status() =>
        Assert.IsType<RouteAnswer<KeyServiceStatus>.Ok>(_bench.Desk.Status([])).Value;

    private void State(string restart, string assurance = "software-tpm") => _bench.Snapshot = _bench.Snapshot with
    {
        Datacentre = ReleaseScene.Policies
            .With("bank/web.yaml", "  assurance: [software]\n", $"  assurance: [{assurance}]\n")
            .With("bank/web.yaml", "name: web-1\n", $"name: web-1\n{restart}")
            .With("alpine/hosts.yaml", "name: host-1\n", $"name: host-1\ntpm: {{ek: {Tpm.EndorsementId.Hex}}}\n")
            .With("alpine/hosts.yaml", "assurance: software\n", "assurance: tpm\n")
            .Check().Datacentre,
    };

    private ReleaseScene Scene(SessionKey? session, bool tpm)
    {
        var given = Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(
            _bench.Desk.GiveNonce(DeskBench.Call(ReleaseScene.Host1)));
        ReleaseScene scene = new()
        {
            Nonce = Convert.FromBase64String(given.Value.Nonce),
            EndorsementKey = tpm ? Tpm.EndorsementKey : null,
            Evidence = claims => tpm ? claims.With(Tpm) : claims,
        };
        return session is null ? scene : scene with { Session = session.PublicKey };
    }

    private async Task<RouteAnswer<SealedKeyBody>> Ask(bool tpm)
    {
        _bench.Lend(1);
        using SessionKey session = SessionKey.Create();
        return await _bench.Desk.Release(
            DeskBench.Call(ReleaseScene.Host1),
            new ReleaseBody(JsonElement.Parse(Scene(session, tpm).Request()), "", "", _bench.ShownLog, null));
    }

    private async Task<JsonElement> Released(bool tpm = true) => JsonElement.Parse(
        Assert.IsType<RouteAnswer<SealedKeyBody>.Recorded>(await Ask(tpm)).Value.Context);

    private async Task<string[]> Refused() =>
    [
        .. Assert.IsType<RouteAnswer<SealedKeyBody>.Refused>(await Ask(true)).Problem.Refusals.Select(one => one.Code),
    ];

    private async Task<LeaseAnswer> Proved(ReleaseScene scene) =>
        Assert.IsType<RouteAnswer<LeaseAnswer>.Ok>(await _bench.Leasing.Prove(
            DeskBench.Call(ReleaseScene.Host1),
            new LeaseBody(
                Convert.ToBase64String(scene.Nonce), [DeskBench.Web.ToString()],
                JsonElement.Parse(EvidenceDocument.Write(scene.Claims(), scene.EvidenceSigner)), "", "",
                _bench.ShownLog, null, []))).Value;

    private static long Seconds(JsonElement context) => context.GetProperty("restartSeconds").GetInt64();

    private static string Nonce(JsonElement context) => context.GetProperty("nonce").GetString() ?? "";
}
