using System.Globalization;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Measuring;

/// <summary>
/// A machine with Debian's own kernel and the modules of a host's network, started by QEMU without firmware or TPM:
/// for what this machine's own kernel lacks. It has one disk, no network, and tells by a serial line.
/// </summary>
public static class PlainMachine
{
    private const int MemoryMib = 2048;

    // Under a translator the devices that go would cost tenths of a second each, and page tables a level more.
    private const string Arguments =
        "console=ttyS0 quiet panic=-1 no_timer_check rcupdate.rcu_expedited=1 mitigations=off no5lvl";

    /// <summary>Runs the disk's software to its end; what it told.</summary>
    /// <param name="cache">The lab's cache.</param>
    /// <param name="scratch">A directory of this run's own.</param>
    /// <param name="disk">An ext4 image with a script <c>/start</c> for busybox's shell; shown read-only.</param>
    /// <param name="limit">When it is ended.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="LabException">It did not come to its end, with what it told until then.</exception>
    public static async Task<string> Run(
        string cache, string scratch, string disk, TimeSpan limit, CancellationToken cancellation)
    {
        LabPrograms.Require("qemu-system-x86_64");
        GuestImage guest = await GuestImage.Build(cache, null, cancellation).ConfigureAwait(false);
        GuestAcceleration found = await GuestAccelerator.Find(cache, guest, cancellation).ConfigureAwait(false);
        GuestKernel kernel = await GuestKernel.Fetch(cache, null, cancellation).ConfigureAwait(false);
        string initrd = Path.Combine(scratch, "initrd.gz"), told = Path.Combine(scratch, "told");
        string console = Path.Combine(scratch, "console");
        await File.WriteAllBytesAsync(
            initrd, HostImage.Initrd("plain-init", kernel.HostModulePaths), cancellation).ConfigureAwait(false);
        string[] machine =
        [
            "qemu-system-x86_64", "-machine", $"q35,accel={(found == GuestAcceleration.Kvm ? "kvm" : "tcg")}",
            "-cpu", "max", "-smp", "2", "-m", MemoryMib.ToString(CultureInfo.InvariantCulture), "-nodefaults",
            "-display", "none", "-no-reboot", "-kernel", kernel.ImagePath, "-initrd", initrd, "-append", Arguments,
            "-drive", $"format=raw,file={disk},if=none,id=software,readonly=on",
            "-device", "virtio-blk-pci,drive=software",
            "-serial", $"file:{console}", "-serial", $"file:{told}",
        ];
        try
        {
            (await LabPrograms.Run(machine, timeout: limit, cancellation: cancellation).ConfigureAwait(false))
                .Expect("the machine with Debian's kernel", "is there memory for 2 GiB?");
        }
        catch (LabException failed)
        {
            string said = string.Concat(
                await Text(told).ConfigureAwait(false), "\n", await Text(console).ConfigureAwait(false));
            throw new LabException(
                $"{failed.Message}\n{said}", "the machine with Debian's kernel", "read the lines above", failed);
        }

        return await Text(told).ConfigureAwait(false);
    }

    private static async Task<string> Text(string path) => File.Exists(path)
        ? await File.ReadAllTextAsync(path, CancellationToken.None).ConfigureAwait(false) : "";
}
