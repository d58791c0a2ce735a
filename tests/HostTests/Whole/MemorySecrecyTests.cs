using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;

namespace Bailiwick.HostTests.Whole;

/// <summary>
/// What is in memory stays there (hostile cases S04 and K04): no core dump of a process that has keys, nothing of a
/// machine's memory in one, and no machine that comes from a file of memory.
/// </summary>
[Collection(WholeCollection.Name)]
public sealed class MemorySecrecyTests(WholeLab lab)
{
    private const int GuestKib = 112 * 1024;

    [Fact]
    public async Task A_process_that_has_keys_leaves_no_core_and_no_core_has_a_machines_memory()
    {
        string pattern = (await File.ReadAllTextAsync("/proc/sys/kernel/core_pattern")).Trim();
        Assert.SkipWhen(pattern[0] is '|' or '/', $"cores go elsewhere here: {pattern}");
        await lab.Ready();
        WholeHost host = await lab.Where(SmallPolicies.Records);
        string name = lab.MachineName(SmallPolicies.Records);
        string limit = Limit(Environment.ProcessId);
        await Allow(Environment.ProcessId, "unlimited");
        try
        {
            // The control: a process that nobody guards leaves one.
            using Process plain = Process.Start(new ProcessStartInfo("/bin/sleep", ["100"])
            {
                WorkingDirectory = Directory.CreateTempSubdirectory("bw-core-").FullName,
            }) ?? throw new InvalidOperationException("no process");
            Assert.Single(await CoresOf(plain.Id));

            // All were allowed to by who started them.
            await lab.Kill("keys-hospital", "KeyService");
            await lab.StartKeyService("hospital");
            await lab.Kill(host.Name, "Proxy");
            await lab.Deployment.StartProxy(host.Space, TestContext.Current.CancellationToken);
            await Allow(lab.Running(host.Name, "libvirtd"), "unlimited");
            await lab.SetPower(SmallPolicies.Records, false);
            await lab.Stopped(SmallPolicies.Records);
            await lab.SetPower(SmallPolicies.Records, true);
            await lab.Settled();
            int machine = lab.Processes()[name];
            int service = lab.Running("keys-hospital", "Bailiwick.KeyService");
            int proxy = lab.Running(host.Name, "Bailiwick.Proxy");
            Assert.All([machine, service, proxy], process => Assert.Equal("0 0", Limit(process)));
            Assert.Contains("dd", Flags(machine, GuestKib));
            Assert.Empty(await CoresOf(machine));

            // Its limit stays, or where the kernel lets it be raised it leaves none all the same.
            _ = await Raise(service, "unlimited");
            Assert.Empty(await CoresOf(service));
            await lab.StartKeyService("hospital");
        }
        finally
        {
            await Allow(Environment.ProcessId, limit.Split(' ')[0]);
        }

        await lab.Settled();
    }

    [Fact]
    public async Task A_machine_never_comes_from_a_file_of_memory_and_no_such_file_has_a_key()
    {
        await lab.Ready();
        byte[][] needles =
            [.. (await SecrecyTests.KeysOf(lab, "hospital")).SelectMany(SecrecyTests.Forms)];
        await lab.Settled();
        WholeHost host = await lab.Where(SmallPolicies.Records);
        string name = lab.MachineName(SmallPolicies.Records);
        int boot = await Boot();
        string file = Path.Combine(lab.Paths.Root, "saved");
        LabProgramResult saved = await host.Space.Virsh("save", name, file);
        Assert.True(saved.ExitCode == 0, saved.Error);
        await lab.Settled();
        LabProgramResult restored = await host.Space.Virsh("restore", file);
        Assert.NotEqual(0, restored.ExitCode);
        Assert.Empty(SecrecyTests.Find(host.Space.PathInside(file), needles));
        File.Delete(host.Space.PathInside(file));
        Assert.Equal(boot + 1, await Boot());

        LabProgramResult managed = await host.Space.Virsh("managedsave", name);
        Assert.True(managed.ExitCode == 0, managed.Error);
        await lab.Settled();
        Assert.Equal(boot + 2, await Boot());
        Assert.DoesNotContain(name, (await host.Space.Virsh("list", "--all", "--with-managed-save")).Output);
    }

    private async Task<int> Boot()
    {
        await using ProbeChannel probe = await lab.Meet(SmallPolicies.Records);
        return probe.Hello.Boot;
    }

    /// <summary>Ends a process by a fault of memory; the cores that it leaves, which are removed.</summary>
    private static async Task<string[]> CoresOf(int pid)
    {
        string directory = new DirectoryInfo($"/proc/{pid}/cwd").ResolveLinkTarget(true)?.FullName ?? "/";
        string[] before = Cores(directory);
        Assert.Equal(0, Kill(pid, 11));
        // A runtime that handles the first of them goes on where no fault of memory is, and has no handler then.
        await WholeLab.Until(
            () => Task.FromResult(IsGone(pid) || Kill(pid, 11) != 0 ? null : "it runs"), $"{pid} ends",
            TimeSpan.FromSeconds(30));
        string[] left = [.. Cores(directory).Except(before)];
        Array.ForEach(left, File.Delete);
        return left;
    }

    private static string[] Cores(string directory) => Directory.GetFiles(directory, "core*");

    private static bool IsGone(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/stat").Split(") ")[1][0] is 'Z' or 'X';
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static string Limit(int pid) => string.Join(' ', File.ReadLines($"/proc/{pid}/limits")
        .Single(line => line.StartsWith("Max core file size", StringComparison.Ordinal))["Max core file size".Length..]
        .Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(2));

    private static async Task Allow(int pid, string limit)
    {
        LabProgramResult set = await Raise(pid, limit);
        Assert.True(set.ExitCode == 0, set.Error);
    }

    private static Task<LabProgramResult> Raise(int pid, string limit) => LabPrograms.Run(
        ["prlimit", "--pid", pid.ToString(CultureInfo.InvariantCulture), $"--core={limit}:unlimited"]);

    /// <summary>What the kernel says of a process's mapping of this size.</summary>
    private static string[] Flags(int pid, int kib)
    {
        string[] lines = File.ReadAllLines($"/proc/{pid}/smaps");
        int at = Array.FindIndex(lines, line => line.StartsWith("Size:", StringComparison.Ordinal)
            && line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1] == kib.ToString(CultureInfo.InvariantCulture));
        Assert.True(at >= 0, "no mapping of the machine's memory");
        return lines.Skip(at).First(line => line.StartsWith("VmFlags:", StringComparison.Ordinal)).Split(' ');
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int pid, int signal);
}
