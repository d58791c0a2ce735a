using System.Text.Json;
using Bailiwick.Domains.Bundles;
using Bailiwick.Tests.Attestation.BootLog;
using Bailiwick.Tests.Domains.Bundles;

namespace Bailiwick.Tests.Cli;

/// <summary><c>bailiwick evidence show</c> and <c>verify</c>: a bundle in the hands of an auditor.</summary>
public sealed class BundleVerbsTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bailiwick-");
    private readonly BundleScene _scene = new();

    public void Dispose()
    {
        _scene.Dispose();
        _root.Delete(recursive: true);
    }

    [Fact]
    public void Verifies_offline_and_says_what_it_could_not_verify()
    {
        Write(_scene.Bundle());
        Ending accepted = Verify("--nonce", Convert.ToHexStringLower(_scene.Nonce), "--json");
        Assert.Equal((0, ""), (accepted.Code, accepted.Error));
        Assert.Equal("ok", accepted.Json.GetProperty("verdict").GetString());
        Assert.Equal("software-tpm", accepted.Json.GetProperty("assurance").GetString());
        Assert.Equal(0, accepted.Json.GetProperty("reasons").GetArrayLength());
        Assert.NotEqual(0, accepted.Json.GetProperty("unverified").GetArrayLength());

        Ending refused = Verify("--nonce", "00", "--json");
        Assert.Equal(1, refused.Code);
        Assert.Equal(["evidence-nonce"], Texts(refused.Json.GetProperty("reasons")));

        Ending unpinned = Verify();
        Assert.Equal(1, unpinned.Code);
        Assert.Contains("freshness-not-pinned", unpinned.Error, StringComparison.Ordinal);
        Assert.Contains("Refused: 1 reason.", unpinned.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_in_a_file_pins_as_well()
    {
        Write(_scene.Bundle());
        File.WriteAllBytes(Path("mine"), _scene.Note(5));
        File.WriteAllBytes(Path("newer"), _scene.Note(7));
        Assert.Equal(0, Verify("--checkpoint", "mine").Code);
        Ending stale = Verify("--checkpoint", "newer", "--json");
        Assert.Equal(["evidence-stale"], Texts(stale.Json.GetProperty("reasons")));
    }

    [Fact]
    public void What_is_no_bundle_is_refused_and_what_is_no_file_is_misuse()
    {
        File.WriteAllText(Path("host.bundle"), "{}");
        Ending refused = Verify("--nonce", "00", "--json");
        Assert.Equal(1, refused.Code);
        Assert.Equal(["bundle-malformed"], Texts(refused.Json.GetProperty("reasons")));
        Assert.Equal(2, CommandLine.Run(_root.FullName, "evidence", "show", "host.bundle").Code);
        File.Delete(Path("host.bundle"));
        Ending missing = Verify("--nonce", "00");
        Assert.Equal((2, ""), (missing.Code, missing.Output));
        Write(_scene.Bundle());
        Assert.Equal(2, Verify("--nonce", "xyz").Code);
        Assert.Equal(2, Verify("--nonce", "").Code);
        Assert.Equal(2, Verify("--nonce", "00", "--at", "today").Code);
        Assert.Equal(2, CommandLine.Run(_root.FullName, "evidence", "verify", "host.bundle", "--nonce", "00").Code);
    }

    [Fact]
    public void Shows_what_a_person_wants_to_see()
    {
        Write(_scene.Bundle());
        Ending shown = CommandLine.Run(_root.FullName, "evidence", "show", "host.bundle");
        Assert.Equal((0, ""), (shown.Code, shown.Error));
        foreach (string word in (string[])
            [
                _scene.HostName, Convert.ToHexStringLower(_scene.Nonce), BundleScene.Origin, "secure boot", "on",
                BootScene.Line, "crypto-agile", "5 leaves", "integrity log", "Domain acme/web r1", "evidence verify",
            ])
        {
            Assert.Contains(word, shown.Output, StringComparison.Ordinal);
        }

        JsonElement json = CommandLine.Run(_root.FullName, "evidence", "show", "host.bundle", "--json").Json;
        Assert.Equal(16, json.GetProperty("registers").GetArrayLength());
        Assert.True(json.GetProperty("domains")[0].GetProperty("demands")[0].GetProperty("satisfied").GetBoolean());
    }

    private Ending Verify(params string[] more) => CommandLine.Run(_root.FullName,
    [
        "evidence", "verify", "host.bundle", "--tenant", $"{_scene.Tenant.Id}", "--domain", "web", "--host",
        _scene.HostName, .. more,
    ]);

    private void Write(EvidenceBundle bundle) => File.WriteAllBytes(Path("host.bundle"), bundle.Write());

    private string Path(string name) => System.IO.Path.Combine(_root.FullName, name);

    private static string[] Texts(JsonElement list) =>
        [.. list.EnumerateArray().Select(one => one.GetString() ?? "")];
}
