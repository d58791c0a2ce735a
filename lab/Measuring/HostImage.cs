using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Lab.Guests;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Measuring;

/// <summary>
/// What a host of the lab boots from: Debian's signed chain (shim, GRUB, kernel) on an EFI system partition, and OVMF
/// with Microsoft's keys enrolled, so that Secure Boot is really on.
/// </summary>
/// <param name="Partition">The directory that QEMU shows as the partition.</param>
/// <param name="Firmware">OVMF's code.</param>
/// <param name="Variables">OVMF's variables, to be copied for each boot.</param>
/// <param name="Digest">SHA-256 over all of it, lower hex: equal digests boot alike.</param>
internal sealed record HostImage(string Partition, string Firmware, string Variables, string Digest)
{
    /// <summary>The kernel command line of a host as it should be.</summary>
    public const string Arguments = "console=ttyS0 quiet lockdown=confidentiality ima_policy=tcb";

    private static readonly SemaphoreSlim Unpacking = new(1);
    private static readonly string[] Packages = ["shim-signed", "grub-efi-amd64-signed", "ovmf"];

    /// <summary>
    /// Puts the image together in a new directory, with packages from the lab's cache or from the archive.
    /// </summary>
    /// <param name="cache">The lab's cache.</param>
    /// <param name="directory">The new directory.</param>
    /// <param name="arguments">The kernel's command line.</param>
    /// <param name="hasSoftware">Whether it goes on to software on a second disk, or tells what it measured.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<HostImage> Build(
        string cache, string directory, string arguments, bool hasSoftware, CancellationToken cancellation)
    {
        GuestKernel kernel = await GuestKernel.Fetch(cache, null, cancellation).ConfigureAwait(false);
        string tree = await Unpacked(cache, cancellation).ConfigureAwait(false);
        string loader = Path.Combine(directory, "EFI", "BOOT");
        string menu = Path.Combine(directory, "EFI", "debian");
        Directory.CreateDirectory(loader);
        Directory.CreateDirectory(menu);
        string[] files =
        [
            Copy(tree, "usr/lib/shim/shimx64.efi.signed", Path.Combine(loader, "BOOTX64.EFI")),
            Copy(tree, "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", Path.Combine(loader, "grubx64.efi")),
            Copy("/", kernel.ImagePath, Path.Combine(directory, "vmlinuz")),
            Write(Path.Combine(directory, "initrd.gz"), hasSoftware
                ? Initrd("software-init", kernel.ModulePaths) : Initrd("measured-init", [])),
            Write(Path.Combine(menu, "grub.cfg"), Encoding.ASCII.GetBytes(
                $"set timeout=0\nlinux /vmlinuz {arguments}\ninitrd /initrd.gz\nboot\n")),
            Path.Combine(tree, "usr/share/OVMF/OVMF_CODE_4M.secboot.fd"),
            Path.Combine(tree, "usr/share/OVMF/OVMF_VARS_4M.ms.fd"),
        ];
        return new HostImage(directory, files[^2], files[^1], Over(files));
    }

    /// <summary>
    /// The firmware that machines with <c>firmware: ovmf</c> start with: one file, without a store of variables, so
    /// that its digest says all of it.
    /// </summary>
    public static async Task<string> MachineFirmware(string cache, CancellationToken cancellation) => Path.Combine(
        await Unpacked(cache, cancellation).ConfigureAwait(false), "usr", "share", "ovmf", "OVMF.fd");

    /// <summary>The packages, unpacked in the cache; whoever comes while another unpacks them waits.</summary>
    private static async Task<string> Unpacked(string cache, CancellationToken cancellation)
    {
        string tree = Path.Combine(cache, "firmware");
        await Unpacking.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (!Directory.Exists(tree))
            {
                string scratch = $"{tree}.{Guid.NewGuid():N}";
                await DebianPackages.Unpack(Packages, scratch, cancellation).ConfigureAwait(false);
                Directory.Move(scratch, tree);
            }

            return tree;
        }
        finally
        {
            Unpacking.Release();
        }
    }

    private static string Copy(string tree, string from, string to)
    {
        File.Copy(Path.Combine(tree, from), to);
        return to;
    }

    private static string Write(string path, byte[] content)
    {
        File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>What the kernel begins with: busybox, modules in their order, and one of the lab's own inits.</summary>
    public static byte[] Initrd(string init, IReadOnlyList<string> modules)
    {
        LabPrograms.Require("busybox");
        CpioArchive archive = new();
        foreach (string directory in new[] { "bin", "dev", "proc", "sys" })
        {
            archive.AddDirectory(directory);
        }

        archive.AddFile("init", NativeProgram.Source(init));
        archive.AddFile("bin/busybox", File.ReadAllBytes(GuestImage.StaticBusybox()));
        archive.AddLink("bin/sh", "busybox");
        if (modules.Count > 0)
        {
            archive.AddDirectory("host");
            archive.AddDirectory("modules");
        }

        // The shell lists them by name, in the order in which the kernel takes them.
        for (int i = 0; i < modules.Count; i++)
        {
            archive.AddFile(
                string.Create(CultureInfo.InvariantCulture, $"modules/{i:D2}.ko"), File.ReadAllBytes(modules[i]));
        }

        return archive.ToGzip();
    }

    private static string Over(IEnumerable<string> files)
    {
        using IncrementalHash all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in files)
        {
            using FileStream stream = File.OpenRead(file);
            all.AppendData(SHA256.HashData(stream));
        }

        return Convert.ToHexStringLower(all.GetHashAndReset());
    }
}
