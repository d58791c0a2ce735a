using Bailiwick.Domains.Policy;

namespace Bailiwick.Tests.Domains.Policy;

public sealed class PolicyDiffTests
{
    private static readonly CheckedDatacentre Clean = Example.ThreeTenants.Check().Datacentre;

    public static TheoryData<string, string, string, PolicyEffect, PolicyChangeCode, string> Changes => new()
    {
        { "bank/web.yaml", "ports: [5432]", "ports: [5433]", PolicyEffect.Closes, PolicyChangeCode.NetworkFlow,
            "bank/web (web-1, web-2) may no longer reach bank/ledger (ledger-1, ledger-2): tcp 5432." },
        { "bank/web.yaml", "machines: [front]", "machines: [web-1]", PolicyEffect.Closes, PolicyChangeCode.NetworkFlow,
            "bank/web (web-2) may no longer reach bank/ledger (ledger-1, ledger-2): tcp 5432." },
        { "bank/web.yaml", "assurance: [software]", "assurance: [software, software-tpm]", PolicyEffect.Opens,
            PolicyChangeCode.HostDemand, "bank/web now accepts hosts that give software-tpm." },
        { "bank/web.yaml", "[CH, DE]", "[CH]", PolicyEffect.Closes, PolicyChangeCode.HostDemand,
            "bank/web no longer accepts hosts in DE." },
        { "bank/web.yaml", "images: [guest]", "images: [guest]\n  firmware: ovmf", PolicyEffect.Closes,
            PolicyChangeCode.MachineDemand, "strengthened, firmware: any becomes ovmf" },
        { "bank/web.yaml", "images: [guest]", "images: [guest]\n  tpm: required", PolicyEffect.Closes,
            PolicyChangeCode.MachineDemand, "strengthened, TPM: any becomes required" },
        { "bank/web.yaml", "groups: {", "services: {addresses: {machine: web-1}, names: host}\ngroups: {",
            PolicyEffect.Changes, PolicyChangeCode.NetworkServices,
            "addresses by nobody, names by nobody becomes addresses by the machine web-1, names by each host" },
        { "bank/web.yaml", "ipv4: 10.20.1.11, ", "ipv4: 10.20.1.11, limit: {inMbit: 100}, ", PolicyEffect.Changes,
            PolicyChangeCode.MachineDescription, "web 100 Mbit/s in unlimited out" },
        { "bank/web.yaml", "name: web-1\n", "name: web-1\nrestart: {within: 8h}\n", PolicyEffect.Opens,
            PolicyChangeCode.MachineDescription, "may be restarted without its key service" },
        { "bank/images.yaml", "arguments:", "bootVolume: {file: root.img}\narguments:", PolicyEffect.Changes,
            PolicyChangeCode.Software, "boot volume file:root.img" },
        { "bank/images.yaml", "arguments:", "disk: {file: base.raw, sizeMiB: 8}\narguments:", PolicyEffect.Changes,
            PolicyChangeCode.Software, "disk file:base.raw of 8 MiB" },
        { "hospital/records.yaml", "confidentiality: untrusted-links", "confidentiality: none", PolicyEffect.Opens,
            PolicyChangeCode.NetworkConfidentiality, "weakened" },
        { "hospital/records.yaml", "confidentiality: untrusted-links", "confidentiality: always", PolicyEffect.Closes,
            PolicyChangeCode.NetworkConfidentiality, "strengthened" },
        { "hospital/records.yaml", "confidentiality: required", "confidentiality: none", PolicyEffect.Opens,
            PolicyChangeCode.StorageConfidentiality, "weakened" },
        { "hospital/records.yaml", "approvals: {takeover: 1}\n", "", PolicyEffect.Closes, PolicyChangeCode.Approvals,
            "always refused" },
        { "hospital/records.yaml", "takeover: 1", "takeover: 2", PolicyEffect.Closes, PolicyChangeCode.Approvals,
            "approved by 2 keys" },
        { "hospital/records.yaml", "expires: 2036", "expires: 2037", PolicyEffect.Opens, PolicyChangeCode.Expiry,
            "2037-01-01T00:00:00Z" },
        { "hospital/records.yaml", "quota: {machines: 4", "quota: {machines: 3", PolicyEffect.Closes,
            PolicyChangeCode.Capacity, "4 becomes 3" },
        { "hospital/records.yaml", "access: write", "access: read", PolicyEffect.Closes, PolicyChangeCode.Membership,
            "may no longer write" },
        { "bank/web.yaml", "groups: {", "information: {notTo: [hospital/records]}\ngroups: {", PolicyEffect.Closes,
            PolicyChangeCode.Information, "Information of bank/web must not come to hospital/records." },
        { "bank/web.yaml", "groups: {", "information: {conflicts: [{class: c, with: [hospital/records]}]}\ngroups: {",
            PolicyEffect.Closes, PolicyChangeCode.Information,
            "Information of bank/web must not meet that of hospital/records (c)." },
        { "bank/web.yaml", "groups: {", "information: {jurisdictions: [CH, DE]}\ngroups: {", PolicyEffect.Closes,
            PolicyChangeCode.Information, "Information of bank/web may come into CH, DE only." },
        { "hospital/images.yaml", "quiet", "debug", PolicyEffect.Changes, PolicyChangeCode.Software, "debug" },
        { "alpine/datacentre.yaml", "[hospital, bank, regulator]", "[hospital, bank]", PolicyEffect.Closes,
            PolicyChangeCode.Tenant, "no longer admits the tenant regulator" },
        { "alpine/hosts.yaml", "jurisdiction: DE", "jurisdiction: CH", PolicyEffect.Changes, PolicyChangeCode.Host,
            "host-3" },
        { "alpine/hosts.yaml", "medium: trusted-segment", "medium: untrusted", PolicyEffect.Changes,
            PolicyChangeCode.Link, "untrusted" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Says_what_opens_and_what_closes(
        string file, string old, string now, PolicyEffect effect, PolicyChangeCode code, string words)
    {
        var changed = Example.ThreeTenants.With(file, old, now).Check().Datacentre;

        Assert.Contains(PolicyDiff.Describe(Clean, changed), change =>
            change.Effect == effect && change.Code == code
                && change.Sentence.Contains(words, StringComparison.Ordinal));
        Assert.Equal(
            PolicyDiff.Describe(Clean, changed).Count(change => change.Effect == PolicyEffect.Opens),
            PolicyDiff.Describe(changed, Clean).Count(change => change.Effect == PolicyEffect.Closes));
    }

    [Fact]
    public void Says_nothing_when_nothing_changed() => Assert.Empty(PolicyDiff.Describe(Clean, Clean));

    [Fact]
    public void Says_nothing_when_only_the_text_changed()
    {
        var respelled = Example.ThreeTenants.With("bank/web.yaml", "ports: [5432]",
            "ports: [\"5432-5432\"]").Check();

        Assert.Empty(PolicyDiff.Describe(Clean, respelled.Datacentre));
    }
}
