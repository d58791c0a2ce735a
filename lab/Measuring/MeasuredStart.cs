using System.Globalization;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.Lab.Measuring;

/// <summary>
/// Boots the host image for real, in QEMU with OVMF and a software TPM, and keeps what firmware, boot loader and kernel
/// measured. The lab's hosts are namespaces, which nobody measures; their TPMs carry these measurements.
/// </summary>
public static class MeasuredStart
{
    /// <summary>The kernel command line of a host as it should be.</summary>
    public const string Arguments = HostImage.Arguments;

    private const string BootFile = "boot.log";
    private const string RuntimeFile = "runtime.log";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    /// <summary>The kept measurements of a host as it should be, or those of a boot now (about 25 s of work).</summary>
    public static Task<HostMeasurements> Take(
        string cache, IProgress<LabStep>? progress, CancellationToken cancellation) =>
        Take(cache, HostImage.Arguments, progress, cancellation);

    /// <summary>The same with another kernel command line.</summary>
    public static async Task<HostMeasurements> Take(
        string cache, string arguments, IProgress<LabStep>? progress, CancellationToken cancellation)
    {
        LabPrograms.Require("qemu-system-x86_64", "swtpm");
        Directory.CreateDirectory(cache);

        // Sockets have short paths only, and a cache may lie deep.
        string scratch = Directory.CreateTempSubdirectory("bw-boot-").FullName;
        try
        {
            HostImage image = await HostImage.Build(
                cache, Path.Combine(scratch, "esp"), arguments, hasSoftware: false, cancellation).ConfigureAwait(false);
            string home = Path.Combine(cache, "measured", image.Digest[..16]);
            if (!Directory.Exists(home))
            {
                progress?.Report(new LabStep("host image", "boot it once with Secure Boot and a TPM, and measure"));
                string said = await Boot(image, scratch, cancellation).ConfigureAwait(false);
                Keep(said, $"{home}.{Guid.NewGuid():N}", home);
            }

            return new HostMeasurements(
                await File.ReadAllBytesAsync(Path.Combine(home, BootFile), cancellation).ConfigureAwait(false),
                await File.ReadAllBytesAsync(Path.Combine(home, RuntimeFile), cancellation).ConfigureAwait(false));
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static async Task<string> Boot(HostImage image, string scratch, CancellationToken cancellation)
    {
        string state = Directory.CreateDirectory(Path.Combine(scratch, "tpm")).FullName;
        MeasuredMachine machine = await MeasuredMachine.Start(image, scratch, state, [], cancellation)
            .ConfigureAwait(false);
        await using (machine.ConfigureAwait(false))
        {
            (await machine.Ended.WaitAsync(Limit, cancellation).ConfigureAwait(false))
                .Expect("the measured boot", "read the lines above; is there memory for 512 MiB?");
            return await machine.Told(cancellation).ConfigureAwait(false);
        }
    }

    private static void Keep(string said, string scratch, string home)
    {
        string[] lines = said.ReplaceLineEndings("\n").Split('\n');
        Directory.CreateDirectory(scratch);
        File.WriteAllBytes(Path.Combine(scratch, BootFile), Convert.FromBase64String(Section(lines, "boot")));
        File.WriteAllBytes(Path.Combine(scratch, RuntimeFile), Convert.FromBase64String(Section(lines, "runtime")));
        File.WriteAllText(Path.Combine(scratch, "registers"), Section(lines, "registers", "\n"));
        if (Directory.Exists(home))
        {
            Directory.Delete(scratch, recursive: true);
            return;
        }

        Directory.Move(scratch, home);
    }

    private static string Section(string[] lines, string name, string between = "")
    {
        int begin = Array.FindIndex(lines, line => line == $"BEGIN {name}");
        int length = begin < 0 ? -1 : Array.FindIndex(
            lines[(begin + 1)..], line => line.StartsWith("BEGIN ", StringComparison.Ordinal) || line == "END");
        return length > 0
            ? string.Join(between, lines[(begin + 1)..(begin + 1 + length)])
            : throw new LabException(
                string.Create(CultureInfo.InvariantCulture, $"the booted host did not tell its {name} ({begin})"),
                "the measured boot", "boot the image by hand and read its console");
    }
}

/// <summary>What a real boot measured.</summary>
/// <param name="BootLog">The firmware's event log (TCG PC Client Platform Firmware Profile, section 10).</param>
/// <param name="RuntimeLog">The kernel's own list (IMA, binary_runtime_measurements).</param>
public sealed record HostMeasurements(ReadOnlyMemory<byte> BootLog, ReadOnlyMemory<byte> RuntimeLog);
