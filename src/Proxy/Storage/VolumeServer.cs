using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Proxy.Storage;

/// <summary>One use of a volume's content.</summary>
/// <param name="Disk">The volume.</param>
/// <param name="File">Its file, which may have another name while it is made.</param>
/// <param name="Key">Its key; null when the plan says that it is plain.</param>
/// <param name="Directory">A private directory for the socket.</param>
/// <param name="Bytes">How much is read or written in all: what the time limit is made of.</param>
public sealed record VolumeUse(DiskPlan Disk, string File, SecretBytes? Key, string Directory, long Bytes)
{
    /// <summary>Whether it is written; else it is opened for reading only.</summary>
    public bool Writes { get; init; }
}

/// <summary>
/// Serves a volume's content as its machine would see it. QEMU's own driver opens the file and deciphers it
/// (qemu-nbd(8), for one connection on a socket in the machine's private directory), so there is no second
/// understanding of LUKS. The format is always named, and the key reaches it on standard input only.
/// </summary>
/// <param name="host">Runs <c>qemu-nbd</c>.</param>
public sealed class VolumeServer(IHost host)
{
    // What a disk that still works gives at least; what is slower has failed.
    private const int SlowestMibPerSecond = 8;
    private const int StartSeconds = 15;
    private const int EndSeconds = 5;

    /// <summary>Serves it for one conversation.</summary>
    /// <param name="use">What.</param>
    /// <param name="converse">The conversation; the export has exactly the planned size.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="WorldException">
    /// It cannot be served: another key, another size, a program or a disk that failed or took too long.
    /// </exception>
    public async Task<T> UseAsync<T>(
        VolumeUse use, Func<NbdExport, CancellationToken, Task<T>> converse, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(use);
        ArgumentNullException.ThrowIfNull(converse);
        DiskPlan disk = use.Disk;
        TimeSpan limit = TimeSpan.FromSeconds(
            StartSeconds + EndSeconds + (double)(use.Bytes / (SlowestMibPerSecond << 20)));
        string socket = Path.Combine(use.Directory, $"{disk.Target}.sock");
        byte[] passphrase = use.Key is null ? [] : VolumeFiles.Passphrase(use.Key);
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(stop);
        late.CancelAfter(limit);
        Task serving = Task.CompletedTask;
        try
        {
            File.Delete(socket);
            serving = Task.Factory.StartNew(
                () => host.Run(Serve(use, socket, limit, passphrase)), default, TaskCreationOptions.LongRunning,
                TaskScheduler.Default);
            T result = await ConverseAsync(disk, socket, serving, converse, late.Token).ConfigureAwait(false);
            await serving.ConfigureAwait(false);
            return result;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw Failed(disk, $"it was not done within {limit.TotalSeconds:0} s");
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

    private static async Task<T> ConverseAsync<T>(
        DiskPlan disk, string path, Task serving, Func<NbdExport, CancellationToken, Task<T>> converse,
        CancellationToken stop)
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

        T result = await converse(export, stop).ConfigureAwait(false);
        await export.CloseAsync(stop).ConfigureAwait(false);
        return result;
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
    /// timeout(1) ends a server that nobody came to, also when the Proxy has died meanwhile. The cache is the
    /// server's own: what is read is what is on the disk.
    /// </summary>
    private static ProgramCall Serve(VolumeUse use, string socket, TimeSpan limit, byte[] passphrase)
    {
        string file = use.File.Replace(",", ",,", StringComparison.Ordinal);
        string seconds = ((int)limit.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        string[] program = ["timeout", "--signal=KILL", seconds, "qemu-nbd"];
        string[] access = use.Writes ? [] : ["--read-only"];
        string[] image = use.Disk.Encrypted
            ? ["--object", "secret,id=k,file=/dev/stdin", "--image-opts", $"driver=luks,key-secret=k,{FileAt(file)}"]
            : ["--image-opts", $"driver=raw,{FileAt(file)}"];
        return new ProgramCall([.. program, .. access, "--cache=none", $"--socket={socket}", .. image])
        {
            Input = passphrase, Timeout = limit + TimeSpan.FromSeconds(EndSeconds),
        };
    }

    private static string FileAt(string file) => $"file.driver=file,file.filename={file}";

    private static WorldException Failed(DiskPlan disk, string why) =>
        new(["open", $"the volume {disk.Volume}"], -1, why);
}
