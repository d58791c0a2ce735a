using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Domains.KeyRelease;

/// <summary>The key of a machine's TPM goes out as a volume's does, and only for the state that was returned last.
/// </summary>
public sealed class MachineTpmReleaseTests
{
    private static readonly Guid Boot = Guid.Parse("e0000000-0000-0000-0000-000000000000");
    private static readonly Digest32 Newest = Digest32.Of("newest"u8);
    private static readonly Digest32 Older = Digest32.Of("older"u8);
    private static readonly KeyNonce Nonce = KeyNonce.Of(new byte[32]) ?? throw new InvalidOperationException();

    private static readonly ReleaseScene Scene = new()
    {
        Example = ReleaseScene.Policies.With(
            "bank/web.yaml", "name: web-1\ncpus: 1", "name: web-1\ntpm: required\ncpus: 1"),
        Volume = $"{ReleaseScene.Bank}/web-1.tpm",
    };

    [Fact]
    public void A_new_machine_gets_a_key_for_a_blank_TPM() => Assert.IsType<KeyVerdict.Release>(Scene.Judge());

    [Fact]
    public void The_state_that_was_returned_last_gets_its_key()
    {
        Assert.IsType<KeyVerdict.Release>(Showing(Newest, new TpmStateMark.Returned(Newest)));
        Assert.IsType<KeyVerdict.Release>(Showing(null, new TpmStateMark.Returned(null)));
    }

    [Fact]
    public void Refuses_an_older_state_and_a_blank_one_in_its_place()
    {
        AssertOnly(KeyRefusalCode.TpmStateRolledBack, Showing(Older, new TpmStateMark.Returned(Newest)));
        AssertOnly(KeyRefusalCode.TpmStateRolledBack, Showing(null, new TpmStateMark.Returned(Newest)));
        AssertOnly(KeyRefusalCode.TpmStateRolledBack, Showing(Older, new TpmStateMark.Returned(null)));
    }

    [Fact]
    public void Refuses_a_state_for_which_no_key_was_ever_made() =>
        AssertOnly(KeyRefusalCode.TpmStateUnknown, Showing(Older, new TpmStateMark.New()));

    [Fact]
    public void Refuses_a_copy_on_another_host_while_the_first_has_the_key() => AssertOnly(
        KeyRefusalCode.HeldByAnotherHost,
        (Scene with
        {
            State = Newest.Hex,
            Mark = new TpmStateMark.Out(Boot),
            Holders = ReleaseScene.HeldBy(2, Nonce),
        }).Judge());

    [Fact]
    public void The_holder_goes_on_in_the_same_boot_and_not_after_another_one()
    {
        var held = Scene with { State = Newest.Hex, Holders = ReleaseScene.HeldBy(1, Nonce) };
        Assert.IsType<KeyVerdict.Release>((held with { Mark = new TpmStateMark.Out(Boot) }).Judge());
        AssertOnly(
            KeyRefusalCode.TpmStateNotReturned,
            (held with { Mark = new TpmStateMark.Out(Guid.Parse("e0000000-0000-0000-0000-000000000001")) }).Judge());
    }

    [Fact]
    public void After_a_takeover_root_keys_answer_for_what_is_shown_next()
    {
        Assert.IsType<KeyVerdict.Release>(Showing(Older, new TpmStateMark.Open()));
        Assert.IsType<KeyVerdict.Release>(Showing(null, new TpmStateMark.Open()));
    }

    [Fact]
    public void Refuses_the_key_of_another_machines_TPM() => AssertOnly(
        KeyRefusalCode.TpmOfAnotherMachine, (Scene with { Volume = $"{ReleaseScene.Bank}/web-2.tpm" }).Judge());

    [Fact]
    public void Refuses_a_TPM_that_no_statement_demands() => AssertOnly(
        KeyRefusalCode.TpmNotDemanded, (Scene with { Example = ReleaseScene.Policies }).Judge());

    [Fact]
    public void Refuses_a_host_that_the_machines_domain_does_not_accept() => AssertOnly(
        KeyRefusalCode.AssuranceNotAccepted,
        (Scene with
        {
            Example = Scene.Example.With("bank/web.yaml", "assurance: [software]", "assurance: [software-tpm]"),
        }).Judge());

    [Theory]
    [InlineData("web-1.tpm", "0")]
    [InlineData("web-1.tpm", "0000000000000000000000000000000000000000000000000000000000000000 ")]
    [InlineData("web-1.TPM", "")]
    [InlineData("web-1.tpm.tpm", "")]
    [InlineData(".tpm", "")]
    public void A_request_of_another_form_is_none(string key, string state) => Assert.Null(ReleaseRequest.Read(
        (Scene with { Volume = $"{ReleaseScene.Bank}/{key}", State = state }).Request(), out _));

