using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.Domains.KeyRelease;

/// <summary>Prepared keys come in only where nothing is against it, and every reason against it is told.</summary>
public sealed class LoadControlTests
{
    private static readonly Example WithTpm = ReleaseScene.Policies
        .With("bank/web.yaml", "name: web-1\ncpus: 1", "name: web-1\ntpm: required\ncpus: 1");

    private static readonly CheckedDatacentre Datacentre = new ReleaseScene { Example = WithTpm }.Datacentre;
    private static readonly Digest32 Master = Digest32.Of("master"u8);

    private static LoadedNames Asked { get; } = new(
        ReleaseScene.Bank, Master, Domain("web"), [Key("web-1-data"), Key("web-1.tpm")]);

    private static LoadCustody Nothing { get; } = new(ReleaseScene.Bank, Master, _ => false)
    {
        Destroyed = _ => null, DomainDestroyed = _ => null,
    };

    private static long Revision => Datacentre.Machinery.Volumes[$"{ReleaseScene.Bank}/web-1-data"].Origin.Revision;

    [Fact]
    public void Accepts_keys_of_stated_things_that_have_none()
    {
        var accepted = Assert.IsType<LoadVerdict.Accepted>(LoadControl.Decide(Asked, Datacentre, Nothing));
        Assert.Same(Asked, accepted.Names);
        Assert.Equal(2, accepted.Revisions.Length);
        Assert.Equal(Revision, accepted.Revisions[0]);
    }

    [Fact]
    public void Refuses_another_tenant_and_says_so_of_every_name()
    {
        Assert.Equal(
            [KeyRefusalCode.TenantNotServed],
            Codes(Asked, Nothing with { Tenant = ReleaseScene.Hospital }));
        Assert.Equal(
            [KeyRefusalCode.ForeignReference, KeyRefusalCode.UnknownVolume],
            Codes(Asked with { Keys = [new KeySubject.Volume(
                new VolumeRef(ReleaseScene.Hospital, StatementName.Parse("web-1-data")))] }));
        Assert.Equal(
            [KeyRefusalCode.ForeignReference, KeyRefusalCode.UnknownDomain, KeyRefusalCode.ColourDiffers,
                KeyRefusalCode.ColourDiffers],
            Codes(Asked with { Domain = new DomainRef(ReleaseScene.Hospital, StatementName.Parse("web")) }));
    }

    [Fact]
    public void Refuses_keys_that_were_prepared_under_another_master_key() => Assert.Equal(
        [KeyRefusalCode.OtherMasterKey], Codes(Asked with { Master = Digest32.Of("the one before"u8) }));

    [Fact]
    public void Refuses_to_replace_a_key() => Assert.Equal(
        [KeyRefusalCode.KeyExists], Codes(Asked, Nothing with { HasKey = key => key == Key("web-1.tpm") }));

    [Fact]
    public void Refuses_what_was_destroyed_until_a_statement_is_newer()
    {
        Assert.Equal(
            [KeyRefusalCode.KeyDestroyed],
            Codes(Asked, Nothing with { Destroyed = key => key == Key("web-1-data") ? Revision : null }));
        Assert.Equal([], Codes(Asked, Nothing with { Destroyed = _ => Revision - 1 }));
        Assert.Equal(
            [KeyRefusalCode.KeyDestroyed],
            Codes(Asked, Nothing with { DomainDestroyed = domain => domain == Domain("web") ? 1000 : null }));
        Assert.Equal([], Codes(Asked, Nothing with { DomainDestroyed = _ => -1 }));
    }

    [Fact]
    public void Refuses_another_domain_than_the_statement_says() => Assert.Equal(
        [KeyRefusalCode.ColourDiffers, KeyRefusalCode.ColourDiffers], Codes(Asked with { Domain = Domain("ledger") }));

    [Fact]
    public void Refuses_what_no_statement_describes() => Assert.Equal(
        [KeyRefusalCode.UnknownDomain, KeyRefusalCode.UnknownVolume, KeyRefusalCode.UnknownCompartment,
            KeyRefusalCode.TpmNotDemanded, KeyRefusalCode.ColourDiffers],
        Codes(Asked with
        {
            Domain = Domain("nowhere"), Keys = [Key("nothing"), Key("nobody.tpm"), Key("web-2.tpm")],
        }));

    private static KeyRefusalCode[] Codes(LoadedNames asked, LoadCustody? known = null) =>
        LoadControl.Decide(asked, Datacentre, known ?? Nothing) is LoadVerdict.Refused refused
            ? [.. refused.Refusals.Select(refusal => refusal.Code)] : [];

    private static DomainRef Domain(string name) => new(ReleaseScene.Bank, StatementName.Parse(name));

    private static KeySubject Key(string name) =>
        KeySubject.Read($"{ReleaseScene.Bank}/{name}") ?? throw new InvalidOperationException(name);
}
