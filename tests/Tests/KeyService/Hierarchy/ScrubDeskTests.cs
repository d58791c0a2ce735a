using System.Text.Json;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Custody;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.KeyRelease;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.KeyService.Hierarchy;

/// <summary>Who is asked to remove what a destroyed key had opened, who may answer, and what the receipt says then.
/// </summary>
public sealed class ScrubDeskTests : IDisposable
{
    private static readonly Signatory Root = new(StatementKind.Tenant, "bank", 3, 2);
    private static readonly Digest32 Header = Digest32.Of("header"u8);
    private readonly DeskBench _bench = new();
    private readonly string _volume = $"{ReleaseScene.Bank}/web-1-data";

    public ScrubDeskTests()
    {
        var book = Assert.IsType<StatementVerdict.Accepted>(StatementBook.Empty.Consider(Root.Root())).Next;
        _bench.Snapshot = _bench.Snapshot with
        {
            Datacentre = new ReleaseScene
            {
                Example = ReleaseScene.Policies
                    .With("bank/web.yaml", "approvals: {takeover: 1}", "approvals: {takeover: 1, destroy: 2}"),
            }.Datacentre,
            TenantRoot = book.RootInForce(Root.Id)?.Keys,
        };
        _bench.Vault.Release(
            new KeyGrant(
                _volume, DeskBench.Web.ToString(), new VaultHolder(ReleaseScene.HostName(1), "nonce")
                {
                    Compartment = $"{ReleaseScene.Bank}/web-1", Access = "write",
                })
            {
                Mark = new VolumeHeaderMark.Bound(Header, _bench.Clock.GetUtcNow()).Text,
            },
            Keyring.Masters.Bytes);
    }

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void The_last_holder_is_asked_and_its_answer_is_in_the_receipt_and_in_the_ledger()
    {
        Assert.Empty(Orders(ReleaseScene.Host1));
        _bench.Lend(1);
        (ErasedKeys before, byte[] approval) = Destroyed();
        Assert.Equal((1L, 0), (before.Pending, before.Scrubs.Length));
        ScrubOrder order = Read(Assert.Single(Orders(ReleaseScene.Host1)));
        Assert.Equal((_volume, Header, WipeMethod.CryptoErase), (
            order.Thing.Key.ToString(), order.Thing.Header, order.Thing.Wipe));
        Assert.Equal(order.Digest, Read(Assert.Single(Orders(ReleaseScene.Host1))).Digest);

        Assert.Null(Answer(order, ReleaseScene.Host1));
        Assert.Empty(Orders(ReleaseScene.Host1));
        ErasedKeys after = Erased(approval);
        ScrubbedKey scrub = Assert.Single(after.Scrubs);
        Assert.Equal((0L, ScrubOutcome.Removed, true, ReleaseScene.HostName(1)), (
            after.Pending, scrub.Outcome, scrub.IsVouched, scrub.Host));
        Assert.Equal(2, _bench.Changes.Unposted.Length);
        Assert.Contains(
            ErasureReceipt.DigestOf(after).Hex, Payload(_bench.Changes.Unposted[1]), StringComparison.Ordinal);

        // Said again it changes nothing, and a restart neither.
        Assert.Null(Answer(order, ReleaseScene.Host1, ScrubOutcome.NotFound));
        _bench.Restart();
        Assert.Equal(ErasureReceipt.DigestOf(after), ErasureReceipt.DigestOf(Erased(approval)));
    }

    [Fact]
    public void Another_host_is_asked_only_where_the_last_holder_has_no_lease_and_it_has_one()
    {
        _bench.Lend(1);
        Destroyed();
        Assert.Empty(Orders(ReleaseScene.Host2));
        _bench.Lend(2);
        Assert.Empty(Orders(ReleaseScene.Host2));
        _bench.Leases.End(ReleaseScene.HostOf(1), "it is gone");
        ScrubOrder order = Read(Assert.Single(Orders(ReleaseScene.Host2)));
        Assert.Equal(ReleaseScene.HostOf(2), order.Host);
        Assert.Null(Answer(order, ReleaseScene.Host2));
    }

