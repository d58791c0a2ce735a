using System.Collections.Immutable;
using System.Security.Cryptography;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Storage;

/// <summary>
/// Firmware, kernels and initrds by digest. They are copied from where the operator puts them into the Proxy's own
/// directory, so that nobody can change them between check and use, and the copies are measured again before every
/// start.
/// </summary>
/// <param name="source">The operator's directory: <c>&lt;sha256&gt;</c> is a file's name.</param>
/// <param name="own">The Proxy's directory, mode 0700.</param>
public sealed class BootFiles(string source, string own)
{
    private const long MaxBytes = 1L << 30;

    /// <summary>The Proxy's copy of a boot file.</summary>
    public string PathOf(string sha256) => Path.Combine(own, sha256);

    /// <summary>Makes sure that the machine's boot files are in place, copying what is missing or damaged.</summary>
    /// <exception cref="WorldException">A file is missing, or its bytes are not those of its digest.</exception>
    public async Task PrepareAsync(BootPlan boot, CancellationToken stop)
    {
        foreach (var (role, sha256) in Files(boot))
        {
            if ((await MeasureAsync(role, sha256, stop).ConfigureAwait(false)).Sha256 != sha256)
            {
                await CopyAsync(sha256, stop).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Measures the machine's boot files as they are now, each where its digest puts it.</summary>
    public async Task<ImmutableArray<MeasuredFile>> MeasureAsync(BootPlan boot, CancellationToken stop)
    {
        ImmutableArray<MeasuredFile>.Builder measured = ImmutableArray.CreateBuilder<MeasuredFile>();
        foreach (var (role, sha256) in Files(boot))
        {
            measured.Add(await MeasureAsync(role, sha256, stop).ConfigureAwait(false));
        }

        return measured.ToImmutable();
    }

    private static IEnumerable<(BootFileRole Role, string Sha256)> Files(BootPlan boot)
    {
        if (boot.FirmwareSha256 is { } firmware)
        {
            yield return (BootFileRole.Firmware, firmware);
        }

        yield return (BootFileRole.Kernel, boot.KernelSha256);
        yield return (BootFileRole.Initrd, boot.InitrdSha256);
    }

    private async Task<MeasuredFile> MeasureAsync(BootFileRole role, string sha256, CancellationToken stop)
    {
        try
        {
            return new MeasuredFile(role, await DigestAsync(PathOf(sha256), stop).ConfigureAwait(false), "");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new MeasuredFile(role, null, error.Message);
        }
    }

    private async Task CopyAsync(string sha256, CancellationToken stop)
    {
        string from = Path.Combine(source, sha256);
        string temporary = PathOf(sha256) + ".new";
        try
        {
            if (new FileInfo(from).Length > MaxBytes)
            {
                throw new WorldException(["copy", from], -1, $"it is larger than {MaxBytes} bytes");
            }

            File.Delete(temporary);
            await using (FileStream input = File.OpenRead(from))
            await using (FileStream output = new(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                await input.CopyToAsync(output, stop).ConfigureAwait(false);
            }

            string found = await DigestAsync(temporary, stop).ConfigureAwait(false);
            if (found != sha256)
            {
                File.Delete(temporary);
                throw new WorldException(
                    ["copy", from], -1, $"it has the digest {found}; put the approved file there again");
            }

            File.Move(temporary, PathOf(sha256), overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WorldException([$"copy the boot file {sha256}"], -1, error.Message);
        }
    }

    private static async Task<string> DigestAsync(string path, CancellationToken stop)
    {
        await using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, stop).ConfigureAwait(false));
    }
}
