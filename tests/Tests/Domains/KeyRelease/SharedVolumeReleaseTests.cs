using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.Domains.KeyRelease;

/// <summary>The right key to the right machine, or none: of volumes that several machines have.</summary>
public sealed class SharedVolumeReleaseTests
{
    private const string Ledger = "bank/ledger.yaml";
    private const string Inspection = "regulator/inspection.yaml";
    private static readonly PartyId Regulator = PartyId.Unsigned("regulator");
    private static readonly Digest32 Header = Digest32.Of("header"u8);
    private static readonly KeyNonce Nonce = KeyNonce.Of(new byte[32]) ?? throw new InvalidOperationException();

    /// <summary>The bank's ledger-1 may run anywhere, and its archive was made.</summary>
    private static readonly Example Policies = ReleaseScene.Policies
        .With(Ledger, "placement: {hosts: [host-2]}", "placement: {}")
        .With(Inspection, "placement: {hosts: [host-3]}", "placement: {}");

    private static ReleaseScene Writer { get; } = new()
    {
        Example = Policies,
        Volume = $"{ReleaseScene.Bank}/ledger-archive",
        Compartment = $"{ReleaseScene.Bank}/ledger-1",
        Header = new VolumeHeaderMark.Bound(Header, DateTimeOffset.UnixEpoch),
        State = Header.Hex,
    };

    private static ReleaseScene Reader { get; } = Writer with { Compartment = $"{Regulator}/inspector-1" };

    [Fact]
    public void Releases_to_a_machine_of_another_tenant_what_both_policies_lend_it()
    {
        var release = Assert.IsType<KeyVerdict.Release>(Reader.Judge());
        Assert.Equal(VolumeAccess.Read, release.Access);
        Assert.Equal(VolumeSharing.Readers, release.Sharing);
        Assert.Equal("ledger", release.Domain.Name.Text);
        Assert.Equal(VolumeAccess.Write, Assert.IsType<KeyVerdict.Release>(Writer.Judge()).Access);
    }

    [Fact]
    public void Releases_to_readers_beside_the_writer_and_beside_each_other()
    {
        Assert.IsType<KeyVerdict.Release>((Reader with { Holders = Held(2, "ledger-1", true) }).Judge());
        Assert.IsType<KeyVerdict.Release>((Reader with { Holders = Held(2, "ledger-2", false) }).Judge());
        Assert.IsType<KeyVerdict.Release>((Writer with { Holders = Held(2, "ledger-2", false) }).Judge());
        Assert.IsType<KeyVerdict.Release>((Writer with { Holders = Held(1, "ledger-2", false) }).Judge());
    }

    [Fact]
    public void Refuses_a_second_writer_on_any_host_while_one_has_it()
    {
        AssertOnly(KeyRefusalCode.HeldByAnotherHost, Writer with { Holders = Held(2, "ledger-2", true) });
        AssertOnly(KeyRefusalCode.HeldByAnotherMachine, Writer with { Holders = Held(1, "ledger-2", true) });
    }

    [Fact]
    public void A_machine_is_on_one_host_whatever_it_shares()
    {
        AssertOnly(KeyRefusalCode.HeldByAnotherHost, Sharing("writers") with { Holders = Held(2, "ledger-1", true) });
        Assert.IsType<KeyVerdict.Release>((Sharing("writers") with { Holders = Held(2, "ledger-2", true) }).Judge());
        Assert.IsType<KeyVerdict.Release>((Sharing("writers") with { Holders = Held(1, "ledger-1", true) }).Judge());
    }

    [Fact]
    public void An_exclusive_volume_is_one_machines_also_on_one_host()
    {
        AssertOnly(
            KeyRefusalCode.HeldByAnotherMachine, Sharing("exclusive") with { Holders = Held(1, "ledger-2", false) });
        AssertOnly(
            KeyRefusalCode.HeldByAnotherHost, Sharing("exclusive") with { Holders = Held(2, "ledger-2", false) });
        Assert.IsType<KeyVerdict.Release>((Sharing("exclusive") with { Holders = Held(1, "ledger-1", true) }).Judge());
    }

    [Fact]
    public void Nobody_reads_what_nobody_made_and_one_alone_makes_it()
    {
        var blank = new VolumeHeaderMark.Blank();
        AssertOnly(KeyRefusalCode.VolumeBlank, Reader with { Header = new VolumeHeaderMark.New(), State = "" });
        AssertOnly(KeyRefusalCode.VolumeBlank, Reader with { Header = blank, State = "" });
        AssertOnly(KeyRefusalCode.VolumeBlank, Reader with { Header = blank });
        AssertOnly(
            KeyRefusalCode.VolumeBlank,
            Sharing("writers") with { Header = blank, State = "", Holders = Held(2, "ledger-2", true) });
        Assert.IsType<KeyVerdict.Release>((Writer with { Header = new VolumeHeaderMark.New(), State = "" }).Judge());
        Assert.IsType<KeyVerdict.Release>((Writer with { Header = blank }).Judge());
    }

