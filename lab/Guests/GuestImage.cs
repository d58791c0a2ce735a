using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Guests;

/// <summary>
/// What a lab guest boots: Debian's kernel and a small initramfs with busybox, the virtio modules and the probe. Equal
/// inputs give equal bytes, so the digests are stable on one machine. It needs 112 MiB of memory.
/// </summary>
/// <param name="KernelPath">The kernel image, readable inside every host.</param>
/// <param name="InitramfsPath">The initramfs, likewise.</param>
/// <param name="KernelSha256">Lower-case hex.</param>
/// <param name="InitramfsSha256">Lower-case hex.</param>
public sealed record GuestImage(
    string KernelPath, string InitramfsPath, string KernelSha256, string InitramfsSha256)
{
    /// <summary>Memory that is enough for a guest.</summary>
    public const int MemoryMebibytes = 112;

    private static readonly string[] Applets =
    [
        "sh", "mount", "insmod", "ip", "setsid", "sleep", "cat", "ls", "ps", "dmesg", "ping", "arping", "nc", "dd",
        "hexdump", "free", "uname", "poweroff", "reboot", "sync", "acpid", "vi", "udhcpc",
        "killall",
    ];

    private static readonly string[] ProbeSources =
        ["probe.h", "probe.c", "sweep.c", "sessions.c", "frames.c", "serve.c", "names.c", "volume.c", "io.c"];

    /// <summary>Builds the image into the cache, or takes it from there.</summary>
    public static async Task<GuestImage> Build(
        string cacheDirectory, IProgress<LabStep>? progress = null, CancellationToken cancellation = default)
    {
        Directory.CreateDirectory(cacheDirectory);
        await using var held = await CacheLock(cacheDirectory, cancellation).ConfigureAwait(false);
        var kernel = await GuestKernel.Fetch(cacheDirectory, progress, cancellation).ConfigureAwait(false);
        progress?.Report(new LabStep("guest", "build the initramfs"));
        var relay = await NativeProgram.Build(cacheDirectory, "relay", ["relay.c"], isStatic: true, cancellation)
            .ConfigureAwait(false);
        var probe = await NativeProgram.Build(cacheDirectory, "probe", ProbeSources, isStatic: true, cancellation)
            .ConfigureAwait(false);
        var archive = Contents(
            kernel, await File.ReadAllBytesAsync(probe, cancellation).ConfigureAwait(false),
            await File.ReadAllBytesAsync(relay, cancellation).ConfigureAwait(false));
        byte[] packed = archive.ToGzip();
        var digest = Convert.ToHexStringLower(SHA256.HashData(packed));
        var path = Path.Combine(cacheDirectory, "initramfs", digest[..16] + ".cpio.gz");
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(Path.Combine(cacheDirectory, "initramfs"));
            await File.WriteAllBytesAsync(path + ".new", packed, cancellation).ConfigureAwait(false);
            File.Move(path + ".new", path, overwrite: true);
        }

        await using var image = File.OpenRead(kernel.ImagePath);
        var kernelDigest = await SHA256.HashDataAsync(image, cancellation).ConfigureAwait(false);
        return new GuestImage(kernel.ImagePath, path, Convert.ToHexStringLower(kernelDigest), digest);
    }

    private static CpioArchive Contents(GuestKernel kernel, byte[] probe, byte[] relay)
    {
        LabPrograms.Require("busybox");
        var archive = new CpioArchive();
        string[] directories =
            ["bin", "dev", "etc", "etc/acpi", "etc/acpi/PWRF", "modules", "proc", "sys", "tmp"];
        foreach (var directory in directories)
        {
            archive.AddDirectory(directory);
        }

        archive.AddFile("init", NativeProgram.Source("init"));
        archive.AddFile("etc/acpi/PWRF/00000080", Encoding.ASCII.GetBytes("#!/bin/sh\nsync\npoweroff -f\n"));
        archive.AddFile("bin/lease", NativeProgram.Source("lease"));
        archive.AddFile("bin/busybox", File.ReadAllBytes(StaticBusybox()));
        archive.AddFile("bin/probe", probe);
        archive.AddFile("bin/relay", relay);
        foreach (var applet in Applets)
        {
            archive.AddLink("bin/" + applet, "busybox");
        }

        var order = new StringBuilder();
        foreach (var module in kernel.ModulePaths)
        {
            archive.AddFile("modules/" + Path.GetFileName(module), File.ReadAllBytes(module));
            order.Append(Path.GetFileName(module)).Append('\n');
        }

        archive.AddFile("modules/order", Encoding.ASCII.GetBytes(order.ToString()));
        return archive;
    }

    /// <summary>The machine's busybox, which must need no library.</summary>
    public static string StaticBusybox()
    {
        var path = LabPrograms.Find("busybox") ?? "";

        return IsStatic(File.ReadAllBytes(path))
            ? path
            : throw new LabException("busybox is not statically linked", path, "apt-get install busybox-static");
    }

    /// <summary>Whether a 64-bit little-endian ELF file asks for no interpreter (no PT_INTERP; elf(5)).</summary>
    private static bool IsStatic(ReadOnlySpan<byte> elf)
    {
        const int interpreter = 3;
        if (elf.Length < 64 || !elf.StartsWith("\u007fELF"u8))
        {
            return false;
        }

        var at = BinaryPrimitives.ReadInt64LittleEndian(elf[32..]);
        var size = BinaryPrimitives.ReadUInt16LittleEndian(elf[54..]);
        for (var left = BinaryPrimitives.ReadUInt16LittleEndian(elf[56..]); left > 0; left--, at += size)
        {
            if (at < 0 || at > elf.Length - 4
                || BinaryPrimitives.ReadInt32LittleEndian(elf[(int)at..]) == interpreter)
            {
                return false;
            }
        }

        return true;
    }

    private static async Task<FileStream> CacheLock(string cache, CancellationToken cancellation)
    {
        var path = Path.Combine(cache, "lock");
        for (var attempt = 0; attempt < 2400; attempt++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(100, cancellation).ConfigureAwait(false);
            }
        }

        throw new LabException("another process builds a guest for 4 minutes", path, "end it, then try again");
    }
}
