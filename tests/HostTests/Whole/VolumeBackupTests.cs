using System.Text.Json;
using Bailiwick.Domains.Policy;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;

namespace Bailiwick.HostTests.Whole;

/// <summary>A volume is backed up by its tenant's command, verified, lost, and put back by hand: on real LUKS.
/// </summary>
[Collection(WholeCollection.Name)]
public sealed class VolumeBackupTests(WholeLab lab)
{
    private const string Volume = "records-1-data";

    private CommandLine Cli => new(lab.Paths);

    private string Directory => Path.Combine(lab.Paths.Root, "backup");

    private string Place => Path.Combine(
        lab.Paths.Pool,
        DerivedNames.Digits(lab.Reference("hospital/" + Volume), DerivedNames.VolumeDigits) + ".luks");

    [Fact]
    public async Task What_was_backed_up_is_verified_and_opened_again_and_what_a_machine_writes_is_not_backed_up()
    {
        await lab.Ready();
        string host = (await lab.Where(SmallPolicies.Records)).Name;
        int boot = (await Hello()).Boot;
        string[] backup = ["volume", "backup", Volume, "--host", host, "--to", Directory];
        try
        {
            LabProgramResult running = await Cli.Run("hospital", backup);
            Assert.Equal(1, running.ExitCode);
            Assert.Contains("volume-written", running.Error, StringComparison.Ordinal);
            Assert.Empty(System.IO.Directory.GetFiles(Directory));

            await Stop();
            JsonElement made = await Cli.Json("hospital", backup);
            string header = (await Cli.Json("hospital", "volume", "show", Volume)).GetProperty("header").GetString()
                ?? throw new InvalidOperationException("no header is bound");
            Assert.Equal(header, made.GetProperty("header").GetString());
            Assert.Equal(Path.GetFileName(Place), made.GetProperty("file").GetString());
            string file = Path.Combine(Directory, "volume.luks");
            Assert.Equal(await Bytes(Place), await Bytes(file));

            // Another tenant's administrator is given nothing of it.
            Assert.NotEqual(0, (await Cli.Run(
                "bank", "volume", "backup", Volume, "--host", host, "--to", Directory + "-bank")).ExitCode);

            string key = await KeyOf(host);
            string[] verify = ["volume", "verify-backup", Directory, "--host-key", key, "--header", header];
            Assert.Equal(0, (await Cli.Run("hospital", verify)).ExitCode);
            byte[] kept = await Bytes(file);
            kept[^7] ^= 1;
            await File.WriteAllBytesAsync(file, kept, TestContext.Current.CancellationToken);
            LabProgramResult flipped = await Cli.Run("hospital", verify);
            Assert.Equal(1, flipped.ExitCode);
            Assert.Contains("[backup-content]", flipped.Error, StringComparison.Ordinal);
            kept[^7] ^= 1;

            // The pool loses it; by hand it comes back, and the machine finds what it wrote.
            File.Delete(Place);
            await File.WriteAllBytesAsync(Place, kept, TestContext.Current.CancellationToken);
            File.SetUnixFileMode(Place, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            await lab.SetPower(SmallPolicies.Records, true);
            ProbeHello again = await Hello();
            Assert.Equal((SmallPolicies.Records, boot + 1), (again.Found, again.Boot));
        }
        finally
        {
            await lab.SetPower(SmallPolicies.Records, true);
            System.IO.Directory.Delete(Directory, recursive: true);
        }

        await lab.Settled();
    }

    private async Task<string> KeyOf(string host) =>
        (await Cli.Json("hospital", "get", "Host")).EnumerateArray()
            .Select(one => (Name: one.GetProperty("name").GetString(), Body: one.GetProperty("body")))
            .Single(one => one.Name?.Split('/')[^1] == host).Body.GetProperty("identityKey").GetString()
        ?? throw new InvalidOperationException("the host has no key");

    private async Task Stop()
    {
        await lab.SetPower(SmallPolicies.Records, false);
        await lab.Stopped(SmallPolicies.Records);
    }

    private async Task<ProbeHello> Hello()
    {
        await using ProbeChannel probe = await lab.Meet(SmallPolicies.Records);
        return probe.Hello;
    }

    private static Task<byte[]> Bytes(string path) =>
        File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
}
