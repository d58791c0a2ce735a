using System.Collections.Immutable;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Domains.KeyRelease;

/// <summary>After which events a volume is opened again is its statement's to say; without a word, any.</summary>
public sealed class MountEventTests
{
    private static readonly Guid Boot = new ReleaseScene().Claims().Boot;
    private static readonly Guid Earlier = Guid.Parse("e0000000-0000-0000-0000-000000000009");
    private static readonly KeyNonce Nonce = KeyNonce.Of(new byte[32]) ?? throw new InvalidOperationException();
    private static readonly KeyNonce Second = KeyNonce.Of([.. new byte[31], 2])
        ?? throw new InvalidOperationException();

    private static readonly HostRef Host = ReleaseScene.HostOf(1);

    private static KeyHolder Holder => Assert.Single(ReleaseScene.HeldBy(1, Nonce).All);

    /// <summary>A hold that began in this boot.</summary>
    private static VolumeMark Out => VolumeMark.New.Released(Holder, Boot, KeyHolders.Nobody, null, default);

    public static TheoryData<string?, string, string?> Ends => new()
    {
        { null, "returned", null },
        { null, "lost-trust", null },
        { "returned", "returned", null },
        { "takeover", "returned", "returned" },
        { "returned", "takeover", "takeover" },
        { "takeover", "takeover", null },
        { "returned, takeover", "lost-trust", "lost-trust" },
        { "returned, lost-trust", "lost-trust", null },
        { "returned, lost-trust", "host-restart", "host-restart" },
        { "host-restart", "host-restart", null },
        { "lost-trust, returned", "lost-trust after restart", "host-restart" },
        { "lost-trust, host-restart", "lost-trust after restart", null },
    };

    [Theory]
    [MemberData(nameof(Ends))]
    public void It_is_opened_again_only_after_what_its_statement_lists(string? after, string end, string? refused)
    {
        VolumeMark mark = end switch
        {
            "returned" => Out.Returned(Host, Nonce, Boot),
            "takeover" => Out.TrustLost(Nonce).TakenOver(Host, Nonce),
            "lost-trust" => Out.TrustLost(Nonce).Returned(Host, Nonce, Boot),
            "host-restart" => Out.Returned(Host, Nonce, Earlier),
            _ => Out.TrustLost(Nonce).Returned(Host, Nonce, Earlier),
        };
        AssertVerdict(refused, Scene(after, mark));
    }

    [Fact]
    public void Nothing_happened_to_a_volume_that_nobody_had() =>
        AssertVerdict(null, Scene("takeover", VolumeMark.New));

    [Fact]
    public void Whoever_has_it_asks_again_in_the_same_boot_and_opens_nothing_anew()
    {
        ReleaseScene held = Scene("takeover", Out) with { Holders = ReleaseScene.HeldBy(1, Nonce) };
        AssertVerdict(null, held);
        AssertVerdict("lost-trust", held with { Kept = Out.TrustLost(Nonce) });
        AssertVerdict(
            "host-restart",
            held with { Kept = VolumeMark.New.Released(Holder, Earlier, KeyHolders.Nobody, null, default) });
    }

    [Fact]
    public void A_hold_of_which_nothing_was_noted_counts_as_one_of_another_boot()
    {
        ReleaseScene held = Scene("returned", VolumeMark.New) with { Holders = ReleaseScene.HeldBy(1, Nonce) };
        AssertVerdict("host-restart", held);
        AssertVerdict(null, held with { Example = ReleaseScene.Policies });
        Assert.Equal([MountEvent.HostRestart], VolumeMark.New.Returned(Host, Nonce, Boot).Ended?.Events ?? []);
    }

    [Fact]
    public void The_reason_names_what_happened_and_who_can_answer_for_it()
    {
        VolumeMark mark = Out.TrustLost(Nonce).Returned(Host, Nonce, Boot);
        Assert.Contains("volume takeover web-1-data --from host-1", Why(Scene("returned, takeover", mark)), Ordinal);
        string without = Why(Scene("returned", mark));
        Assert.DoesNotContain("volume takeover", without, Ordinal);
        Assert.Contains("host-1 was refused while it had the key", without, Ordinal);
    }

