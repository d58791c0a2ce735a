using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.KeyService.Releasing;
using Bailiwick.Tests.Domains.KeyRelease;

namespace Bailiwick.Tests.KeyService.Releasing;

/// <summary>Who could open a volume now, as its owner is told; each no begins with a yes.</summary>
public sealed class OpeningDeskTests : IDisposable
{
    private readonly DeskBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task Only_a_host_that_proved_itself_could_open_it_and_nothing_is_recorded()
    {
        AssertReason("no-lease");
        await Prove();
        long records = _bench.Vault.Log(long.MaxValue, 100).Count;
        OpeningRow own = Row(1);
        Assert.Equal((true, "write", false), (own.Allowed, own.Access, own.Holds));
        Assert.Empty(own.Reasons);
        Assert.Equal(["host-not-chosen", "no-lease"], Row(2).Reasons.Select(one => one.Code));
        Assert.Equal(records, _bench.Vault.Log(long.MaxValue, 100).Count);
        Assert.Empty(_bench.Vault.Volumes());
    }

    [Fact]
    public async Task Whoever_holds_it_could_ask_again_and_a_withdrawn_key_goes_to_nobody()
    {
        await Prove();
        using SessionKey session = SessionKey.Create();
        await Release(session);
        Assert.Equal((true, true), (Row(1).Allowed, Row(1).Holds));
        _bench.Restarts.Withdraw($"{ReleaseScene.Bank}/web-1-data");
        AssertReason("key-withdrawn");
        _bench.Restarts.Allow($"{ReleaseScene.Bank}/web-1-data");
        Assert.True(Row(1).Allowed);
    }

    [Fact]
    public async Task A_refused_host_could_open_nothing_and_the_row_says_what_was_found()
    {
        await Prove();
        Assert.True(Row(1).Allowed);
        _bench.Leases.End(ReleaseScene.HostOf(1), "The runtime log is cut.");
        Assert.Contains("The runtime log is cut.", AssertReason("no-lease"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_statements_of_now_decide()
    {
        await Prove();
        Assert.True(Row(1).Allowed);
        _bench.Snapshot = _bench.Snapshot with
        {
            Datacentre = (new ReleaseScene() with
            {
                Example = ReleaseScene.Policies.With(
                    "bank/web.yaml", "name: web-1-data\n", "name: web-1-data\nmount: {hosts: [host-2]}\n"),
            }).Datacentre,
        };
        AssertReason("volume-host-not-allowed");
    }

    [Fact]
    public async Task Nobody_could_open_anything_while_the_store_is_in_doubt()
    {
        await Prove();
        Assert.True(Row(1).Allowed);
        RouteProblem doubt = new(409, "store-rolled-back", "The store is an old copy.", "Put the newest back.");
        OpeningDesk barred = new(
            _bench.Desk, _bench.Proofs, () => _bench.Snapshot, () => doubt, _bench.Clock);
        OpeningsBody body = Assert.IsType<RouteAnswer<OpeningsBody>.Ok>(barred.Openings(Asking("web-1-data"))).Value;
        Assert.All(body.Rows, row => Assert.Equal("store-rolled-back", row.Reasons[0].Code));
        Assert.All(body.Rows, row => Assert.False(row.Allowed));
    }

    [Fact]
    public void A_volume_that_nobody_stated_is_none() => Assert.Equal(
        "no-such-volume",
        Assert.IsType<RouteAnswer<OpeningsBody>.Refused>(_bench.Openings.Openings(Asking("web-9-data"))).Problem.Code);

    private string AssertReason(string code)
    {
        OpeningRow row = Row(1);
        Assert.False(row.Allowed);
        OpeningReason only = Assert.Single(row.Reasons);
        Assert.Equal(code, only.Code);
        return only.Sentence;
    }

    private OpeningRow Row(int host) => Assert.Single(
        Assert.IsType<RouteAnswer<OpeningsBody>.Ok>(_bench.Openings.Openings(Asking("web-1-data"))).Value.Rows,
        row => row.Host == ReleaseScene.HostName(host));

    private static RouteCall Asking(string volume) => new(
        Principal.Of(PrincipalKind.TenantAdmin, ReleaseScene.Stranger.Id, ReleaseScene.Bank, null),
        new RouteValues(new Dictionary<string, string>
        {
            ["tenant"] = ReleaseScene.Bank.ToString(), ["name"] = volume,
        }), new Dictionary<string, long>(),
        () => true, TestContext.Current.CancellationToken);

    private ReleaseScene Scene(SessionKey session)
    {
        NonceAnswer given = Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(
            _bench.Desk.GiveNonce(DeskBench.Call(ReleaseScene.Host1))).Value;
        return new ReleaseScene { Nonce = Convert.FromBase64String(given.Nonce), Session = session.PublicKey };
    }

    private async Task Release(SessionKey session) => Assert.IsType<RouteAnswer<SealedKeyBody>.Recorded>(
        await _bench.Desk.Release(
            DeskBench.Call(ReleaseScene.Host1),
            new ReleaseBody(JsonElement.Parse(Scene(session).Request()), "", "", _bench.ShownLog, null)));

    private async Task Prove()
    {
        using SessionKey session = SessionKey.Create();
        ReleaseScene scene = Scene(session);
        Assert.IsType<RouteAnswer<LeaseAnswer>.Ok>(await _bench.Leasing.Prove(
            DeskBench.Call(ReleaseScene.Host1),
            new LeaseBody(
                Convert.ToBase64String(scene.Nonce), [DeskBench.Web.ToString()],
                JsonElement.Parse(EvidenceDocument.Write(scene.Claims(), scene.EvidenceSigner)), "", "",
                _bench.ShownLog, null, [])));
    }
}
