using System.Text.Json;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.Domains.KeyRelease;

/// <summary>With which header a volume's key is released, and on whose word a header is bound.</summary>
public sealed class VolumeHeaderReleaseTests
{
    private static readonly DateTimeOffset Then = new(2026, 11, 20, 9, 8, 7, TimeSpan.Zero);
    private static readonly Digest32 Ours = Digest32.Of("ours"u8), Other = Digest32.Of("other"u8);
    private static readonly VolumeHeaderMark Bound = new VolumeHeaderMark.Bound(Ours, Then);
    private static readonly KeySubject.Volume Volume =
        new(new VolumeRef(ReleaseScene.Bank, StatementName.Parse("web-1-data")));

    private static readonly KeyNonce Nonce = KeyNonce.Of(new byte[32]) ?? throw new InvalidOperationException();
    private static readonly KeyHolders Held = ReleaseScene.HeldBy(1, Nonce);

    [Fact]
    public void A_blank_volume_and_one_with_its_own_header_are_released()
    {
        Assert.IsType<KeyVerdict.Release>(Showing(null, new VolumeHeaderMark.New()));
        Assert.IsType<KeyVerdict.Release>(Showing(null, new VolumeHeaderMark.Blank()));
        Assert.IsType<KeyVerdict.Release>(Showing(Ours, new VolumeHeaderMark.Blank()));
        Assert.IsType<KeyVerdict.Release>(Showing(Ours, Bound));
    }

