using System.Text.Json;
using Bailiwick.Tests.Custody;

namespace Bailiwick.Tests.Cli;

/// <summary>A tenant's keys and signatures from the command line.</summary>
public sealed class PartyVerbsTests : IDisposable
{
    private static readonly string[] Init =
    [
        "tenant", "init", "--name", "bank", "--legal-name", "Example Bank plc", "--out", "keys/bank", "--signed",
        "signed/bank", "--key-service", "10.99.0.3:7600",
    ];

    private static readonly string[] Sign =
    [
        "policy", "sign", "policies", "--keys", "keys/bank", "--signed", "signed/bank", "--files", "guest",
    ];

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("bailiwick-");

    public PartyVerbsTests()
    {
        SigningScene.CopyExample(At("policies"));
        Directory.CreateDirectory(At("guest"));
        File.WriteAllText(At("guest/vmlinuz"), "a kernel");
        File.WriteAllText(At("guest/initrd.gz"), "an initrd");
        File.WriteAllText(At("policies/parties.json"), "{\"parties\":{\"alpine\":\"" + new string('a', 64)
            + "\",\"regulator\":\"" + new string('b', 64) + "\"}}");
    }

    [Fact]
    public void Makes_a_tenant_signs_its_policies_once_and_then_nothing()
    {
        Ending made = Run([.. Init, "--json"]);
        Ending first = Run([.. Sign, "--json"]), second = Run(Sign);

        Assert.Equal((0, 0, 0), (made.Code, first.Code, second.Code));
        Assert.Matches("^[0-9a-f]{64}$", made.Json.GetProperty("id").GetString());
        // The root made with the keys is the one that the policies ask for.
        Assert.DoesNotContain(first.Json.EnumerateArray(), s => s.GetProperty("kind").GetString() == "Tenant");
        Assert.All(first.Json.EnumerateArray(), s => Assert.Equal(1, s.GetProperty("revision").GetInt32()));
        Assert.Equal(12, first.Json.GetArrayLength());
        Assert.Equal("Nothing changed; nothing was signed.", second.Output.Trim());
    }

    [Fact]
    public void A_root_key_is_replaced_and_the_next_policy_is_signed_with_what_is_left()
    {
        Assert.Equal(0, Run(Init).Code);
        Ending rotated = Run(
            "tenant", "rotate", "policies", "--keys", "keys/bank", "--signed", "signed/bank", "--replace", "2",
            "--json");

        Assert.Equal(0, rotated.Code);
        JsonElement root = Assert.Single(rotated.Json.EnumerateArray());
        Assert.Equal(("Tenant", 2), (root.GetProperty("kind").GetString(), root.GetProperty("revision").GetInt32()));
        Assert.Equal(0, Run(Sign).Code);
    }

    [Fact]
    public void Keys_are_the_owners_alone_also_without_a_umask()
    {
        Ending made = CommandLine.Start(
            "/bin/sh", _root.FullName, ["-c", "umask 0; exec \"$0\" \"$@\"", CommandLine.Executable, .. Init]);

        Assert.Equal(0, made.Code);
        foreach (string directory in new[] { "keys", "keys/bank", "signed", "signed/bank" })
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                File.GetUnixFileMode(At(directory)));
        }

        string[] files = [.. Directory.EnumerateFiles(At("keys/bank")), .. Directory.EnumerateFiles(At("signed/bank"))];
        Assert.Equal(8, files.Length);
        Assert.All(
            files, f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
    }

    [Theory]
    [InlineData("--name", "Bank", "is no name")]
    [InlineData("--legal-name", "", "")]
    [InlineData("--legal-name", "a\nb", "")]
    [InlineData("--key-service", "somewhere", "is not an address and a port")]
    [InlineData("--key-service", "10.99.0.3:0", "")]
    [InlineData("--keys", "0", "no quorum")]
    [InlineData("--keys", "many", "'many'")]
    [InlineData("--threshold", "4", "no quorum")]
    [InlineData("--passphrase-file", "missing", "missing")]
    [InlineData("--out", "", "is empty")]
    public void Makes_no_key_of_what_nobody_would_accept(string option, string value, string says)
    {
        string[] wrong = [.. Init];
        int at = Array.IndexOf(wrong, option);
        if (at < 0)
        {
            wrong = [.. wrong, option, value];
        }
        else
        {
            wrong[at + 1] = value;
        }

        Ending refused = Run(wrong);

        Assert.Equal((2, ""), (refused.Code, refused.Output));
        Assert.Contains(says, refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(At("keys/bank")), "keys were made");
        Assert.Equal(0, Run(Init).Code);
    }

    [Fact]
    public void A_passphrase_protects_and_is_asked_for()
    {
        File.WriteAllText(At("passphrase"), "correct horse\n");
        File.WriteAllText(At("wrong"), "correct house\n");
        Assert.Equal(0, Run([.. Init, "--passphrase-file", "passphrase"]).Code);

        Ending none = Run(Sign), wrong = Run([.. Sign, "--passphrase-file", "wrong"]);
        Ending right = Run([.. Sign, "--passphrase-file", "passphrase"]);

        Assert.Equal((2, 2, 0), (none.Code, wrong.Code, right.Code));
        Assert.Contains("--passphrase-file", none.Error, StringComparison.Ordinal);
        Assert.Contains("the passphrase is wrong", wrong.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("keys/bank", "keys/other", "There is no key directory")]
    [InlineData("guest", "missing", "There is no directory missing")]
    [InlineData("policies", "nowhere", "There is no directory nowhere")]
    [InlineData("signed/bank", "signed/other", "has no root of bank")]
    public void A_wrong_place_is_named(string right, string wrong, string says)
    {
        Assert.Equal(0, Run(Init).Code);

        Ending refused = Run([.. Sign.Select(a => a == right ? wrong : a)]);

        Assert.Equal(2, refused.Code);
        Assert.Contains(says, refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, Run(Sign).Code);
    }

    [Fact]
    public void A_second_tenant_in_the_same_directory_is_refused()
    {
        Assert.Equal(0, Run(Init).Code);
        string before = File.ReadAllText(At("keys/bank/party.json"));

        Ending refused = Run(Init);

        Assert.Equal(2, refused.Code);
        Assert.Contains("already", refused.Error, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(At("keys/bank/party.json")));
    }

    public void Dispose() => _root.Delete(recursive: true);

    private string At(string path) => Path.Combine(_root.FullName, path);

    private Ending Run(params string[] arguments) => CommandLine.Run(_root.FullName, arguments);
}