    [Fact]
    public void What_ended_stays_until_the_key_goes_to_somebody_new()
    {
        KeyHolder reader = Holder with
        {
            Machine = new CompartmentRef(ReleaseScene.Bank, StatementName.Parse("web-2")), Nonce = Second,
        };
        VolumeMark both = Out.Released(reader, Boot, KeyHolders.Of(Holder), null, default);
        VolumeMark one = both.TrustLost(Nonce).Returned(Host, Nonce, Boot);

        // The one that still has it asks again, and gives it back as it should: the other's end is not forgotten.
        KeyHolder again = reader with { Nonce = Nonce };
        VolumeMark asked = one.Released(again, Boot, KeyHolders.Of(reader), null, default);
        Assert.Equal([MountEvent.LostTrust], asked.Ended?.Events ?? []);
        VolumeMark all = asked.Returned(Host, Nonce, Boot);
        Assert.Equal([MountEvent.Returned, MountEvent.LostTrust], all.Ended?.Events ?? []);
        Assert.Null(all.Released(Holder, Boot, KeyHolders.Nobody, null, default).Ended);
        Assert.Equal([MountEvent.Takeover], all.Approved(Host, Nonce).Ended?.Events ?? []);
    }

    [Fact]
    public void Its_text_is_read_as_written_and_no_other()
    {
        VolumeMark mark = (Out with { Header = new VolumeHeaderMark.Bound(Digest32.Of("ours"u8), default) })
            .TrustLost(Nonce).Returned(Host, Nonce, Earlier)
            .Released(Holder with { Nonce = Second }, Boot, KeyHolders.Of(Holder), null, default);
        string text = mark.Text;
        Assert.Equal(text, VolumeMark.Read(text)?.Text);
        Assert.NotNull(VolumeMark.Read("blank"));
        for (int at = 0; at < text.Length; at++)
        {
            // A shorter text is another mark or none; it never passes for this one.
            Assert.NotEqual(text, VolumeMark.Read(text[..at])?.Text);
        }

        Assert.All(
            [$"{text}; {text}", text + " ", text + ";", "", "; held", "blank; ended never o/h n", "blank; held x y z"],
            other => Assert.Null(VolumeMark.Read(other)));
    }

    [Theory]
    [InlineData("after: [returned]", null)]
    [InlineData("after: [returned, takeover, lost-trust, host-restart], hosts: [host-1]", null)]
    [InlineData("after: []", FindingCode.EmptyList)]
    [InlineData("after: [never]", FindingCode.UnknownEnumValue)]
    [InlineData("after: [returned, returned]", FindingCode.DuplicateItem)]
    public void The_words_are_a_closed_set(string terms, FindingCode? finding)
    {
        ImmutableArray<Finding> found = ReleaseScene.Policies.With(
            "bank/web.yaml", "name: web-1-data\n", $"name: web-1-data\nmount: {{{terms}}}\n").Check().Findings;
        Assert.Equal(finding is null, found.IsEmpty);
        Assert.True(finding is not { } code || found.Any(one => one.Code == code));
    }

    private const StringComparison Ordinal = StringComparison.Ordinal;

    private static ReleaseScene Scene(string? after, VolumeMark mark) => new()
    {
        Kept = mark,
        State = (mark.Header as VolumeHeaderMark.Bound)?.Header.Hex ?? "",
        Header = mark.Header,
        Example = after is null ? ReleaseScene.Policies : ReleaseScene.Policies.With(
            "bank/web.yaml", "name: web-1-data\n", $"name: web-1-data\nmount: {{after: [{after}]}}\n"),
    };

    private static string Why(ReleaseScene scene)
    {
        KeyRefusal only = Assert.Single(Assert.IsType<KeyVerdict.Refused>(scene.Judge()).Refusals);
        Assert.Equal(KeyRefusalCode.VolumeEventNotAllowed, only.Code);
        return only.Sentence;
    }

    private static void AssertVerdict(string? refused, ReleaseScene scene)
    {
        if (refused is null)
        {
            Assert.IsType<KeyVerdict.Release>(scene.Judge());
        }
        else
        {
            Assert.Contains($"what happened is {refused}:", Why(scene), Ordinal);
        }
    }
}
