using System.Text.Json;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.Domains.KeyRelease;

/// <summary>The key of a volume that is copied: to whom, while who else has it, and for nothing else.</summary>
public sealed class VolumeCopyReleaseTests
{
    private const string Web = "bank/web.yaml";
    private const string From = "from: {volume: base}";
    private static readonly Digest32 Header = Digest32.Of("header"u8);
    private static readonly VolumeHeaderMark Bound = new VolumeHeaderMark.Bound(Header, DateTimeOffset.UnixEpoch);
    private static readonly KeyNonce Nonce = KeyNonce.Of(new byte[32]) ?? throw new InvalidOperationException();
    private static readonly string Made = $"{ReleaseScene.Bank}/web-1-data";

    private static Example Policies { get; } = ReleaseScene.Policies.With(
        Web, "kind: Volume\nname: web-1-data\n",
        "kind: Volume\nname: base\ndomain: web\nsizeMiB: 16\nwipe: crypto-erase\n---\n"
        + $"kind: Volume\nname: web-1-data\n{From}\n");

    /// <summary>host-1 has the key of the copy for web-1, and asks for that of what is copied.</summary>
    private static ReleaseScene Copying { get; } = new()
    {
        Example = Policies,
        Volume = $"{ReleaseScene.Bank}/base",
        Copy = Made,
        Header = Bound,
        State = Header.Hex,
        CopyHolders = ReleaseScene.HeldBy(1, Nonce),
        CopyHeader = new VolumeHeaderMark.Blank(),
    };

    [Fact]
    public void Releases_it_to_read_to_the_host_that_makes_the_copy_and_says_so_in_what_is_authenticated()
    {
        var release = Assert.IsType<KeyVerdict.Release>(Copying.Judge());
        Assert.True(release.IsCopying);
        Assert.Equal(VolumeAccess.Read, release.Access);
        JsonElement context = JsonElement.Parse(release.Context.Write());
        Assert.Equal(Made, context.GetProperty("copy").GetString());
        Assert.Equal("read", context.GetProperty("access").GetString());
        Assert.Equal(0, context.GetProperty("restartSeconds").GetInt64());
    }

    [Fact]
    public void The_copy_itself_is_released_without_a_file_and_with_none_before_it_is_whole()
    {
        ReleaseScene copy = new() { Example = Policies, Header = new VolumeHeaderMark.Blank() };
        Assert.IsType<KeyVerdict.Release>(copy.Judge());
        AssertOnly(KeyRefusalCode.ContentUnfinished, copy with { State = Header.Hex });
        Assert.IsType<KeyVerdict.Release>((copy with { Header = Bound, State = Header.Hex }).Judge());
    }

    [Fact]
    public void Refuses_who_does_not_hold_the_key_of_the_copy_for_the_very_machine()
    {
        AssertOnly(KeyRefusalCode.CopyNotHeld, Copying with { CopyHolders = KeyHolders.Nobody });
        AssertOnly(KeyRefusalCode.CopyNotHeld, Copying with { CopyHolders = ReleaseScene.HeldBy(2, Nonce) });
        AssertOnly(KeyRefusalCode.CopyNotHeld, Copying with { CopyHolders = ReleaseScene.HeldBy(1, Nonce, "web-2") });
        AssertOnly(KeyRefusalCode.CopyNotHeld, Copying with { CopyHolders = Copier(1, "web-1") });
    }

    [Fact]
    public void Refuses_once_the_copy_is_made() =>
        AssertOnly(KeyRefusalCode.CopyMade, Copying with { CopyHeader = Bound });

