using System.Diagnostics;
using System.Globalization;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Measuring;

/// <summary>What a measured machine goes on to after its boot.</summary>
/// <param name="Disk">An ext4 image with a script `/start` for busybox's shell; shown read-only.</param>
/// <param name="Port">The port on loopback that leads to the machine's port 7500.</param>
public sealed record MeasuredSoftware(string Disk, int Port);

/// <summary>
/// The host image booting in QEMU, with OVMF, Secure Boot and a software TPM that everything is measured into.
/// </summary>
public sealed class MeasuredMachine : IAsyncDisposable
{
    private readonly Process _tpm;
    private readonly CancellationTokenSource _end;
    private readonly string _told;

    private MeasuredMachine(
        Process tpm, CancellationTokenSource end, string told, Task<LabProgramResult> ended, string configuration)
    {
        _tpm = tpm;
        _end = end;
        _told = told;
        Ended = ended;
        LoaderConfiguration = configuration;
    }

    /// <summary>The machine's own end, and how QEMU ended.</summary>
    public Task<LabProgramResult> Ended { get; }

    /// <summary>The file that the boot loader takes the kernel's command line from.</summary>
    public string LoaderConfiguration { get; }

    /// <summary>What it has told on its second serial line.</summary>
    public async Task<string> Told(CancellationToken cancellation) => File.Exists(_told)
        ? await File.ReadAllTextAsync(_told, cancellation).ConfigureAwait(false) : "";

    /// <summary>Boots the host image, which then starts software.</summary>
    /// <param name="cache">The lab's cache.</param>
    /// <param name="scratch">A new directory with a short path, for this boot alone.</param>
    /// <param name="tpmState">The state of its TPM, which it keeps over boots.</param>
    /// <param name="arguments">The kernel's command line.</param>
    /// <param name="software">What it goes on to.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<MeasuredMachine> Start(
        string cache, string scratch, string tpmState, string arguments, MeasuredSoftware software,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(software);
        LabPrograms.Require("qemu-system-x86_64", "swtpm");
        HostImage image = await HostImage.Build(
            cache, Path.Combine(scratch, "esp"), arguments, hasSoftware: true, cancellation).ConfigureAwait(false);
        string forward = string.Create(
            CultureInfo.InvariantCulture, $"hostfwd=tcp:127.0.0.1:{software.Port}-10.0.2.15:7500");
        return await Start(image, scratch, tpmState,
        [
            "-drive", $"format=raw,file={software.Disk},if=none,id=software,readonly=on",
            "-device", "virtio-blk-pci,drive=software",
            "-netdev", $"user,id=net,ipv6=off,{forward}", "-device", "virtio-net-pci,netdev=net,romfile=",
        ], cancellation).ConfigureAwait(false);
    }

    /// <summary>Boots an image with more devices.</summary>
    internal static async Task<MeasuredMachine> Start(
        HostImage image, string scratch, string tpmState, IReadOnlyList<string> devices,
        CancellationToken cancellation)
    {
        string socket = Path.Combine(scratch, "tpm.sock"), told = Path.Combine(scratch, "told");
        string variables = Path.Combine(scratch, "variables");
        File.Copy(image.Variables, variables);
        Process tpm = LabPrograms.Start(
            [
                "swtpm", "socket", "--tpm2", "--tpmstate", $"dir={tpmState}", "--ctrl", $"type=unixio,path={socket}",
                "--flags", "not-need-init", "--terminate",
            ],
            null);
        CancellationTokenSource end = new();
        try
        {
            await Listening(tpm, socket, cancellation).ConfigureAwait(false);
            string[] machine =
            [
                "qemu-system-x86_64", "-machine", "q35,smm=on,accel=tcg", "-cpu", "max", "-nodefaults",
                "-m", devices.Count == 0 ? "512" : "1024", "-display", "none", "-no-reboot",
                "-global", "driver=cfi.pflash01,property=secure,value=on",
                "-drive", $"if=pflash,format=raw,unit=0,file={image.Firmware},readonly=on",
                "-drive", $"if=pflash,format=raw,unit=1,file={variables}",
                "-chardev", $"socket,id=tpm,path={socket}", "-tpmdev", "emulator,id=tpm0,chardev=tpm",
                "-device", "tpm-crb,tpmdev=tpm0",
                "-drive", $"format=raw,file=fat:{image.Partition},if=none,id=disk,readonly=on",
                "-device", "virtio-blk-pci,drive=disk", "-serial", "null", "-serial", $"file:{told}", .. devices,
            ];
            Task<LabProgramResult> ended = LabPrograms.Run(
                machine, timeout: TimeSpan.FromMinutes(15), cancellation: end.Token);
            return new MeasuredMachine(
                tpm, end, told, ended, Path.Combine(image.Partition, "EFI", "debian", "grub.cfg"));
        }
        catch
        {
            await EndAsync(tpm).ConfigureAwait(false);
            end.Dispose();
            throw;
        }
    }

    /// <summary>Takes the machine's power away.</summary>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        await ((Task)Ended).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await EndAsync(_tpm).ConfigureAwait(false);
        _end.Dispose();
    }

    private static async Task Listening(Process tpm, string socket, CancellationToken cancellation)
    {
        for (int attempt = 0; !File.Exists(socket); attempt++)
        {
            if (attempt == 100 || tpm.HasExited)
            {
                throw new LabException("no TPM came up", socket, "run swtpm socket by hand and read what it says");
            }

            await Task.Delay(50, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task EndAsync(Process tpm)
    {
        using (tpm)
        {
            if (!tpm.HasExited)
            {
                tpm.Kill();
            }

            await tpm.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }
}
