using System.Security.Cryptography;
using System.Text.Json;
using Bailiwick.Tests.Custody;

namespace Bailiwick.Tests.Cli;

/// <summary>Verbs that write statements of volumes and images into a directory of policies.</summary>
public sealed class VolumeEditingTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bailiwick-");

    public VolumeEditingTests() => SigningScene.CopyExample(At("policies"));

    [Fact]
    public void A_volume_is_stated_attached_shared_accepted_and_detached_and_the_policies_hold_together_each_time()
    {
        string ledger = Text("bank/ledger.yaml");

        Ending made = Run("volume", "create", "bank/ledger-notes", "--domain", "ledger", "--size-mib", "4");
        Ending attached = Run("volume", "attach", "bank/ledger-notes", "bank/ledger-2");
        Ending shared = Run("volume", "share", "bank/ledger-notes", "--with", "regulator/inspection");
        Ending accepted = Run(
            "volume", "accept", "bank/ledger-notes", "regulator/inspection", "--from", "bank/ledger");
        Ending lent = Run(
            "volume", "attach", "bank/ledger-notes", "regulator/inspector-1", "--access", "read", "--json");
        Ending checkedAll = CommandLine.Run(_root.FullName, "policy", "check", "policies");

        Assert.All([made, attached, shared, accepted, lent], one => Assert.True(one.Code == 0, one.ToString()));
        Assert.Equal((0, "No findings."), (checkedAll.Code, checkedAll.Output.Trim()));
        string now = Text("bank/ledger.yaml");
        Assert.Contains("""
            ---
            kind: Volume
            name: ledger-notes
            domain: ledger
            sizeMiB: 4
            wipe: crypto-erase
            sharing: readers
            """, now, StringComparison.Ordinal);
        Assert.Contains("  - {volume: ledger-2-data, access: write}\n  - {volume: ledger-notes, access: write}\n", now,
            StringComparison.Ordinal);
        Assert.Contains("- {to: regulator/inspection, volume: {name: ledger-notes, access: read}}", now,
            StringComparison.Ordinal);
        Assert.Contains("+ name: ledger-notes", made.Output, StringComparison.Ordinal);
        Assert.Contains("bailiwick volume accept bank/ledger-notes regulator/inspection", shared.Output,
            StringComparison.Ordinal);
        // Every line that was there is there still, comments with them.
        Assert.Empty(ledger.Split('\n').Except(now.Split('\n')));
        JsonElement change = Assert.Single(lent.Json.GetProperty("changes").EnumerateArray());
        Assert.Equal("  - {volume: bank/ledger-notes, access: read}",
            Assert.Single(change.GetProperty("added").EnumerateArray()).GetString());

        Ending returned = Run("volume", "detach", "bank/ledger-notes", "regulator/inspector-1");
        Ending detached = Run("volume", "detach", "bank/ledger-notes", "bank/ledger-2");

        Assert.Equal((0, 0), (returned.Code, detached.Code));
        Assert.DoesNotContain("volume: ledger-notes,", Text("bank/ledger.yaml"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not-enough", "volume create bank/huge --domain ledger --size-mib 100000", 1)]
    [InlineData("twice", "volume create bank/ledger-archive --domain ledger --size-mib 1", 2)]
    [InlineData("no domain", "volume create bank/x --domain nowhere --size-mib 1", 2)]
    [InlineData("no party", "volume create x --domain ledger --size-mib 1", 2)]
    [InlineData("unknown party", "volume create bonk/x --domain ledger --size-mib 1", 2)]
    [InlineData("unknown word", "volume create bank/x --domain ledger --size-mib 1 --sharing all", 2)]
    [InlineData("not granted", "volume attach bank/ledger-archive hospital/records-1 --access read", 1)]
    [InlineData("a second writer", "volume attach bank/ledger-archive bank/ledger-2 --access write", 1)]
    [InlineData("there already", "volume attach bank/ledger-archive bank/ledger-1", 2)]
    [InlineData("not there", "volume detach bank/ledger-archive bank/ledger-2", 2)]
    [InlineData("no machine", "volume detach bank/ledger-archive bank/ledger-9", 2)]
    [InlineData("nothing named", "image approve bank/guest", 2)]
    [InlineData("no file", "image approve bank/guest --disk nowhere.raw", 2)]
    public void What_would_not_hold_together_is_not_written(string what, string line, int code)
    {
        string[] before = All();

        Ending refused = Run(line.Split(' '));

        Assert.True(refused.Code == code, $"{what}: {refused}");
        Assert.Equal(before, All());
        Assert.Matches(".{20,}", refused.Error);
    }

    [Fact]
    public void What_no_host_could_run_then_is_not_written_and_what_none_could_before_stops_no_other_change()
    {
        File.WriteAllText(At("policies/bank/ledger.yaml"), Text("bank/ledger.yaml").Replace(
            "sharing: readers\n", "sharing: readers\nmount: {hosts: [host-2]}\n", StringComparison.Ordinal));
        string[] before = All();

        Ending refused = Run("volume", "attach", "bank/ledger-archive", "bank/ledger-2", "--access", "read");
        Assert.Equal(before, All());
        Ending other = Run("volume", "create", "bank/ledger-notes", "--domain", "ledger", "--size-mib", "4");

        // The regulator's inspector has it on another host already: that was so before.
        Assert.Equal((1, 0), (refused.Code, other.Code));
        Assert.Contains("bank/ledger-2 may run on host-3", refused.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("inspector", refused.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_volume_is_copied_kept_and_made_larger_by_statements()
    {
        Ending clone = Run("volume", "clone", "bank/web-1-data", "web-1-spare");
        Ending kept = Run("volume", "snapshot", "bank/web-1-data", "web-1-monday");
        Ending written = Run("volume", "attach", "bank/web-1-monday", "bank/web-2", "--access", "write");
        Ending read = Run("volume", "attach", "bank/web-1-monday", "bank/web-2", "--access", "read");
        Ending larger = Run("volume", "resize", "bank/web-1-data", "--size-mib", "32");
        Ending smaller = Run("volume", "resize", "bank/web-1-data", "--size-mib", "8");

        Assert.Equal((0, 0, 1, 0), (clone.Code, kept.Code, written.Code, read.Code));
        Assert.Contains("snapshot-written", written.Output, StringComparison.Ordinal);
        // The copies were made of the smaller one: what begins with it must be as large as it.
        Assert.Equal((1, 2), (larger.Code, smaller.Code));
        Assert.Contains("volume-too-small", larger.Output, StringComparison.Ordinal);
        Assert.Equal(0, Run("volume", "resize", "bank/web-1-monday", "--size-mib", "32").Code);
        Assert.Contains("from: {volume: web-1-data}\naccess: read", Text("bank/web.yaml"), StringComparison.Ordinal);
    }

    [Fact]
    public void An_image_becomes_the_files_that_are_approved()
    {
        File.WriteAllBytes(At("base.raw"), new byte[1 << 20]);
        File.WriteAllText(At("vmlinuz"), "a kernel");
        string digest = Convert.ToHexStringLower(SHA256.HashData(new byte[1 << 20]));
        string kernel = Convert.ToHexStringLower(SHA256.HashData("a kernel"u8));

        Ending dry = Run("image", "approve", "bank/guest", "--disk", "base.raw", "--dry-run");
        Assert.DoesNotContain(digest, Text("bank/images.yaml"), StringComparison.Ordinal);
        Ending disk = Run("image", "approve", "bank/guest", "--disk", "base.raw");
        Ending another = Run("image", "approve", "bank/other", "--kernel", "vmlinuz", "--initrd", "vmlinuz",
            "--arguments", "console=ttyS0 quiet");

        Assert.Equal((0, 0, 0), (dry.Code, disk.Code, another.Code));
        Assert.Contains($"disk: {{sha256: {digest}, sizeMiB: 1}}", Text("bank/images.yaml"), StringComparison.Ordinal);
        Assert.Contains($"kernel: {{sha256: {kernel}}}", Text("bank/tenant.yaml"), StringComparison.Ordinal);
        Assert.Equal(0, CommandLine.Run(_root.FullName, "policy", "check", "policies").Code);
    }

    [Fact]
    public void A_volume_begins_with_an_image_that_has_a_disk_and_with_no_other()
    {
        File.WriteAllBytes(At("base.raw"), new byte[1 << 20]);
        string[] create =
            ["volume", "create", "bank/root", "--domain", "web", "--size-mib", "2", "--from-image", "guest"];

        Ending without = Run(create);
        Assert.Equal(0, Run("image", "approve", "bank/guest", "--disk", "base.raw").Code);
        Ending with = Run(create);

        Assert.Equal((1, 0), (without.Code, with.Code));
        Assert.Contains("image-without-disk", without.Output, StringComparison.Ordinal);
        Assert.Contains("from: {image: guest}", Text("bank/web.yaml"), StringComparison.Ordinal);
    }

    public void Dispose() => _root.Delete(recursive: true);

    private Ending Run(params string[] arguments) =>
        CommandLine.Run(_root.FullName, [.. arguments, "--policies", "policies"]);

    private string At(string path) => Path.Combine(_root.FullName, path);

    private string Text(string path) => File.ReadAllText(At(Path.Combine("policies", path)));

    private string[] All() =>
    [
        .. Directory.EnumerateFiles(At("policies"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(path => path + "\n" + File.ReadAllText(path)),
    ];
}