    [Fact]
    public void Every_mark_reads_back_and_nothing_else_does()
    {
        foreach (TpmStateMark mark in new TpmStateMark[]
        {
            new TpmStateMark.New(), new TpmStateMark.Open(), new TpmStateMark.Out(Boot),
            new TpmStateMark.Returned(Newest), new TpmStateMark.Returned(null),
        })
        {
            Assert.Equal(mark, TpmStateMark.Read(mark.Text));
            Assert.Null(TpmStateMark.Read(mark.Text + " "));
            Assert.Null(TpmStateMark.Read(mark.Text.ToUpperInvariant()));
        }

        Assert.Null(TpmStateMark.Read(""));
        Assert.Null(TpmStateMark.Read("out E0000000-0000-0000-0000-000000000000"));
    }

    [Fact]
    public void A_return_and_a_takeover_of_a_TPM_are_by_its_holder_and_by_its_domain()
    {
        var key = new KeySubject.MachineTpm(new CompartmentRef(ReleaseScene.Bank, StatementName.Parse("web-1")));
        byte[] envelope = HolderDocument.WriteReturn(
            key, Newest, Boot, ReleaseScene.HostOf(1), Nonce, ReleaseScene.Host1);
        var returned = HolderDocument.ReadReturn(envelope, out _);
        Assert.Equal(Newest, returned?.State);
        KeyCustody custody = new(
            ReleaseScene.Bank, ReleaseScene.Host1.Id, NonceStanding.Good,
            ReleaseScene.HeldBy(1, Nonce), (_, _) => null);
        Assert.NotNull(returned);
        Assert.IsType<HolderVerdict.Cleared>(HolderControl.Decide(returned, Scene.Datacentre, custody));

        Signatory root = new(StatementKind.Tenant, "bank", 3, 2);
        var book = Assert.IsType<StatementVerdict.Accepted>(StatementBook.Empty.Consider(root.Root())).Next;
        RootKeys keys = book.RootInForce(root.Id)?.Keys ?? throw new InvalidOperationException();
        var takeover = HolderDocument.ReadTakeover(
            HolderDocument.WriteTakeover(key, ReleaseScene.HostOf(1), Nonce, [root.Keys[0]]), out _);
        Assert.NotNull(takeover);
        Assert.IsType<HolderVerdict.Cleared>(HolderControl.Decide(takeover, Scene.Datacentre, keys, custody));
        var demanding = (Scene with
        {
            Example = Scene.Example.With("bank/web.yaml", "approvals: {takeover: 1}", "approvals: {takeover: 2}"),
        }).Datacentre;
        var refused = Assert.IsType<HolderVerdict.Refused>(
            HolderControl.Decide(takeover, demanding, keys, custody));
        Assert.Equal(KeyRefusalCode.TooFewApprovals, Assert.Single(refused.Refusals).Code);
    }

    [Fact]
    public void A_holder_that_started_anew_cannot_give_back_what_it_may_not_go_on_with()
    {
        var key = new KeySubject.MachineTpm(new CompartmentRef(ReleaseScene.Bank, StatementName.Parse("web-1")));
        KeyCustody custody = new(
            ReleaseScene.Bank, ReleaseScene.Host1.Id, NonceStanding.Good,
            ReleaseScene.HeldBy(1, Nonce), (_, _) => null)
        { Mark = new TpmStateMark.Out(Boot) };
        Assert.IsType<HolderVerdict.Cleared>(Return(Boot));
        var refused = Assert.IsType<HolderVerdict.Refused>(Return(Guid.Parse("e0000000-0000-0000-0000-000000000001")));
        Assert.Equal(KeyRefusalCode.TpmStateNotReturned, Assert.Single(refused.Refusals).Code);

        HolderVerdict Return(Guid boot) => HolderControl.Decide(
            HolderDocument.ReadReturn(
                HolderDocument.WriteReturn(key, Older, boot, ReleaseScene.HostOf(1), Nonce, ReleaseScene.Host1), out _)
                    ?? throw new InvalidOperationException(),
            Scene.Datacentre, custody);
    }

    private static KeyVerdict Showing(Digest32? state, TpmStateMark mark) =>
        (Scene with { State = state?.Hex ?? "", Mark = mark }).Judge();

    private static void AssertOnly(KeyRefusalCode code, KeyVerdict verdict)
    {
        var refused = Assert.IsType<KeyVerdict.Refused>(verdict);
        Assert.Equal([code], refused.Refusals.Select(refusal => refusal.Code));
    }
}
