using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Storage;

/// <summary>
/// Reads a volume's whole content as its machine would read it, and gives its SHA-256. QEMU's own driver opens the file
/// and deciphers it (qemu-nbd(8), read-only, for one connection on a socket in the machine's private directory), so
/// there is no second reading of LUKS that could understand a file otherwise. The key reaches it on standard input
/// only.
/// </summary>
/// <param name="host">Runs <c>qemu-nbd</c>.</param>
/// <param name="files">Where volumes are.</param>
public sealed class VolumeReader(IHost host, VolumeFiles files)
{
    // What a disk that still works gives at least; a reading that is slower has failed.
    private const int SlowestMibPerSecond = 8;
    private const int StartSeconds = 15;
    private const int EndSeconds = 5;

    /// <summary>The digest of the content, lower hex.</summary>
    /// <param name="disk">The volume; its file must have exactly its planned size.</param>
    /// <param name="key">Its key; null when the plan says that it is plain.</param>
    /// <param name="directory">A private directory for the socket.</param>
    /// <param name="progress">Told, from time to time, how many bytes were read.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="WorldException">
    /// It cannot be read: another key, another size, a program or a disk that failed or took too long.
    /// </exception>
    public async Task<string> DigestAsync(
        DiskPlan disk, SecretBytes? key, string directory, Action<long> progress, CancellationToken stop)
    {
        TimeSpan limit = TimeSpan.FromSeconds(StartSeconds + EndSeconds + (disk.SizeMib / SlowestMibPerSecond));
        string socket = Path.Combine(directory, $"{disk.Target}.sock");
        byte[] passphrase = key is null ? [] : VolumeFiles.Passphrase(key);
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(stop);
        late.CancelAfter(limit);
        Task serving = Task.CompletedTask;
        try
        {
            File.Delete(socket);
            serving = Task.Factory.StartNew(
                () => host.Run(Serve(disk, socket, limit, passphrase)), default, TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
            string digest = await ReadAsync(disk, socket, serving, progress, late.Token).ConfigureAwait(false);
            await serving.ConfigureAwait(false);
            return digest;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw Failed(disk, $"it was not read within {limit.TotalSeconds:0} s");
        }
        catch (Exception error) when (error is IOException or SocketException or InvalidDataException
            or UnauthorizedAccessException)
        {
            // When the server gave up, it says better why.
            await Task.WhenAny(serving, Task.Delay(TimeSpan.FromSeconds(EndSeconds), stop)).ConfigureAwait(false);
            throw serving.Exception?.InnerException as WorldException ?? Failed(disk, error.Message);
        }
        finally
        {
            await ((Task)Task.WhenAny(serving)).ConfigureAwait(false);
            CryptographicOperations.ZeroMemory(passphrase);
        }
    }

    private static async Task<string> ReadAsync(
        DiskPlan disk, string path, Task serving, Action<long> progress, CancellationToken stop)
    {
        using Socket socket = await ConnectAsync(disk, path, serving).ConfigureAwait(false);
        await using NetworkStream stream = new(socket);
        NbdExport export = new(stream);
        await export.OpenAsync(stop).ConfigureAwait(false);
        long planned = (long)disk.SizeMib << 20;
        if (export.Size != planned)
        {
            throw Failed(disk, $"it has {export.Size} bytes, and its statement says {planned}");
        }

        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[NbdExport.MostBytes];
        for (long offset = 0; offset < planned; offset += buffer.Length)
        {
            await export.ReadAsync(offset, buffer, stop).ConfigureAwait(false);
            hash.AppendData(buffer);
            progress(offset + buffer.Length);
        }

        await export.CloseAsync(stop).ConfigureAwait(false);
        CryptographicOperations.ZeroMemory(buffer);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>
    /// Connects as soon as the server listens; it has its own time limit. This is not given up before, because only a
    /// server that had its connection ends with it.
    /// </summary>
    private static async Task<Socket> ConnectAsync(DiskPlan disk, string path, Task serving)
    {
        while (!serving.IsCompleted)
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path)).ConfigureAwait(false);
                return socket;
            }
            catch (SocketException)
            {
                socket.Dispose();
                await Task.Delay(100).ConfigureAwait(false);
            }
        }

        await serving.ConfigureAwait(false);
        throw Failed(disk, "qemu-nbd ended before it was asked");
    }

    /// <summary>
    /// timeout(1) ends a server that no reader came to, also when the Proxy has died meanwhile. The cache is the
    /// machine's own: what is read is what is on the disk.
    /// </summary>
    private ProgramCall Serve(DiskPlan disk, string socket, TimeSpan limit, byte[] passphrase)
    {
        string file = files.PathOf(disk).Replace(",", ",,", StringComparison.Ordinal);
        string seconds = ((int)limit.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        string[] program =
        [
            "timeout", "--signal=KILL", seconds, "qemu-nbd", "--read-only", "--cache=none", $"--socket={socket}",
        ];
        string[] image = disk.Encrypted
            ? ["--object", "secret,id=k,file=/dev/stdin", "--image-opts", $"driver=luks,key-secret=k,{FileAt(file)}"]
            : ["--image-opts", $"driver=raw,{FileAt(file)}"];
        return new ProgramCall([.. program, .. image])
        {
            Input = passphrase, Timeout = limit + TimeSpan.FromSeconds(EndSeconds),
        };
    }

    private static string FileAt(string file) => $"file.driver=file,file.filename={file}";

    private static WorldException Failed(DiskPlan disk, string why) =>
        new(["read", $"the volume {disk.Volume}"], -1, why);
}
