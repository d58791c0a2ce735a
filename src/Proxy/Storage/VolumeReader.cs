using System.Security.Cryptography;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Proxy.Storage;

/// <summary>Reads a volume's whole content as its machine would read it, and gives its SHA-256.</summary>
/// <param name="server">Serves the content.</param>
/// <param name="files">Where volumes are.</param>
public sealed class VolumeReader(VolumeServer server, VolumeFiles files)
{
    /// <summary>The digest of the content, lower hex.</summary>
    /// <param name="disk">The volume; its file must have exactly its planned size.</param>
    /// <param name="key">Its key; null when the plan says that it is plain.</param>
    /// <param name="directory">A private directory for the socket.</param>
    /// <param name="progress">Told, from time to time, how many bytes were read.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="Host.WorldException">It cannot be read.</exception>
    public Task<string> DigestAsync(
        DiskPlan disk, SecretBytes? key, string directory, Action<long> progress, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(disk);
        long bytes = (long)disk.SizeMib << 20;
        return server.UseAsync(
            new VolumeUse(disk, files.PathOf(disk), key, directory, bytes),
            (export, until) => DigestAsync(export, bytes, progress, until), stop);
    }

    /// <summary>The digest of the first bytes of what is served, whole MiB, lower hex.</summary>
    internal static async Task<string> DigestAsync(
        NbdExport export, long bytes, Action<long> progress, CancellationToken stop)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[NbdExport.MostBytes];
        for (long offset = 0; offset < bytes; offset += buffer.Length)
        {
            await export.ReadAsync(offset, buffer, stop).ConfigureAwait(false);
            hash.AppendData(buffer);
            progress(offset + buffer.Length);
        }

        CryptographicOperations.ZeroMemory(buffer);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
