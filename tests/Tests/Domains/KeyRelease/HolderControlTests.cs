using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Domains.KeyRelease;

/// <summary>A holder is cleared by its own word or by enough root keys, for the very release that is named.</summary>
public sealed class HolderControlTests
{
    private static readonly Signatory Root = new(StatementKind.Tenant, "bank", 3, 2);
    private static readonly VolumeRef Volume = new(ReleaseScene.Bank, StatementName.Parse("web-1-data"));
    private static readonly KeyNonce Nonce = KeyNonce.Of(new byte[32]) ?? throw new InvalidOperationException();
    private static readonly KeyNonce Other = KeyNonce.Of([.. new byte[31], 1]) ?? throw new InvalidOperationException();

    [Fact]
    public void The_holder_returns_it() => Assert.IsType<HolderVerdict.Cleared>(Return());

    [Fact]
    public void Refuses_a_return_that_another_signed() =>
        AssertOnly(KeyRefusalCode.DocumentSignature, Return(signer: ReleaseScene.Stranger));

    [Fact]
    public void Refuses_a_return_that_another_brings() =>
        AssertOnly(KeyRefusalCode.CallerNotHost, Return(caller: ReleaseScene.Stranger.Id));

    [Fact]
    public void Refuses_the_return_of_an_earlier_release() =>
        AssertOnly(KeyRefusalCode.NotHeldSo, Return(nonce: Other));

    [Fact]
    public void Refuses_the_return_of_what_nobody_holds() =>
        AssertOnly(KeyRefusalCode.NotHeldSo, Return(holder: KeyHolders.Nobody));

    [Fact]
    public void Refuses_a_return_by_an_unknown_host() =>
        AssertOnly(
            KeyRefusalCode.UnknownHost,
            Return(host: ReleaseScene.HostOf(9), holder: ReleaseScene.HeldBy(9, Nonce)));

    [Fact]
    public void One_root_key_takes_over_where_the_domain_asks_for_one() =>
        Assert.IsType<HolderVerdict.Cleared>(Takeover(keys: [Root.Keys[2]]));

    [Fact]
    public void Refuses_fewer_root_keys_than_the_domain_asks()
    {
        Assert.IsType<HolderVerdict.Cleared>(Takeover("{takeover: 2}", keys: [Root.Keys[0], Root.Keys[1]]));
        AssertOnly(KeyRefusalCode.TooFewApprovals, Takeover("{takeover: 2}", keys: [Root.Keys[0]]));
    }

    [Fact]
    public void Refuses_one_root_key_that_signs_twice() =>
        AssertOnly(
            KeyRefusalCode.DocumentSignature, Takeover("{takeover: 2}", keys: [Root.Keys[0], Root.Keys[0]]));

    [Fact]
    public void Refuses_a_takeover_with_a_strangers_signature() =>
        AssertOnly(KeyRefusalCode.DocumentSignature, Takeover(keys: [Root.Keys[0], ReleaseScene.Stranger]));

    [Fact]
    public void Refuses_a_takeover_that_the_policy_does_not_list() =>
        AssertOnly(KeyRefusalCode.TakeoverNotAllowed, Takeover("{}", keys: [.. Root.Keys]));

    [Fact]
    public void Refuses_the_approval_of_an_earlier_takeover() =>
        AssertOnly(KeyRefusalCode.NotHeldSo, Takeover(nonce: Other, keys: [Root.Keys[0]]));

    [Fact]
    public void Refuses_the_takeover_of_an_unknown_volume() =>
        AssertOnly(
            KeyRefusalCode.UnknownVolume,
            Takeover(volume: new VolumeRef(ReleaseScene.Bank, StatementName.Parse("x")), keys: [Root.Keys[0]]));

    [Fact]
    public void A_takeover_waits_for_the_end_of_a_restart_lease()
    {
        AssertOnly(
            KeyRefusalCode.RestartLeaseLives,
            Takeover(keys: [Root.Keys[0]], kept: one => one with { RestartUntil = DateTimeOffset.UnixEpoch }));
        Assert.IsType<HolderVerdict.Cleared>(Takeover(keys: [Root.Keys[0]]));
    }