    [Fact]
    public void A_holder_without_a_lease_may_answer_and_the_receipt_says_that_nobody_vouches_for_it()
    {
        (_, byte[] approval) = Destroyed();
        Assert.Null(Answer(Read(Assert.Single(Orders(ReleaseScene.Host1))), ReleaseScene.Host1));
        Assert.False(Assert.Single(Erased(approval).Scrubs).IsVouched);
    }

    [Fact]
    public void Refuses_an_answer_that_is_not_the_asked_hosts_own()
    {
        _bench.Lend(1);
        (_, byte[] approval) = Destroyed();
        ScrubOrder order = Read(Assert.Single(Orders(ReleaseScene.Host1)));
        Assert.Equal("bad-document", Answer(order, ReleaseScene.Host1, signer: ReleaseScene.Host2));
        Assert.Equal("no-such-order", Answer(order, ReleaseScene.Host2, signer: ReleaseScene.Host2));
        Assert.Equal("no-such-order", Answer(order, ReleaseScene.Host1, serial: Digest32.Of("other"u8)));
        ScrubOrder forged = ScrubOrder.Verify(
            ScrubOrder.Write(
                order.Thing with { Wipe = WipeMethod.Overwrite }, order.Host, ReleaseScene.Stranger),
            ReleaseScene.Bank, ReleaseScene.Stranger.PublicKey, out _) ?? throw new InvalidOperationException();
        Assert.Null(ScrubOrder.Verify(
            ScrubOrder.Write(order.Thing, order.Host, ReleaseScene.Stranger), ReleaseScene.Bank,
            DeskBench.ServiceKey, out _));
        Assert.Equal("no-such-order", Answer(forged, ReleaseScene.Host1));
        Assert.Equal(1, Erased(approval).Pending);
        Assert.Null(Answer(order, ReleaseScene.Host1));
    }

    private (ErasedKeys Keys, byte[] Approval) Destroyed()
    {
        KeyTreeBody tree = Assert.IsType<RouteAnswer<KeyTreeBody>.Ok>(_bench.Keys.List()).Value;
        byte[] approval = DestroyDocument.Write(
            new DestroySubject.OfKey(KeySubject.Read(_volume) ?? throw new InvalidOperationException()),
            Digest32.TryParse(tree.Domains.Single().Keys.Single().Serial, out var serial)
                ? serial : throw new InvalidOperationException(),
            [Root.Keys[0], Root.Keys[1]]);
        return (Erased(approval), approval);
    }

    private ErasedKeys Erased(byte[] approval)
    {
        var answer = Assert.IsType<RouteAnswer<ErasedBody>.Recorded>(
            _bench.Keys.Destroy(new DestroyBody(JsonElement.Parse(approval))));
        return ErasureReceipt.Verify(
            CanonicalJson.Write(answer.Value.Receipt), DeskBench.ServiceKey, out string fault)?.Keys
            ?? throw new InvalidOperationException(fault);
    }

    private byte[][] Orders(EcdsaSigner host) =>
    [
        .. Assert.IsType<RouteAnswer<ScrubOrdersBody>.Ok>(_bench.Scrubs.Orders(DeskBench.Call(host)))
            .Value.Orders.Select(CanonicalJson.Write),
    ];

    private static ScrubOrder Read(byte[] order) =>
        ScrubOrder.Verify(order, ReleaseScene.Bank, DeskBench.ServiceKey, out string fault)
        ?? throw new InvalidOperationException(fault);

    /// <summary>The refusal's code; null when it is taken.</summary>
    private string? Answer(
        ScrubOrder order, EcdsaSigner caller, ScrubOutcome outcome = ScrubOutcome.Removed, EcdsaSigner? signer = null,
        Digest32? serial = null)
    {
        byte[] report = ScrubReport.Write(
            order, new ScrubFindings(outcome, 0, 0) { Storage = ScrubStorage.Unknown, FileSystem = "9p" },
            signer ?? caller);
        return _bench.Scrubs.Report(
            DeskBench.Call(caller),
            new ScrubReportBody((serial ?? order.Thing.Serial).Hex, JsonElement.Parse(report)))
            is RouteAnswer<Nothing>.Refused refused ? refused.Problem.Code : null;
    }

    private static string Payload(ReadOnlyMemory<byte> envelope) => System.Text.Encoding.UTF8.GetString(
        Assert.IsType<EnvelopeReading.Read>(Envelope.Read(envelope.Span)).Envelope.Payload);
}