    [Fact]
    public void Refuses_a_machine_whose_statement_does_not_name_the_volume()
    {
        Assert.Equal(
            [KeyRefusalCode.ForeignReference, KeyRefusalCode.VolumeNotAttached],
            Codes(Reader with { Volume = $"{ReleaseScene.Bank}/ledger-2-data" }));
        Assert.Equal(
            [KeyRefusalCode.ForeignReference, KeyRefusalCode.UnknownCompartment],
            Codes(Reader with { Compartment = $"{Regulator}/inspector-9" }));
        Assert.Equal(
            [KeyRefusalCode.ForeignReference, KeyRefusalCode.VolumeNotAttached],
            Codes(Reader with { Compartment = $"{ReleaseScene.Hospital}/records-1" }));
    }

    [Fact]
    public void Refuses_the_TPM_of_another_tenants_machine() => Assert.Contains(
        KeyRefusalCode.ForeignReference,
        Codes(Reader with { Volume = $"{ReleaseScene.Bank}/ledger-1.tpm", State = "" }));

    [Fact]
    public void Refuses_when_either_half_of_the_flow_is_withdrawn_or_is_of_another_volume()
    {
        const string grant = "    - {to: regulator/inspection, volume: {name: ledger-archive, access: read}}\n";
        const string accept = "    - {from: bank/ledger, volume: {name: ledger-archive, access: read}}\n";
        AssertOnly(KeyRefusalCode.VolumeFlowClosed, With(Ledger, grant, "    []\n"));
        AssertOnly(KeyRefusalCode.VolumeFlowClosed, With(Inspection, accept, "    []\n"));
        AssertOnly(
            KeyRefusalCode.VolumeFlowClosed,
            With(Ledger, grant, grant.Replace("ledger-archive", "ledger-1-data", StringComparison.Ordinal)));
        AssertOnly(
            KeyRefusalCode.VolumeFlowClosed,
            With(Inspection, accept, accept.Replace("ledger-archive", "ledger-1-data", StringComparison.Ordinal)));
    }

    [Fact]
    public void Refuses_to_write_what_is_lent_to_read() => AssertOnly(
        KeyRefusalCode.VolumeFlowClosed,
        With(Inspection, "bank/ledger-archive, access: read}", "bank/ledger-archive, access: write}"));

    [Fact]
    public void Judges_the_host_by_the_owners_demands_and_not_by_the_borrowers()
    {
        AssertOnly(
            KeyRefusalCode.JurisdictionNotAccepted, With(Ledger, "jurisdictions: [CH, DE]", "jurisdictions: [DE]"));
        Assert.IsType<KeyVerdict.Release>(
            With(Inspection, "jurisdictions: [CH, DE]", "jurisdictions: [DE]").Judge());
        AssertOnly(
            KeyRefusalCode.NoLease,
            Reader with { Doubt = (_, domain) => domain.Name.Text == "ledger" ? "it is a stranger." : null });
        Assert.IsType<KeyVerdict.Release>(
            (Reader with { Doubt = (_, domain) => domain.Name.Text == "inspection" ? "never heard." : null }).Judge());
    }

    [Fact]
    public void Refuses_a_borrower_whose_policy_expired_or_whom_the_datacentre_does_not_list()
    {
        AssertOnly(KeyRefusalCode.DomainExpired, With(Inspection, "2036-01-01", "2026-01-01"));
        Assert.Contains(
            KeyRefusalCode.TenantNotInDatacentre,
            Codes(With("alpine/datacentre.yaml", ", regulator", "")));
    }

    private static KeyHolders Held(int host, string machine, bool writes) => ReleaseScene.HeldBy(
        host, Nonce, machine, writes ? VolumeAccess.Write : VolumeAccess.Read);

    private static ReleaseScene Sharing(string word) => Writer with
    {
        Example = Policies.With(Ledger, "sharing: readers", $"sharing: {word}").With(
            Inspection, "  - {volume: bank/ledger-archive, access: read}\n", ""),
    };

    private static ReleaseScene With(string file, string old, string now) =>
        Reader with { Example = Policies.With(file, old, now) };

    private static KeyRefusalCode[] Codes(ReleaseScene scene) =>
        [.. Assert.IsType<KeyVerdict.Refused>(scene.Judge()).Refusals.Select(one => one.Code)];

    private static void AssertOnly(KeyRefusalCode code, ReleaseScene scene) => Assert.Equal([code], Codes(scene));
}
