using System.Diagnostics;
using System.Text;
using Bailiwick.Channel.Secrets;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Whole;

[Collection(WholeCollection.Name)]
public sealed class SecrecyTests(WholeLab lab, ITestOutputHelper output)
{
    private const int LargestFile = 64 << 20;
    private static readonly string[] ShownByTheKernel = ["cmdline", "environ"];
    private static readonly string[] Inside = ["/run/libvirt", "/run/bailiwick", "/etc/libvirt"];

    /// <summary>S07: the product's own directories, while machines start and stop and after.</summary>
    [Fact]
    public async Task Nothing_of_the_product_is_ever_readable_by_another_user()
    {
        await lab.Ready();
        HashSet<string> loose = [];
        string name = lab.MachineName(SmallPolicies.Records);
        foreach (bool running in new[] { false, true })
        {
            await lab.SetPower(SmallPolicies.Records, running);
            await WholeLab.Until(
                async () =>
                {
                    loose.UnionWith(await Loose());
                    return lab.Processes().ContainsKey(name) == running ? null : "not yet";
                },
                $"the machine runs: {running}");
        }

        await lab.Settled();
        loose.UnionWith(await Loose());
        Assert.Equal("", string.Join('\n', loose.Order(StringComparer.Ordinal)));

        // The control: one loose file is seen.
        string file = Path.Combine(lab.Paths.Pool, "loose");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        try
        {
            Assert.EndsWith("/pool/loose", Assert.Single(await Loose()), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>K04: whatever is written anywhere, and what the kernel shows of processes.</summary>
    [Fact]
    public async Task No_volume_key_is_in_any_file_command_line_or_environment()
    {
        await lab.Ready();
        await Restartable(true);
        List<byte[]> keys = [.. await KeysOf(lab, "bank"), .. await KeysOf(lab, "hospital")];
        Assert.Equal(3, keys.Count);
        await lab.Settled();
        byte[][] needles = [.. keys.SelectMany(Forms)];
        int files = 0;
        List<string> hits = [];
        string[] roots =
        [
            lab.Paths.Root,
            .. lab.Hosts.SelectMany(h => Inside.Select(h.Space.PathInside)).Where(Directory.Exists),
        ];
        foreach (string file in roots.SelectMany(Files))
        {
            files++;
            hits.AddRange(Find(file, needles));
        }

        hits.AddRange(InProcesses(needles));
        output.WriteLine($"{files} files");
        Assert.Empty(hits);
        Assert.True(files > 50, $"{files} files");

        // The controls: each form is found where it is planted, in a file and in a process.
        string planted = Path.Combine(lab.Paths.Root, "planted");
        foreach (byte[] needle in needles)
        {
            await File.WriteAllBytesAsync(
                planted, [1, 2, 3, .. needle, 4], TestContext.Current.CancellationToken);
            Assert.Single(Find(planted, needles).Distinct());
        }

        File.Delete(planted);
        string text = Convert.ToHexStringLower(keys[0]);
        var start = new ProcessStartInfo("/bin/sh", ["-c", "read line", text]) { RedirectStandardInput = true };
        start.Environment["PLANTED"] = text;
        using Process holder = Process.Start(start) ?? throw new InvalidOperationException("no process");
        try
        {
            await WholeLab.Until(
                () => Task.FromResult(InProcesses(needles).Count(h => h.Contains($"/{holder.Id}/")) == 2
                    ? null : "not found"), "the planted process is found");
        }
        finally
        {
            holder.Kill();
            await Restartable(false);
        }
    }

    /// <summary>
    /// States whether the hospital's machine may be restarted without asking, and starts it anew by that statement: its
    /// host keeps the release then.
    /// </summary>
    private async Task Restartable(bool may)
    {
        const string Plain = "devices: [console, probe]\n", With = Plain + "restart: {within: 8h}\n";
        await lab.Change("hospital", "records", text => may
            ? text.Replace(Plain, With, StringComparison.Ordinal)
            : text.Replace(With, Plain, StringComparison.Ordinal));
        if (may)
        {
            await lab.SetPower(SmallPolicies.Records, false);
            await lab.Stopped(SmallPolicies.Records);
            await lab.SetPower(SmallPolicies.Records, true);
        }

        // What the next test does, a takeover for one, waits for nobody who may still restart the machine.
        await WholeLab.Until(
            async () => (await new CommandLine(lab.Paths).Run("hospital", "host", "leases")).Output
                .Contains("may restart hospital/records-1", StringComparison.Ordinal) == may ? null : "not heard yet",
            "the key service has heard whether the host keeps the release");

        await lab.Settled();
    }

    private static IEnumerable<string> InProcesses(byte[][] needles) => ShownByTheKernel
        .SelectMany(kind => ProcessFiles.All(kind).Where(p => Holds(Encoding.UTF8.GetBytes(p.Text), needles))
            .Select(p => $"/proc/{p.Pid}/{kind}"));

    private async Task<string[]> Loose()
    {
        LabProgramResult found = await LabPrograms.Run(
        [
            "find", Path.Combine(lab.Paths.Root, "proxy"), lab.Paths.Master, lab.Paths.Pool, lab.Paths.Keys,
            Path.Combine(lab.Paths.Root, "keyservice"), "(", "-perm", "/077", "-o", "-not", "-user", "root", "-o",
            "-type", "l", ")",

            // QEMU makes this one, under libvirt's mask; nobody else gets into its directory, which is looked at too.
            "-not", "(", "-type", "s", "-name", "probe.sock", ")", "-printf", "%M %u %p\\n",
        ]);
        return found.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>The keys in a copy of a key service's store, taken while it does not run.</summary>
    internal static async Task<List<byte[]>> KeysOf(WholeLab lab, string tenant)
    {
        string copy = Path.Combine(Path.GetTempPath(), $"bailiwick-store-{Guid.NewGuid():N}");
        Directory.CreateDirectory(copy, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await lab.Kill("keys-" + tenant, "KeyService");
        try
        {
            foreach (string file in Directory.EnumerateFiles(
                Path.Combine(lab.Paths.KeyService(tenant), "store")))
            {
                File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
            }

            using PassphraseLock sealing = PassphraseLock.Read(
                LinuxDisk.Instance, lab.Paths.MasterPassphrase(tenant));
            using MasterKeyFile master = MasterKeyFile.Open(
                LinuxDisk.Instance, lab.Paths.MasterKey(tenant), sealing,
                lab.Deployment.Desks.Desks[tenant].Facts.Id ?? throw new InvalidDataException($"{tenant} has no id"));
            using PrivateDirectory directory = PrivateDirectory.Open(LinuxDisk.Instance, copy);
            using KeyVault vault = KeyVault.Open(directory, master, TimeProvider.System);
            return
            [
                .. vault.Volumes().Select(v => vault.Release(
                    new KeyGrant(
                        v.Key, vault.DomainOf(v.Key) ?? "",
                        v.Value.FirstOrDefault() ?? throw new InvalidDataException($"nobody holds {v.Key}")), key =>
                    {
                        using SecretLoan loan = key.Borrow();
                        return loan.Bytes.ToArray();
                    }).Sealed),
            ];
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
            await lab.StartKeyService(tenant);
        }
    }

    /// <summary>The key and the passphrase made of it, as programs write such things.</summary>
    internal static IEnumerable<byte[]> Forms(byte[] key)
    {
        string hex = Convert.ToHexStringLower(key);
        yield return key;
        foreach (string text in new[]
        {
            hex, Convert.ToHexString(key), Convert.ToBase64String(key), Convert.ToBase64String(key)[..40],
            Convert.ToBase64String(key).Replace('+', '-').Replace('/', '_').TrimEnd('='),
            Convert.ToBase64String(Encoding.ASCII.GetBytes(hex))[..80],
        })
        {
            yield return Encoding.ASCII.GetBytes(text);
        }
    }

    /// <summary>Regular files, without following links and without the boot files, which are public.</summary>
    private static IEnumerable<string> Files(string root) => Directory.EnumerateFiles(root, "*", new EnumerationOptions
    {
        RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true,
    }).Where(f => !f.Contains("/boot/", StringComparison.Ordinal) && !f.Contains("/images/", StringComparison.Ordinal)
        && !f.Contains("/guest/", StringComparison.Ordinal));

    internal static IEnumerable<string> Find(string file, byte[][] needles)
    {
        byte[] bytes;
        try
        {
            if (new FileInfo(file) is not { Length: > 0 and < LargestFile }
                || File.GetAttributes(file) is not (FileAttributes.Normal or FileAttributes.ReadOnly
                    or FileAttributes.Hidden))
            {
                yield break;
            }

            bytes = File.ReadAllBytes(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It is gone meanwhile, or a socket.
            yield break;
        }

        if (Holds(bytes, needles))
        {
            yield return file;
        }
    }

    private static bool Holds(byte[] bytes, byte[][] needles) => needles.Any(n => bytes.AsSpan().IndexOf(n) >= 0);
}
