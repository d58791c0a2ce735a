using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.KeyRelease;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Refinement;

/// <summary>
/// A volume lies in clear only where its domain trusts the medium and the operator states it: neither word alone is
/// enough, and what lies in clear has no key.
/// </summary>
public sealed class TrustedMediaTests
{
    private const string Web = "bank/web.yaml";
    private const string Hosts = "alpine/hosts.yaml";
    private const string Demand = "  confidentiality: required\nquota";

    [Theory]
    [InlineData(null, null, true, "bank/web demands it")]
    [InlineData(null, "vault", true, "bank/web demands it")]
    [InlineData("alpine/vault", null, true, "nobody states on which medium the pool of alpine/host-1 is")]
    [InlineData("alpine/vault", "other", true, "does not trust the medium other")]
    [InlineData("bank/vault", "vault", true, "does not trust the medium vault")]
    [InlineData("alpine/vault", "vault", false, "bank/web trusts the medium vault")]
    public void It_is_in_clear_only_by_both_words(string? trusted, string? medium, bool encrypted, string because)
    {
        DiskPlan disk = Assert.Single(
            Refine.ForHost(Policies(trusted, medium).Check().Datacentre, All, Host("host-1"), Now).Domains
                .SelectMany(domain => domain.Compartments)
                .Single(machine => machine.DisplayName == "bank/web-1").Disks);
        Assert.Equal(encrypted, disk.Encrypted);
        Assert.EndsWith(encrypted ? ".luks" : ".raw", disk.FileName, StringComparison.Ordinal);
        Assert.Contains(because, disk.Reason.Sentence, StringComparison.Ordinal);
        Assert.Equal(!encrypted, disk.Reason.Because.Any(one => one.Kind == StatementKind.Host));
    }

    [Fact]
    public void What_lies_in_clear_has_no_key_and_what_has_a_key_is_never_in_clear()
    {
        ReleaseScene scene = new() { Example = In(ReleaseScene.Policies, "alpine/vault", "other") };
        Assert.IsType<KeyVerdict.Release>(scene.Judge());
        ReleaseScene clear = scene with { Example = In(ReleaseScene.Policies, "alpine/vault", "vault") };
        Assert.DoesNotContain("is ciphertext:", Why(clear), StringComparison.Ordinal);
        Assert.Contains(
            "is ciphertext:",
            Why(clear with { Colour = new DomainRef(ReleaseScene.Bank, StatementName.Parse("web")) }),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", FindingCode.EmptyList)]
    [InlineData("[vault]", FindingCode.BadReference)]
    [InlineData("[nobody/vault]", FindingCode.UnknownParty)]
    [InlineData("[alpine/vault, alpine/vault]", FindingCode.DuplicateItem)]
    public void A_medium_is_named_with_its_operator(string media, FindingCode code)
    {
        Assert.Empty(Policies("alpine/vault", "vault").Check().Findings);
        Example wrong = Example.ThreeTenants.With(
            Web, Demand, $"  confidentiality: required\n  trustedMedia: {media}\nquota");
        Assert.Contains(code, wrong.Check().Findings.Select(one => one.Code));
    }

    [Fact]
    public void What_is_filled_is_under_a_key_and_so_never_of_such_a_domain()
    {
        Example filled = Policies("alpine/vault", "vault")
            .With(Web, "name: web-1-data\n", "name: web-1-data\nfrom: {volume: web-2-data}\n");
        Assert.Contains(FindingCode.ContentNeedsCiphertext, filled.Check().Findings.Select(one => one.Code));
        Assert.DoesNotContain(
            FindingCode.ContentNeedsCiphertext,
            Policies(null, "vault").With(Web, "name: web-1-data\n", "name: web-1-data\nfrom: {volume: web-2-data}\n")
                .Check().Findings.Select(one => one.Code));
    }

    [Fact]
    public void To_trust_a_medium_is_shown_as_what_it_is()
    {
        PolicyChange change = Assert.Single(PolicyDiff.Describe(
            Policies(null, "vault").Check().Datacentre, Policies("alpine/vault", "vault").Check().Datacentre));
        Assert.Equal(
            (PolicyEffect.Opens, PolicyChangeCode.StorageConfidentiality), (change.Effect, change.Code));
    }

    private static string Why(ReleaseScene scene)
    {
        KeyRefusal only = Assert.Single(Assert.IsType<KeyVerdict.Refused>(scene.Judge()).Refusals);
        Assert.Equal(KeyRefusalCode.VolumeInClear, only.Code);
        return only.Sentence;
    }

    private static Example Policies(string? trusted, string? medium) => In(Example.ThreeTenants, trusted, medium);

    private static Example In(Example example, string? trusted, string? medium)
    {
        if (trusted is not null)
        {
            example = example.With(
                Web, Demand, $"  confidentiality: required\n  trustedMedia: [{trusted}]\nquota");
        }

        return medium is null
            ? example
            : example.With(Hosts, "name: host-1\n", $"name: host-1\npool: {{medium: {medium}}}\n");
    }
}