    [Fact]
    public void Refuses_what_no_statement_says_is_copied()
    {
        AssertOnly(KeyRefusalCode.CopyNotStated, Copying with { Example = Policies.With(Web, From + "\n", "") });
        Assert.Contains(KeyRefusalCode.CopyNotStated, Codes(Copying with { Copy = $"{ReleaseScene.Bank}/web-9" }));
        Assert.Equal(
            [KeyRefusalCode.VolumeNotAttached, KeyRefusalCode.CopyNotStated],
            Codes(Copying with { Copy = $"{ReleaseScene.Bank}/web-2-data" }));
        Assert.Equal(
            [KeyRefusalCode.VolumeNotAttached, KeyRefusalCode.ForeignReference, KeyRefusalCode.CopyNotStated],
            Codes(Copying with { Copy = $"{ReleaseScene.Hospital}/records-1-data" }));
        Assert.Contains(
            KeyRefusalCode.CopyNotStated,
            Codes(Copying with { Volume = $"{ReleaseScene.Bank}/web-1.tpm", State = "" }));
    }

    [Fact]
    public void Refuses_a_machine_of_another_tenant_and_one_without_the_copy()
    {
        Assert.Contains(
            KeyRefusalCode.ForeignReference,
            Codes(Copying with { Compartment = $"{ReleaseScene.Hospital}/records-1" }));
        Assert.Contains(
            KeyRefusalCode.VolumeNotAttached, Codes(Copying with { Compartment = $"{ReleaseScene.Bank}/web-2" }));
        AssertOnly(KeyRefusalCode.VolumeNotAttached, Copying with { Copy = "" });
    }

    [Fact]
    public void Refuses_to_copy_what_was_never_made_or_lies_there_otherwise()
    {
        AssertOnly(KeyRefusalCode.VolumeBlank, Copying with { Header = new VolumeHeaderMark.New() });
        AssertOnly(KeyRefusalCode.VolumeBlank, Copying with { Header = new VolumeHeaderMark.Blank() });
        AssertOnly(KeyRefusalCode.HeaderDiffers, Copying with { State = Digest32.Of("other"u8).Hex });
        AssertOnly(KeyRefusalCode.HeaderMissing, Copying with { State = "" });
    }

    [Theory]
    [InlineData("exclusive", VolumeAccess.Read, false)]
    [InlineData("exclusive", VolumeAccess.Write, false)]
    [InlineData("readers", VolumeAccess.Read, true)]
    [InlineData("readers", VolumeAccess.Write, false)]
    [InlineData("writers", VolumeAccess.Read, true)]
    [InlineData("writers", VolumeAccess.Write, false)]
    public void Nobody_writes_what_is_copied_and_nobody_has_what_is_one_machines(
        string sharing, VolumeAccess other, bool may)
    {
        Example shared = Policies
            .With(Web, "placement: {hosts: [host-3], apartFrom: [web-1]}", "placement: {}")
            .With(Web, "name: base\n", $"name: base\nsharing: {sharing}\n")
            .With(Web, "- {volume: web-2-data, access: write}",
                $"- {{volume: web-2-data, access: write}}\n  - {{volume: base, access: {WireText.Of(other)}}}");
        ReleaseScene copier = Copying with
        {
            Example = shared, Holders = ReleaseScene.HeldBy(2, Nonce, "web-2", other),
        };
        ReleaseScene machine = new()
        {
            Example = shared, Volume = Copying.Volume, Compartment = $"{ReleaseScene.Bank}/web-2", Header = Bound,
            State = Header.Hex, Holders = Copier(1, "web-1"), Host = ReleaseScene.HostName(2),
            Caller = ReleaseScene.Host2.Id, RequestSigner = ReleaseScene.Host2, EvidenceSigner = ReleaseScene.Host2,
        };
        if (may)
        {
            Assert.IsType<KeyVerdict.Release>(copier.Judge());
            Assert.IsType<KeyVerdict.Release>(machine.Judge());
        }
        else
        {
            AssertOnly(KeyRefusalCode.HeldByAnotherHost, copier);
            AssertOnly(KeyRefusalCode.HeldByAnotherHost, machine);
        }

        Assert.IsType<KeyVerdict.Release>((machine with { Holders = KeyHolders.Nobody }).Judge());
    }