    [Fact]
    public void A_takeover_asks_the_domain_that_the_key_was_made_for_and_not_the_one_that_is_stated_today()
    {
        // The volume is stated to be of web, which asks for one; its key was made for ledger.
        DomainRef ledger = new(ReleaseScene.Bank, StatementName.Parse("ledger"));
        HolderVerdict Of(string approvals, params EcdsaSigner[] keys) => Takeover(
            keys: keys, kept: one => one with { Colour = ledger },
            policies: one => one.With(
                "bank/ledger.yaml", "approvals: {takeover: 1, destroy: 2}", $"approvals: {approvals}"));
        AssertOnly(KeyRefusalCode.TooFewApprovals, Of("{takeover: 2}", Root.Keys[0]));
        AssertOnly(KeyRefusalCode.TakeoverNotAllowed, Of("{}", [.. Root.Keys]));
        Assert.IsType<HolderVerdict.Cleared>(Of("{takeover: 2}", Root.Keys[0], Root.Keys[1]));
        AssertOnly(
            KeyRefusalCode.UnknownDomain,
            Takeover(keys: [Root.Keys[0]], kept: one => one with
            {
                Colour = new DomainRef(ReleaseScene.Bank, StatementName.Parse("gone")),
            }));
    }

    private static HolderVerdict Return(
        EcdsaSigner? signer = null, KeyId? caller = null, KeyNonce? nonce = null, KeyHolders? holder = null,
        HostRef? host = null)
    {
        byte[] envelope = HolderDocument.WriteReturn(
            new KeySubject.Volume(Volume), null, Guid.Empty, host ?? ReleaseScene.HostOf(1), nonce ?? Nonce,
            signer ?? ReleaseScene.Host1);
        HolderDocument.Return document = HolderDocument.ReadReturn(envelope, out string fault)
            ?? throw new InvalidOperationException(fault);
        return HolderControl.Decide(
            document, new ReleaseScene().Datacentre, Custody(caller ?? ReleaseScene.Host1.Id, holder));
    }

    private static HolderVerdict Takeover(
        string approvals = "{takeover: 1}", KeyNonce? nonce = null, VolumeRef? volume = null,
        IReadOnlyList<EcdsaSigner>? keys = null, Func<KeyCustody, KeyCustody>? kept = null,
        Func<Example, Example>? policies = null)
    {
        byte[] envelope = HolderDocument.WriteTakeover(
            new KeySubject.Volume(volume ?? Volume), ReleaseScene.HostOf(1), nonce ?? Nonce, keys ?? []);
        HolderDocument.Takeover document = HolderDocument.ReadTakeover(envelope, out string fault)
            ?? throw new InvalidOperationException(fault);
        ReleaseScene scene = new()
        {
            Example = (policies ?? (one => one))(ReleaseScene.Policies
                .With("bank/web.yaml", "approvals: {takeover: 1}", $"approvals: {approvals}")),
        };
        var book = Assert.IsType<StatementVerdict.Accepted>(StatementBook.Empty.Consider(Root.Root())).Next;
        RootKeys root = book.RootInForce(Root.Id)?.Keys ?? throw new InvalidOperationException();
        KeyCustody custody = Custody(ReleaseScene.Stranger.Id, null);
        return HolderControl.Decide(document, scene.Datacentre, root, kept is null ? custody : kept(custody));
    }

    private static KeyCustody Custody(KeyId caller, KeyHolders? holder) => new(
        ReleaseScene.Bank, caller, NonceStanding.Unknown,
        holder ?? ReleaseScene.HeldBy(1, Nonce), (_, _) => "holders need no lease");

    private static void AssertOnly(KeyRefusalCode code, HolderVerdict verdict)
    {
        var refused = Assert.IsType<HolderVerdict.Refused>(verdict);
        Assert.Equal([code], refused.Refusals.Select(refusal => refusal.Code));
    }
}
