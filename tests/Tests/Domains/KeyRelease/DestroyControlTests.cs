using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Domains.KeyRelease;

/// <summary>Keys are destroyed by enough root keys, and the very key that is named.</summary>
public sealed class DestroyControlTests
{
    private static readonly Signatory Root = new(StatementKind.Tenant, "bank", 3, 2);
    private static readonly DomainRef Web = new(ReleaseScene.Bank, StatementName.Parse("web"));
    private static readonly DestroySubject Volume = new DestroySubject.OfKey(
        new KeySubject.Volume(new VolumeRef(ReleaseScene.Bank, StatementName.Parse("web-1-data"))));

    private static readonly DestroySubject Domain = new DestroySubject.OfDomain(Web);
    private static readonly DestroySubject All = new DestroySubject.OfAll(ReleaseScene.Bank);
    private static readonly Digest32 Serial = Digest32.Of("this key"u8), Other = Digest32.Of("another key"u8);

    public static TheoryData<int> Subjects => [0, 1, 2];

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Approves_what_as_many_root_keys_signed_as_are_asked(int which) =>
        Assert.IsType<DestroyVerdict.Approved>(Decide(Subject(which), [Root.Keys[0], Root.Keys[1]]));

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Refuses_fewer_root_keys_than_are_asked(int which) =>
        AssertOnly(KeyRefusalCode.TooFewApprovals, Decide(Subject(which), [Root.Keys[0]]));

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Refuses_a_destruction_that_a_stranger_signed_too(int which) =>
        AssertOnly(
            KeyRefusalCode.DocumentSignature,
            Decide(Subject(which), [Root.Keys[0], Root.Keys[1], ReleaseScene.Stranger]));

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Refuses_a_destruction_that_one_root_key_signed_twice(int which) =>
        AssertOnly(KeyRefusalCode.DocumentSignature, Decide(Subject(which), [Root.Keys[0], Root.Keys[0]]));

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Refuses_a_destruction_that_nobody_signed(int which) =>
        AssertOnly(KeyRefusalCode.DocumentSignature, Decide(Subject(which), []));

    [Theory]
    [MemberData(nameof(Subjects))]
    public void Refuses_the_approval_to_destroy_an_earlier_key(int which) =>
        AssertOnly(
            KeyRefusalCode.NotThatKey, Decide(Subject(which), [Root.Keys[0], Root.Keys[1]], serial: Other));

    [Fact]
    public void Refuses_to_destroy_what_has_no_key() =>
        AssertOnly(
            KeyRefusalCode.NotThatKey,
            Decide(Volume, [Root.Keys[0], Root.Keys[1]], known: new DestroyCustody(ReleaseScene.Bank, null, null)));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Refuses_everybody_where_the_domain_lists_no_approvals(int which) =>
        AssertOnly(
            KeyRefusalCode.DestroyNotAllowed, Decide(Subject(which), [.. Root.Keys], "approvals: {takeover: 1}"));

    [Fact]
    public void All_keys_go_by_the_roots_own_threshold_whatever_domains_list() =>
        Assert.IsType<DestroyVerdict.Approved>(Decide(All, [Root.Keys[0], Root.Keys[2]], "approvals: {takeover: 1}"));

    [Fact]
    public void Refuses_a_key_whose_domain_no_statement_describes() =>
        AssertOnly(
            KeyRefusalCode.UnknownDomain,
            Decide(
                Volume, [Root.Keys[0], Root.Keys[1]],
                known: new DestroyCustody(
                    ReleaseScene.Bank, Serial, new DomainRef(ReleaseScene.Bank, StatementName.Parse("gone")))));

    [Fact]
    public void Refuses_another_tenants_key() =>
        AssertOnly(
            KeyRefusalCode.TenantNotServed,
            Decide(All, [Root.Keys[0], Root.Keys[1]], known: new DestroyCustody(ReleaseScene.Hospital, Serial, Web)));

    [Fact]
    public void A_takeovers_signature_is_no_approval_to_destroy()
    {
        byte[] takeover = HolderDocument.WriteTakeover(
            new KeySubject.Volume(new VolumeRef(ReleaseScene.Bank, StatementName.Parse("web-1-data"))),
            ReleaseScene.HostOf(1), KeyNonce.Of(new byte[32]) ?? throw new InvalidOperationException(), [Root.Keys[0]]);
        Assert.Null(DestroyDocument.Read(takeover, out string fault));
        Assert.NotEmpty(fault);
    }

    [Fact]
    public void A_receipt_verifies_for_its_key_service_and_unchanged_only()
    {
        EcdsaSigner service = Signatory.NewKey();
        ErasedKeys erased = new(Volume, 1, Other)
        {
            Count = 2, Record = 4, LedgerSize = 9, LedgerRoot = Serial, Pending = 1,
            Scrubs =
            [
                new ScrubbedKey($"{Volume}", ScrubOutcome.Overwritten, Other)
                {
                    Bytes = 4096, Storage = ScrubStorage.Remapped, Host = ReleaseScene.HostName(1), IsVouched = true,
                },
            ],
        };
        byte[] receipt = ErasureReceipt.Write(erased, service);
        ErasedKeys? read = ErasureReceipt.Verify(receipt, service.PublicKey, out _)?.Keys;
        Assert.NotNull(read);
        Assert.Equal(ErasureReceipt.DigestOf(erased), ErasureReceipt.DigestOf(read));
        Assert.Equal(erased.Scrubs, read.Scrubs);
        Assert.Null(ErasureReceipt.Verify(receipt, ReleaseScene.Stranger.PublicKey, out string other));
        Assert.Contains("did not sign it", other, StringComparison.Ordinal);
        byte[] document = DestroyDocument.Write(Volume, Serial, [service]);
        Assert.Null(ErasureReceipt.Verify(document, service.PublicKey, out _));
        for (int at = 0; at < receipt.Length; at += 7)
        {
            byte[] changed = [.. receipt];
            changed[at] ^= 1;
            Assert.Null(ErasureReceipt.Verify(changed, service.PublicKey, out string fault));
            Assert.NotEmpty(fault);
        }
    }

    private static DestroySubject Subject(int which) => which switch { 0 => Volume, 1 => Domain, _ => All };

    private static DestroyVerdict Decide(
        DestroySubject subject, IReadOnlyList<EcdsaSigner> keys,
        string approvals = "approvals: {takeover: 1, destroy: 2}", DestroyCustody? known = null,
        Digest32? serial = null)
    {
        byte[] envelope = DestroyDocument.Write(subject, serial ?? Serial, keys);
        DestroyDocument document = DestroyDocument.Read(envelope, out string fault)
            ?? throw new InvalidOperationException(fault);
        ReleaseScene scene = new()
        {
            Example = ReleaseScene.Policies.With("bank/web.yaml", "approvals: {takeover: 1}", approvals),
        };
        var book = Assert.IsType<StatementVerdict.Accepted>(StatementBook.Empty.Consider(Root.Root())).Next;
        RootKeys root = book.RootInForce(Root.Id)?.Keys ?? throw new InvalidOperationException();
        return DestroyControl.Decide(
            document, scene.Datacentre, root, known ?? new DestroyCustody(ReleaseScene.Bank, Serial, Web));
    }

    private static void AssertOnly(KeyRefusalCode code, DestroyVerdict verdict)
    {
        var refused = Assert.IsType<DestroyVerdict.Refused>(verdict);
        Assert.Equal([code], refused.Refusals.Select(refusal => refusal.Code));
    }
}
