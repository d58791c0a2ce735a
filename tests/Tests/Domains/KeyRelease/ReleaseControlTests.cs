using Bailiwick.Attestation;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Domains.KeyRelease;

/// <summary>Each reason is reached by one planted cause alone; without it the key is released.</summary>
public sealed class ReleaseControlTests
{
    private static readonly KeyNonce Earlier = KeyNonce.Of(new byte[32]) ?? throw new InvalidOperationException();

    [Fact]
    public void Releases_when_everything_is_right()
    {
        var release = Assert.IsType<KeyVerdict.Release>(new ReleaseScene().Judge());
        Assert.Equal(EvidenceAssurance.Software, release.Evidence.Assurance);
        Assert.NotEmpty(release.Because);
    }

    [Fact]
    public void Releases_again_to_the_holder_itself() =>
        Assert.IsType<KeyVerdict.Release>(
            new ReleaseScene { Holders = ReleaseScene.HeldBy(1, Earlier) }.Judge());

    [Fact]
    public void Refuses_while_another_host_holds_it() =>
        AssertOnly(
            KeyRefusalCode.HeldByAnotherHost,
            new() { Holders = ReleaseScene.HeldBy(2, Earlier) });

    [Fact]
    public void Refuses_another_services_tenant() =>
        AssertOnly(KeyRefusalCode.TenantNotServed, new() { Served = ReleaseScene.Hospital });

    [Fact]
    public void Refuses_what_belongs_to_another_tenant() =>
        AssertOnly(
            KeyRefusalCode.ForeignReference,
            new()
            {
                Volume = $"{ReleaseScene.Hospital}/records-1-data",
                Compartment = $"{ReleaseScene.Hospital}/records-1",
            });

    [Fact]
    public void Releases_a_key_of_the_domain_that_the_statement_names() =>
        Assert.Equal(
            new DomainRef(ReleaseScene.Bank, StatementName.Parse("web")),
            Assert.IsType<KeyVerdict.Release>(new ReleaseScene
            {
                Colour = new DomainRef(ReleaseScene.Bank, StatementName.Parse("web")),
            }.Judge()).Domain);

    [Fact]
    public void Refuses_a_key_that_was_made_for_another_domain() =>
        AssertOnly(
            KeyRefusalCode.ColourDiffers,
            new() { Colour = new DomainRef(ReleaseScene.Bank, StatementName.Parse("ledger")) });

    [Fact]
    public void A_destroyed_key_is_made_anew_only_for_a_newer_statement()
    {
        long revision = Assert.IsType<KeyVerdict.Release>(new ReleaseScene().Judge()).Revision;
        Assert.IsType<KeyVerdict.Release>(new ReleaseScene { Destroyed = revision - 1 }.Judge());
        AssertOnly(KeyRefusalCode.KeyDestroyed, new() { Destroyed = revision });
        AssertOnly(KeyRefusalCode.KeyDestroyed, new() { Destroyed = revision + 1 });
        Assert.IsType<KeyVerdict.Release>(new ReleaseScene { DomainDestroyed = revision - 1 }.Judge());
        AssertOnly(KeyRefusalCode.KeyDestroyed, new() { DomainDestroyed = revision });
    }

    [Fact]
    public void Refuses_an_unknown_volume() =>
        AssertOnly(KeyRefusalCode.UnknownVolume, new() { Volume = $"{ReleaseScene.Bank}/web-9-data" });

    [Fact]
    public void Refuses_an_unknown_machine() =>
        AssertOnly(KeyRefusalCode.UnknownCompartment, new() { Compartment = $"{ReleaseScene.Bank}/web-9" });

    [Fact]
    public void Refuses_a_volume_of_another_machine() =>
        AssertOnly(KeyRefusalCode.VolumeNotAttached, new() { Volume = $"{ReleaseScene.Bank}/web-2-data" });

    [Fact]
    public void Refuses_after_the_policy_expired() =>
        AssertOnly(
            KeyRefusalCode.DomainExpired, new() { Now = new DateTimeOffset(2036, 1, 1, 0, 0, 0, TimeSpan.Zero) });

    [Fact]
    public void Releases_until_the_policy_expires() =>
        Assert.IsType<KeyVerdict.Release>(
            new ReleaseScene { Now = new DateTimeOffset(2035, 12, 31, 23, 59, 59, TimeSpan.Zero) }.Judge());

    [Fact]
    public void Refuses_an_unknown_host() =>
        AssertOnly(KeyRefusalCode.UnknownHost, new() { Host = ReleaseScene.HostName(9) });

    [Fact]
    public void Refuses_a_host_without_an_identity_key() =>
        AssertOnly(KeyRefusalCode.UnknownHost, new() { Host = ReleaseScene.HostName(3) });

    [Fact]
    public void Refuses_an_assurance_that_the_domain_does_not_accept() =>
        AssertOnly(KeyRefusalCode.AssuranceNotAccepted, Web("assurance: [software]", "assurance: [software-tpm]"));

    [Fact]
    public void Refuses_a_country_that_the_domain_does_not_accept() =>
        AssertOnly(KeyRefusalCode.JurisdictionNotAccepted, Web("jurisdictions: [CH, DE]", "jurisdictions: [DE]"));

