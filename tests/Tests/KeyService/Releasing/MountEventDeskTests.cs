using System.Text.Json;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Custody;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.KeyRelease;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.KeyService.Releasing;

/// <summary>
/// How a hold ended is remembered by the key service over its own death, and root keys answer for it (K02, OSSN-0059).
/// </summary>
public sealed class MountEventDeskTests : IDisposable
{
    private static readonly Signatory Root = new(StatementKind.Tenant, "bank", 3, 2);
    private static readonly KeySubject.Volume Volume =
        new(new VolumeRef(ReleaseScene.Bank, StatementName.Parse("web-1-data")));

    private readonly DeskBench _bench = new();

    public MountEventDeskTests()
    {
        var book = Assert.IsType<StatementVerdict.Accepted>(StatementBook.Empty.Consider(Root.Root())).Next;
        _bench.Snapshot = _bench.Snapshot with
        {
            Datacentre = Stating("returned, takeover"), TenantRoot = book.RootInForce(Root.Id)?.Keys,
        };
        _bench.Lend(1);
    }

    public static TheoryData<CustodyStep> Steps => [CustodyStep.IntentWritten, CustodyStep.HolderStored];

    public void Dispose() => _bench.Dispose();

    [Fact]
    public async Task A_key_that_was_given_back_as_it_should_is_released_again()
    {
        ReleaseScene held = await Released();
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(Return(held));
        _bench.Restart();
        await Released();
    }

    [Fact]
    public async Task A_host_that_was_refused_meanwhile_waits_for_root_keys_though_it_is_trusted_again()
    {
        ReleaseScene held = await Released();
        Refuse();
        _bench.Lend(1);
        Assert.Equal("volume-event-not-allowed", await Code());
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(Return(held));
        _bench.Restart();
        Assert.Equal("volume-event-not-allowed", await Code());
        Assert.Equal(["lost-trust"], Row().Ended?.Events ?? []);

        Assert.Equal("document-signature", Problem(Answer(held, ReleaseScene.Stranger)));
        Assert.Equal("volume-event-not-allowed", await Code());
        Assert.IsType<RouteAnswer<Nothing>.Recorded>(Answer(held, Root.Keys[0]));
        Assert.Equal(["takeover"], Row().Ended?.Events ?? []);
        _bench.Restart();
        Assert.Equal("not-held-so", Problem(Answer(held, Root.Keys[0])));
        await Released();
    }

    [Fact]
    public async Task Silence_is_no_event()
    {
        ReleaseScene held = await Released();
        _bench.Clock.Move(120);
        _bench.Leases.Sweep();
        Assert.NotNull(_bench.Doubt(1));
        Return(held);
        _bench.Lend(1);
        await Released();
    }

    [Fact]
    public async Task What_nobody_has_to_answer_for_is_no_business_of_root_keys()
    {
        ReleaseScene held = await Released();
        Return(held);
        Assert.Equal("not-held-so", Problem(Answer(held, Root.Keys[0])));
    }

