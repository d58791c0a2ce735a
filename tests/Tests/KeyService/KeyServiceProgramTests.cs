using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Keyring;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.KeyService;

/// <summary>The program as it is started: with a umask of 0, a board that is away, and loose files.</summary>
public sealed partial class KeyServiceProgramTests : IDisposable
{
    private const int Terminate = 15;
    private static readonly Signatory Tenant = new(StatementKind.Tenant, "bank", 1, 1);
    private readonly string _path = Directory.CreateTempSubdirectory("bw-ks-").FullName;
    private readonly JsonObject _settings;

    public KeyServiceProgramTests()
    {
        using ECDsa tls = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Place("tls.pem", System.Text.Encoding.ASCII.GetBytes(tls.ExportPkcs8PrivateKeyPem()));
        Place("root.json", Tenant.Root());
        Place("passphrase", "a passphrase of the bank\n"u8.ToArray());
        using (PassphraseLock sealing = PassphraseLock.Read(LinuxDisk.Instance, At("passphrase")))
        using (MasterKey key = MasterKey.Make(Tenant.Id, 1))
        {
            MasterKeyFile.Create(LinuxDisk.Instance, At("master.sealed"), sealing, key);
        }

        _settings = new JsonObject
        {
            ["directory"] = At("store"),
            ["listen"] = new JsonArray("unix:" + At("ks.sock")),
            ["tlsKey"] = At("tls.pem"),
            ["tenant"] = Tenant.Id.ToString(),
            ["tenantRoot"] = At("root.json"),
            ["datacentre"] = PartyId.Unsigned("alpine").ToString(),
            ["master"] = new JsonObject
            {
                ["address"] = "unix:" + At("none.sock"),
                ["key"] = Signatory.NewKey().Id.ToString(),
            },
            ["log"] = new JsonObject { ["origin"] = "log.example", ["key"] = Signatory.NewKey().PublicKey.Base64 },
            ["masterKey"] = new JsonObject
            {
                ["file"] = At("master.sealed"), ["passphraseFile"] = At("passphrase"),
            },
            ["vendors"] = "",
            ["vendorIntermediates"] = "",
        };
    }

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public async Task Serves_without_the_board_and_leaves_no_file_that_others_may_read()
    {
        using Process process = Start();
        Assert.Equal("ready", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
        Assert.All(
            Directory.EnumerateFileSystemEntries(At("store"), "*", SearchOption.AllDirectories).Append(At("store")),
            entry => Assert.Equal((UnixFileMode)0, File.GetUnixFileMode(entry) & (UnixFileMode)0x3F));
        Assert.Equal(0, kill(process.Id, Terminate));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public async Task Starts_with_a_master_key_that_a_token_seals_and_not_while_the_token_is_away()
    {
        SoftToken token = SoftToken.Bank;
        File.Delete(At("master.sealed"));
        using (TokenLock sealing = new(token.Key("master"), SoftToken.PinFile))
        using (MasterKey key = MasterKey.Make(Tenant.Id, 1))
        {
            MasterKeyFile.Create(LinuxDisk.Instance, At("master.sealed"), sealing, key);
        }

        JsonObject setting = new()
        {
            ["file"] = At("master.sealed"), ["token"] = token.Key("master").Text, ["pinFile"] = SoftToken.PinFile,
        };
        _settings["masterKey"] = setting;
        using (Process process = Start(() => { }))
        {
            Assert.Equal("ready", await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
            Assert.Equal(0, kill(process.Id, Terminate));
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        setting["token"] = "pkcs11:token=nowhere;object=master";
        Assert.Contains("does not open", await AssertRefused(() => { }), StringComparison.Ordinal);
        setting["token"] = token.Key("other").Text;
        Assert.Contains("Name the right one", await AssertRefused(() => { }), StringComparison.Ordinal);
        setting["passphraseFile"] = At("passphrase");
        Assert.Contains("either passphraseFile", await AssertRefused(() => { }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("master.sealed")]
    [InlineData("passphrase")]
    [InlineData("tls.pem")]
    [InlineData("root.json")]
    [InlineData("settings.json")]
    public async Task Refuses_to_start_with_a_loose_file(string file) =>
        await AssertRefused(() => File.SetUnixFileMode(At(file), (UnixFileMode)0x1A4));

    [Fact]
    public async Task Refuses_to_start_with_another_tenants_root()
    {
        _settings["tenant"] = PartyId.Unsigned("bank").ToString();
        await AssertRefused(() => { });
    }

    [Fact]
    public async Task Refuses_an_unknown_setting()
    {
        _settings["attested"] = true;
        await AssertRefused(() => { });
    }

    [Theory]
    [InlineData("directory")]
    [InlineData("master")]
    [InlineData("masterKey")]
    public async Task Refuses_a_missing_setting(string member)
    {
        _settings.Remove(member);
        await AssertRefused(() => { });
    }

    [Fact]
    public async Task Refuses_to_start_with_another_passphrase_and_says_so_in_one_sentence()
    {
        string told = await AssertRefused(() => Place("passphrase", "another passphrase!\n"u8.ToArray()));
        Assert.Contains("the passphrase or the token is another", told, StringComparison.Ordinal);
        Assert.DoesNotContain("another passphrase!", told, StringComparison.Ordinal);
    }

    private async Task<string> AssertRefused(Action spoil)
    {
        using Process process = Start(spoil);
        string told = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(2, process.ExitCode);
        Assert.NotEmpty(told);
        Assert.Equal("", await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        return told;
    }

    private Process Start(Action? spoil = null)
    {
        Place("settings.json", JsonSerializer.SerializeToUtf8Bytes(_settings));
        spoil?.Invoke();
        string program = Path.Combine(AppContext.BaseDirectory, "Bailiwick.KeyService.dll");
        string[] arguments = ["-c", "umask 0; exec dotnet \"$0\" --config \"$1\"", program, At("settings.json")];
        ProcessStartInfo start = new("/bin/sh", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start) ?? throw new InvalidOperationException();
    }

    private string At(string name) => Path.Combine(_path, name);

    private void Place(string name, byte[] content)
    {
        File.WriteAllBytes(At(name), content);
        File.SetUnixFileMode(At(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [LibraryImport("libc")]
    private static partial int kill(int process, int signal);
}
