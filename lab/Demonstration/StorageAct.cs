using System.Globalization;
using System.Text;
using Bailiwick.Channel.Contexts;
using Bailiwick.Domains.Policy;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Demonstration;

/// <summary>
/// Shows that a volume is noise to whoever holds the storage, and itself again to the admitted machine.
/// </summary>
internal sealed class StorageAct(DemoStage stage)
{
    private const string Name = "hospital/records-1";

    internal async Task<IReadOnlyList<DemoCheck>> Play(CancellationToken cancellation) =>
        [await Noise(cancellation).ConfigureAwait(false), await WithoutKey(cancellation).ConfigureAwait(false),
            await Again(cancellation).ConfigureAwait(false)];

    /// <summary>Every guest wrote its canary over the first MiB of its volume; the thief searches for it.</summary>
    private async Task<DemoCheck> Noise(CancellationToken cancellation)
    {
        byte[] canary = Encoding.ASCII.GetBytes("CANARY ");
        int files = 0, found = 0;
        double least = 8;
        // What several share its machines did not write full.
        HashSet<string> full =
        [
            .. stage.Machines.Select(machine => DerivedNames.Digits(
                machine.Model.Disks[0].Volume.ToString(), DerivedNames.VolumeDigits)),
        ];
        foreach (string file in Directory.EnumerateFiles(stage.Deployment.Paths.Pool))
        {
            byte[] bytes = await File.ReadAllBytesAsync(file, cancellation).ConfigureAwait(false);
            files++;
            found += bytes.AsSpan().IndexOf(canary) >= 0 ? 1 : 0;
            least = full.Contains(Path.GetFileNameWithoutExtension(file))
                ? Math.Min(least, Entropy(Payload(bytes))) : least;
        }

        return new DemoCheck("a volume without its key is noise", files > 0 && found == 0 && least > 7.9,
            string.Create(CultureInfo.InvariantCulture,
                $"{files} volumes in the pool, canary found in {found}; at least {least:F3} bits of entropy a byte"));
    }

    /// <summary>The format opens for nobody who guesses, and QEMU says why.</summary>
    private async Task<DemoCheck> WithoutKey(CancellationToken cancellation)
    {
        DemoMachine machine = stage.Machine(Name);
        LabHost host = stage.Deployment.Datacentre.Host(machine.Host);
        string file = Directory.EnumerateFiles(stage.Deployment.Paths.Pool).Order(StringComparer.Ordinal).First();
        LabProgramResult result = await host.Run(
            ["qemu-img", "dd", "--object", "secret,id=k,file=/dev/stdin", "--image-opts", "-U", "-O", "raw",
                $"if=driver=luks,key-secret=k,file.driver=file,file.locking=off,file.filename={file}", "of=/dev/null",
                "bs=1M", "count=1"],
            "a guess", TimeSpan.FromSeconds(20), cancellation).ConfigureAwait(false);
        bool refused = result.ExitCode != 0
            && result.Error.Contains("Invalid password", StringComparison.OrdinalIgnoreCase);
        return new DemoCheck("a guessed key opens nothing", refused, result.Error.Trim().Split('\n')[^1]);
    }

    /// <summary>The positive control: the same volume, through the tenant's key service, is what it was.</summary>
    private async Task<DemoCheck> Again(CancellationToken cancellation)
    {
        DemoMachine before = stage.Machine(Name);
        using BoardDesk desk = stage.Deployment.Board("hospital");
        string compartment = before.Model.Ref.ToString();
        await desk.Board.SetPower(compartment, false, cancellation).ConfigureAwait(false);
        LabHost host = stage.Deployment.Datacentre.Host(before.Host);
        string machineName = DemoStage.MachineName(before.Model.Ref);
        bool stopped = false;
        for (int attempt = 0; attempt < 150 && !stopped; attempt++)
        {
            string running = (await host.Virsh("list", "--name").ConfigureAwait(false)).Output;
            stopped = !running.Contains(machineName, StringComparison.Ordinal);
            await Task.Delay(200, cancellation).ConfigureAwait(false);
        }

        await desk.Board.SetPower(compartment, true, cancellation).ConfigureAwait(false);
        DemoMachine after =
            await DemoStage.Meet(stage.Deployment, before.Model, before.Host, cancellation).ConfigureAwait(false);
        await stage.Replace(after).ConfigureAwait(false);
        return new DemoCheck("an admitted machine finds its volume again",
            stopped && after.Probe.Hello.Found == Name && after.Probe.Hello.Boot == before.Probe.Hello.Boot + 1,
            $"{Name}: boot {after.Probe.Hello.Boot}, found the canary of {after.Probe.Hello.Found}");
    }

    /// <summary>What a guest wrote lies after LUKS' header; the first MiB of it.</summary>
    private static ReadOnlySpan<byte> Payload(byte[] volume) =>
        volume.AsSpan(Math.Max(0, volume.Length - (16 << 20)), Math.Min(volume.Length, 1 << 20));

    private static double Entropy(ReadOnlySpan<byte> bytes)
    {
        Span<int> counts = stackalloc int[256];
        foreach (byte b in bytes)
        {
            counts[b]++;
        }

        double entropy = 0;
        foreach (int count in counts)
        {
            double p = (double)count / bytes.Length;
            entropy -= p > 0 ? p * Math.Log2(p) : 0;
        }

        return entropy;
    }
}