    [Fact]
    public void A_machine_has_not_what_is_copied_for_it_at_the_same_time_and_its_copier_may_ask_again()
    {
        Example both = Policies.With(
            Web, "- {volume: web-1-data, access: write}",
            "- {volume: web-1-data, access: write}\n  - {volume: base, access: read}");
        ReleaseScene copier = Copying with { Example = both };
        AssertOnly(
            KeyRefusalCode.HeldByAnotherMachine,
            copier with { Holders = ReleaseScene.HeldBy(1, Nonce, "web-1", VolumeAccess.Read) });
        AssertOnly(KeyRefusalCode.HeldByAnotherMachine, copier with { Copy = "", Holders = Copier(1, "web-1") });
        Assert.IsType<KeyVerdict.Release>((copier with { Holders = Copier(1, "web-1") }).Judge());
        Assert.IsType<KeyVerdict.Release>((copier with { Copy = "" }).Judge());
    }

    [Fact]
    public void Refuses_to_write_a_snapshot_and_lets_its_first_machine_fill_it_as_a_reader()
    {
        Example snapshot = Policies.With(Web, From, $"{From}\naccess: read");
        ReleaseScene reader = new()
        {
            Example = snapshot.With(
                Web, "{volume: web-1-data, access: write}", "{volume: web-1-data, access: read}"),
        };
        Assert.Equal(VolumeAccess.Read, Assert.IsType<KeyVerdict.Release>(reader.Judge()).Access);

        // A policy check leaves such a machine out; here it is another tenant's, whom it leaves where it is.
        const string ledger = "bank/ledger.yaml", archive = "name: ledger-archive\n";
        ReleaseScene lent = new()
        {
            Example = ReleaseScene.Policies
                .With(ledger, "sizeMiB: 1\n", "sizeMiB: 16\n")
                .With(ledger, archive, $"{archive}from: {{volume: ledger-1-data}}\naccess: read\n")
                .With(ledger, "{volume: ledger-archive, access: write}", "{volume: ledger-archive, access: read}")
                .With(ledger, "volume: {name: ledger-archive, access: read}",
                    "volume: {name: ledger-archive, access: write}")
                .With("regulator/inspection.yaml", "volume: {name: ledger-archive, access: read}",
                    "volume: {name: ledger-archive, access: write}")
                .With("regulator/inspection.yaml", "bank/ledger-archive, access: read}",
                    "bank/ledger-archive, access: write}")
                .With("regulator/inspection.yaml", "placement: {hosts: [host-3]}", "placement: {}"),
            Volume = $"{ReleaseScene.Bank}/ledger-archive",
            Compartment = $"{PartyId.Unsigned("regulator")}/inspector-1",
            Header = Bound,
            State = Header.Hex,
        };
        Assert.Contains(KeyRefusalCode.VolumeReadOnly, Codes(lent));
    }

    [Theory]
    [InlineData("mount: {hosts: [host-2]}", KeyRefusalCode.VolumeHostNotAllowed)]
    [InlineData("mount: {images: [other]}", KeyRefusalCode.VolumeImageNotAllowed)]
    public void What_is_demanded_for_the_volume_that_is_copied_is_demanded(string terms, KeyRefusalCode code) =>
        AssertOnly(code, Copying with { Example = Policies.With(Web, "name: base\n", $"name: base\n{terms}\n") });

    [Fact]
    public void Reads_no_request_that_names_a_copy_otherwise()
    {
        Assert.NotNull(ReleaseRequest.Read(Copying.Request(), out _));
        foreach (string text in new[] { "web-1-data", $"{Made}/", $"{Made}.tpm", " ", $"{Made} " })
        {
            Assert.Null(ReleaseRequest.Read((Copying with { Copy = text }).Request(), out _));
        }
    }

    private static KeyHolders Copier(int host, string machine) => KeyHolders.Of(
        new KeyHolder(
            ReleaseScene.HostOf(host), new CompartmentRef(ReleaseScene.Bank, StatementName.Parse(machine)),
            VolumeAccess.Read, Nonce) { IsCopying = true });

    private static KeyRefusalCode[] Codes(ReleaseScene scene) =>
        [.. Assert.IsType<KeyVerdict.Refused>(scene.Judge()).Refusals.Select(one => one.Code)];

    private static void AssertOnly(KeyRefusalCode code, ReleaseScene scene) => Assert.Equal([code], Codes(scene));
}