    [Fact]
    public async Task Another_domains_refusal_counts_for_its_own_keys_alone()
    {
        await Released();
        _bench.Leases.Take(
            ReleaseScene.HostOf(1), new DomainRef(ReleaseScene.Bank, StatementName.Parse("ledger")), ["it is old."]);
        await Released();
        Refuse();
        _bench.Lend(1);
        Assert.Equal("volume-event-not-allowed", await Code());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_death_at_any_step_forgets_no_loss_of_trust(CustodyStep dying)
    {
        await Released();
        Dying(dying, Refuse);
        _bench.Lend(1);
        Assert.Equal("volume-event-not-allowed", await Code());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_death_at_any_step_forgets_no_answer_of_root_keys(CustodyStep dying)
    {
        ReleaseScene held = await Released();
        Refuse();
        Return(held);
        _bench.Lend(1);
        Assert.Equal("volume-event-not-allowed", await Code());
        Dying(dying, () => Answer(held, Root.Keys[0]));
        await Released();
    }

    [Fact]
    public async Task A_store_that_is_put_back_from_before_the_loss_of_trust_forgets_nothing()
    {
        await Released();
        string kept = Path.Combine(_bench.Path, "keys.db");
        _bench.Vault.Dispose();
        byte[] before = await File.ReadAllBytesAsync(kept, TestContext.Current.CancellationToken);
        _bench.Restart();
        Refuse();
        _bench.Vault.Dispose();
        Assert.NotEqual(before, await File.ReadAllBytesAsync(kept, TestContext.Current.CancellationToken));
        await File.WriteAllBytesAsync(kept, before, TestContext.Current.CancellationToken);
        _bench.Restart();
        _bench.Lend(1);
        Assert.Equal("volume-event-not-allowed", await Code());
    }

    private static CheckedDatacentre Stating(string events) => new ReleaseScene
    {
        Example = ReleaseScene.Policies.With(
            "bank/web.yaml", "name: web-1-data\n", $"name: web-1-data\nmount: {{after: [{events}]}}\n"),
    }.Datacentre;

    private void Refuse() => _bench.Leases.Take(ReleaseScene.HostOf(1), DeskBench.Web, ["The boot log is cut."]);

    private void Dying(CustodyStep step, Action act)
    {
        _bench.Trace = one =>
        {
            if (one == step)
            {
                throw new KeyServiceDied();
            }
        };
        Assert.Throws<KeyServiceDied>(act);
        _bench.Trace = _ => { };
        _bench.Restart();
    }

    private async Task<RouteAnswer<SealedKeyBody>> Ask(ReleaseScene scene) => await _bench.Desk.Release(
        DeskBench.Call(ReleaseScene.Host1),
        new ReleaseBody(JsonElement.Parse(scene.Request()), "", "", _bench.ShownLog, null));

    private ReleaseScene Scene()
    {
        using SessionKey session = SessionKey.Create();
        NonceAnswer given = Assert.IsType<RouteAnswer<NonceAnswer>.Ok>(
            _bench.Desk.GiveNonce(DeskBench.Call(ReleaseScene.Host1))).Value;
        return new ReleaseScene { Nonce = Convert.FromBase64String(given.Nonce), Session = session.PublicKey };
    }

    private async Task<ReleaseScene> Released()
    {
        ReleaseScene scene = Scene();
        Assert.IsType<RouteAnswer<SealedKeyBody>.Recorded>(await Ask(scene));
        return scene;
    }

    private async Task<string> Code() =>
        Assert.Single(Assert.IsType<RouteAnswer<SealedKeyBody>.Refused>(await Ask(Scene())).Problem.Refusals).Code;

    private HeldVolume Row() => Assert.Single(
        Assert.IsType<RouteAnswer<KeyServiceStatus>.Ok>(_bench.Desk.Status([])).Value.Volumes);

    private static KeyNonce NonceOf(ReleaseScene held) =>
        KeyNonce.Of(held.Nonce) ?? throw new InvalidOperationException();

    private RouteAnswer<Nothing> Return(ReleaseScene held) => _bench.Holders.Return(
        DeskBench.Call(ReleaseScene.Host1),
        new ReturnBody(JsonElement.Parse(HolderDocument.WriteReturn(
            Volume, null, held.Claims().Boot, ReleaseScene.HostOf(1), NonceOf(held), ReleaseScene.Host1))));

    private RouteAnswer<Nothing> Answer(ReleaseScene held, params EcdsaSigner[] keys) => _bench.Holders.TakeOver(
        DeskBench.Call(ReleaseScene.Host1),
        new TakeoverBody(JsonElement.Parse(HolderDocument.WriteTakeover(
            Volume, ReleaseScene.HostOf(1), NonceOf(held), keys))));

    private static string Problem(RouteAnswer<Nothing> answer) =>
        Assert.IsType<RouteAnswer<Nothing>.Refused>(answer).Problem.Code;

    private sealed class KeyServiceDied : Exception;
}