    [Fact]
    public void Refuses_another_header_than_the_volume_has()
    {
        KeyRefusal refusal = Only(KeyRefusalCode.HeaderDiffers, Showing(Other, Bound));
        Assert.Contains(Ours.Hex[..16], refusal.Sentence, StringComparison.Ordinal);
        Assert.Contains(Other.Hex[..16], refusal.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_a_blank_volume_in_the_place_of_one_that_has_a_header() =>
        Only(KeyRefusalCode.HeaderMissing, Showing(null, Bound));

    [Fact]
    public void Refuses_a_header_for_which_no_key_was_ever_made() =>
        Only(KeyRefusalCode.HeaderUnknown, Showing(Ours, new VolumeHeaderMark.New()));

    [Fact]
    public void Refuses_a_file_of_a_volume_that_is_to_be_filled_until_its_content_is_confirmed()
    {
        Example filled = ReleaseScene.Policies
            .With(
                "bank/images.yaml", "arguments:",
                $"disk: {{sha256: {new string('a', 64)}, sizeMiB: 16}}\narguments:")
            .With(
                "bank/web.yaml", "name: web-1-data\n", "name: web-1-data\nfrom: {image: guest}\n");
        ReleaseScene scene = Scene(Ours, new VolumeHeaderMark.Blank()) with { Example = filled };
        Only(KeyRefusalCode.ContentUnfinished, scene.Judge());

        // Without a file it is filled; with a bound header it was; and a blank volume's file counts when it is shown.
        Assert.IsType<KeyVerdict.Release>((scene with { State = "" }).Judge());
        Assert.IsType<KeyVerdict.Release>((scene with { Header = Bound }).Judge());
        Assert.IsType<KeyVerdict.Release>((scene with { Example = ReleaseScene.Policies }).Judge());
    }

    [Fact]
    public void The_reasons_stand_beside_those_against_the_evidence()
    {
        KeyVerdict verdict = (Scene(Other, Bound) with { EvidenceSigner = ReleaseScene.Stranger }).Judge();
        Assert.Equal(
            [KeyRefusalCode.EvidenceSignature, KeyRefusalCode.HeaderDiffers],
            Assert.IsType<KeyVerdict.Refused>(verdict).Refusals.Select(one => one.Code));
    }

    [Fact]
    public void The_sealed_key_is_bound_to_tenant_volume_header_policy_host_boot_session_and_nonce()
    {
        ReleaseScene scene = Scene(Ours, Bound);
        var release = Assert.IsType<KeyVerdict.Release>(scene.Judge());
        JsonElement context = JsonElement.Parse(release.Context.Write());
        Assert.Equal(
            [
                "access", "attestationKey", "boot", "compartment", "compartmentRevision", "copy", "domainRevision",
                "header", "host", "key", "nonce", "restartSeconds", "session", "tenant",
            ],
            context.EnumerateObject().Select(one => one.Name));
        Assert.Equal(Ours.Hex, context.GetProperty("header").GetString());
        Assert.Equal("write", context.GetProperty("access").GetString());
        Assert.Equal(scene.Volume, context.GetProperty("key").GetString());
        var blank = Assert.IsType<KeyVerdict.Release>(Showing(null, new VolumeHeaderMark.New()));
        Assert.Equal("", JsonElement.Parse(blank.Context.Write()).GetProperty("header").GetString());
    }

    [Fact]
    public void The_first_header_that_is_shown_or_told_binds_and_none_after_it()
    {
        VolumeHeaderMark mark = new VolumeHeaderMark.New();
        mark = mark.After(null, Then);
        Assert.Equal(new VolumeHeaderMark.Blank(), mark);
        Assert.Equal(mark, mark.After(null, Then));
        mark = mark.After(Ours, Then);
        Assert.Equal(Bound, mark);
        foreach (Digest32? shown in new[] { Ours, Other, null })
        {
            Assert.Equal(Bound, mark.After(shown, Then.AddDays(1)));
        }
    }

    [Fact]
    public void A_mark_is_read_as_it_was_written_and_nothing_else_is_one()
    {
        foreach (VolumeHeaderMark mark in new[] { new VolumeHeaderMark.New(), new VolumeHeaderMark.Blank(), Bound })
        {
            Assert.Equal(mark, VolumeHeaderMark.Read(mark.Text));
            Assert.Null(VolumeHeaderMark.Read(mark.Text + " "));
            Assert.Null(VolumeHeaderMark.Read(mark.Text.ToUpperInvariant()));
            Assert.Null(VolumeHeaderMark.Read(mark.Text[..^1]));
        }

        Assert.Equal($"header {Ours.Hex} 2026-11-20T09:08:07Z", Bound.Text);
        foreach (string? text in new[] { null, "", "open", "header", $"header {Ours.Hex}", "header  " })
        {
            Assert.Null(VolumeHeaderMark.Read(text));
        }
    }

    [Fact]
    public void A_holders_word_binds_a_header_to_a_blank_volume_and_may_be_said_twice()
    {
        foreach (VolumeHeaderMark mark in new[] { new VolumeHeaderMark.Blank(), Bound })
        {
            var accepted = Assert.IsType<HeaderVerdict.Accepted>(Told(custody => custody with { Header = mark }));
            Assert.Equal(Ours, accepted.Document.Made);
            Assert.Equal(Volume, accepted.Document.Key);
        }
    }

    [Fact]
    public void Refuses_another_header_once_one_is_bound() => Refused(
        [KeyRefusalCode.HeaderDiffers],
        Told(custody => custody with { Header = new VolumeHeaderMark.Bound(Other, Then) }));

    [Fact]
    public void Refuses_the_word_of_a_host_that_does_not_hold_the_key_so()
    {
        KeyNonce older = KeyNonce.Of([1, .. new byte[31]]) ?? throw new InvalidOperationException();
        foreach (KeyHolders holder in new[]
        {
            KeyHolders.Nobody, ReleaseScene.HeldBy(2, Nonce),
            ReleaseScene.HeldBy(1, older),
        })
        {
            Refused([KeyRefusalCode.NotHeldSo], Told(custody => custody with { Holders = holder }));
        }
    }

    [Fact]
    public void Refuses_the_word_of_another_than_the_holder()
    {
        Refused([KeyRefusalCode.DocumentSignature], Told(custody => custody, ReleaseScene.Stranger));
        Refused([KeyRefusalCode.CallerNotHost], Told(custody => custody with { Caller = ReleaseScene.Host2.Id }));
        Refused([KeyRefusalCode.TenantNotServed], Told(custody => custody with { Tenant = ReleaseScene.Hospital }));
    }

    [Fact]
    public void Reads_no_header_of_another_form()
    {
        byte[] whole = HolderDocument.WriteHeader(Volume, Ours, ReleaseScene.HostOf(1), Nonce, ReleaseScene.Host1);
        Assert.NotNull(HolderDocument.ReadHeader(whole, out _));
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Null(HolderDocument.ReadHeader(whole.AsSpan(0, length), out _));
        }

        // A return says which state a TPM has, and nothing of a header.
        Assert.Null(HolderDocument.ReadReturn(whole, out _));
        Assert.Null(HolderDocument.ReadHeader(Returning(null), out _));
        Assert.NotNull(HolderDocument.ReadReturn(Returning(null), out _));
        Assert.Null(HolderDocument.ReadReturn(Returning(Ours), out _));
    }

    [Fact]
    public void Reads_no_request_whose_header_is_no_digest()
    {
        Assert.NotNull(ReleaseRequest.Read(Scene(Ours, Bound).Request(), out _));
        foreach (string text in new[] { Ours.Hex[..^2], Ours.Hex.ToUpperInvariant(), " ", "blank" })
        {
            Assert.Null(ReleaseRequest.Read(new ReleaseScene { State = text }.Request(), out _));
        }
    }

    private static byte[] Returning(Digest32? state) => HolderDocument.WriteReturn(
        Volume, state, Guid.Empty, ReleaseScene.HostOf(1), Nonce, ReleaseScene.Host1);

    private static ReleaseScene Scene(Digest32? header, VolumeHeaderMark mark) =>
        new() { State = header?.Hex ?? "", Header = mark };

    private static KeyVerdict Showing(Digest32? header, VolumeHeaderMark mark) => Scene(header, mark).Judge();

    private static HeaderVerdict Told(Func<KeyCustody, KeyCustody> change, EcdsaSigner? signer = null)
    {
        HolderDocument.Header document = HolderDocument.ReadHeader(
            HolderDocument.WriteHeader(Volume, Ours, ReleaseScene.HostOf(1), Nonce, signer ?? ReleaseScene.Host1),
            out string fault) ?? throw new InvalidOperationException(fault);
        ReleaseScene scene = new() { Holders = Held, Header = new VolumeHeaderMark.Blank() };
        return HeaderControl.Decide(document, scene.Datacentre, change(scene.Custody()));
    }

    private static void Refused(KeyRefusalCode[] codes, HeaderVerdict verdict) =>
        Assert.Equal(codes, Assert.IsType<HeaderVerdict.Refused>(verdict).Refusals.Select(one => one.Code));

    private static KeyRefusal Only(KeyRefusalCode code, KeyVerdict verdict)
    {
        KeyRefusal only = Assert.Single(Assert.IsType<KeyVerdict.Refused>(verdict).Refusals);
        Assert.Equal(code, only.Code);
        return only;
    }
}
