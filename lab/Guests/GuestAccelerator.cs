using System.Diagnostics;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Guests;

/// <summary>How guests run on this machine.</summary>
public enum GuestAcceleration
{
    /// <summary>By the processor: libvirt's domain type "kvm".</summary>
    Kvm,

    /// <summary>By QEMU's translator: libvirt's domain type "qemu".</summary>
    Translator,
}

/// <summary>
/// Finds out whether KVM really boots the lab's kernel: the device may open where it does not. Asked once per kernel
/// and machine start; the answer is kept in the cache.
/// </summary>
public static class GuestAccelerator
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(6);

    /// <summary>The kept answer, or a new one by booting the kernel without any device but a serial line.</summary>
    public static async Task<GuestAcceleration> Find(
        string cacheDirectory, GuestImage image, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (!File.Exists("/dev/kvm"))
        {
            return GuestAcceleration.Translator;
        }

        var machineStart = (await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id", cancellation)
            .ConfigureAwait(false)).Trim();
        var answer = Path.Combine(cacheDirectory, $"kvm-{image.KernelSha256[..12]}-{machineStart}");
        if (!File.Exists(answer))
        {
            var boots = await Boots(image, cancellation).ConfigureAwait(false);
            await File.WriteAllTextAsync(answer + ".new", boots ? "boots\n" : "does not boot\n", cancellation)
                .ConfigureAwait(false);
            File.Move(answer + ".new", answer, overwrite: true);
        }

        var kept = await File.ReadAllTextAsync(answer, cancellation).ConfigureAwait(false);
        return kept == "boots\n" ? GuestAcceleration.Kvm : GuestAcceleration.Translator;
    }

    private static async Task<bool> Boots(GuestImage image, CancellationToken cancellation)
    {
        LabPrograms.Require("qemu-system-x86_64");
        var start = new ProcessStartInfo("qemu-system-x86_64")
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        string[] arguments =
        [
            "-accel", "kvm", "-machine", "q35", "-m", $"{GuestImage.MemoryMebibytes}", "-nodefaults", "-no-reboot",
            "-display", "none", "-serial", "stdio", "-kernel", image.KernelPath, "-initrd", image.InitramfsPath,
            "-append", GuestCommandLine.Write("kvm"),
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start) ?? throw new InvalidOperationException("no process");
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(Limit);
        try
        {
            while (await process.StandardOutput.ReadLineAsync(bound.Token).ConfigureAwait(false) is { } line)
            {
                if (line.Contains("READY kvm", StringComparison.Ordinal))
                {
                    return true;
                }
            }

            return false;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }
}