    [Theory]
    [InlineData("hosts: [host-2]", KeyRefusalCode.VolumeHostNotAllowed)]
    [InlineData("images: [other]", KeyRefusalCode.VolumeImageNotAllowed)]
    [InlineData("images: [guest, other], hosts: [host-2, host-3]", KeyRefusalCode.VolumeHostNotAllowed)]
    [InlineData("images: [guest]", null)]
    [InlineData("hosts: [host-1], images: [other, guest]", null)]
    public void A_volume_is_opened_only_from_the_images_and_on_the_hosts_that_its_statement_lists(
        string terms, KeyRefusalCode? code)
    {
        ReleaseScene scene = new()
        {
            Example = ReleaseScene.Policies.With(
                "bank/web.yaml", "name: web-1-data\n", $"name: web-1-data\nmount: {{{terms}}}\n"),
        };
        KeyVerdict verdict = scene.Judge();
        Assert.Equal(
            code is { } one ? [one] : [],
            (verdict as KeyVerdict.Refused)?.Refusals.Select(refusal => refusal.Code) ?? []);
        Assert.Equal(code is null, verdict is KeyVerdict.Release);
    }

    [Fact]
    public void Refuses_a_host_that_the_machine_does_not_choose() =>
        AssertOnly(
            KeyRefusalCode.HostNotChosen,
            new()
            {
                Host = ReleaseScene.HostName(2),
                Caller = ReleaseScene.Host2.Id,
                RequestSigner = ReleaseScene.Host2,
                EvidenceSigner = ReleaseScene.Host2,
            });

    [Fact]
    public void Refuses_a_request_that_another_signed() =>
        AssertOnly(
            KeyRefusalCode.RequestSignature,
            new()
            {
                RequestSigner = ReleaseScene.Stranger,
                Evidence = claims => claims with { ChannelKey = ReleaseScene.Host1.PublicKey },
            });

    [Fact]
    public void Refuses_a_caller_who_is_not_the_host() =>
        AssertOnly(
            KeyRefusalCode.CallerNotHost,
            new()
            {
                Caller = ReleaseScene.Host2.Id,
                Evidence = claims => claims with { ChannelKey = ReleaseScene.Host2.PublicKey },
            });

    [Theory]
    [InlineData(NonceStanding.Unknown, KeyRefusalCode.NonceUnknown)]
    [InlineData(NonceStanding.Used, KeyRefusalCode.NonceUsed)]
    [InlineData(NonceStanding.Expired, KeyRefusalCode.NonceExpired)]
    [InlineData(NonceStanding.OfAnotherCaller, KeyRefusalCode.NonceOfAnotherCaller)]
    public void Refuses_a_nonce_that_is_not_good(NonceStanding standing, KeyRefusalCode code) =>
        AssertOnly(code, new() { Standing = standing });

    [Fact]
    public void Refuses_evidence_that_another_signed() =>
        AssertOnly(KeyRefusalCode.EvidenceSignature, new() { EvidenceSigner = ReleaseScene.Stranger });

    [Fact]
    public void Refuses_evidence_of_another_host() =>
        AssertOnly(
            KeyRefusalCode.EvidenceOfOtherHost,
            new() { Evidence = claims => claims with { Host = ReleaseScene.HostName(2) } });

    [Fact]
    public void Refuses_evidence_for_another_channel() =>
        AssertOnly(
            KeyRefusalCode.EvidenceChannelKey,
            new() { Evidence = claims => claims with { ChannelKey = ReleaseScene.Stranger.PublicKey } });

    [Fact]
    public void Refuses_evidence_over_another_log() =>
        AssertOnly(KeyRefusalCode.EvidenceOtherLog, At(new("other.example", 7, ReleaseScene.Newest.Root)));

    [Fact]
    public void Refuses_evidence_over_a_checkpoint_not_yet_read() =>
        AssertOnly(KeyRefusalCode.EvidenceAhead, At(ReleaseScene.Newest with { Size = 8 }));

    [Fact]
    public void Refuses_evidence_over_another_history() =>
        AssertOnly(KeyRefusalCode.EvidenceForked, At(ReleaseScene.Newest with { Root = Digest32.Of("x"u8) }));

    [Fact]
    public void Refuses_stale_evidence() =>
        AssertOnly(KeyRefusalCode.EvidenceStale, At(ReleaseScene.Newest with { Size = 4 }));

    [Fact]
    public void Refuses_evidence_with_another_nonce() =>
        AssertOnly(
            KeyRefusalCode.EvidenceNonce, new() { Evidence = claims => claims with { Nonce = new byte[32] } });

    [Fact]
    public void Gives_every_reason_at_once()
    {
        var refused = Assert.IsType<KeyVerdict.Refused>(new ReleaseScene
        {
            Served = ReleaseScene.Hospital,
            Standing = NonceStanding.Used,
            EvidenceSigner = ReleaseScene.Stranger,
            Holders = ReleaseScene.HeldBy(2, Earlier),
        }.Judge());
        Assert.Equal(
            [
                KeyRefusalCode.TenantNotServed, KeyRefusalCode.NonceUsed, KeyRefusalCode.EvidenceSignature,
                KeyRefusalCode.HeldByAnotherHost,
            ],
            refused.Refusals.Select(refusal => refusal.Code));
    }

    private static ReleaseScene Web(string old, string replacement) =>
        new() { Example = ReleaseScene.Policies.With("bank/web.yaml", old, replacement) };

    private static ReleaseScene At(EvidenceCheckpoint checkpoint) =>
        new() { Evidence = claims => claims with { Checkpoint = checkpoint } };

    private static void AssertOnly(KeyRefusalCode code, ReleaseScene scene)
    {
        var refused = Assert.IsType<KeyVerdict.Refused>(scene.Judge());
        Assert.Equal([code], refused.Refusals.Select(refusal => refusal.Code));
    }
}
