using System.Buffers.Binary;

namespace Bailiwick.Lab.Hosts;

/// <summary>Records the frames that pass one interface inside a set of namespaces, with tcpdump.</summary>
public sealed class FrameCapture : IAsyncDisposable
{
    private const int PcapHeaderBytes = 24;
    private const int FrameHeaderBytes = 16;
    private const uint PcapMagic = 0xa1b2c3d4;

    private readonly LabProgram _tcpdump;
    private readonly string _file;

    private FrameCapture(LabProgram tcpdump, string file)
    {
        _tcpdump = tcpdump;
        _file = file;
    }

    internal static async Task<FrameCapture> Start(
        LabSpace space, string networkInterface, string filter, CancellationToken cancellation)
    {
        LabPrograms.Require("tcpdump");
        var stem = Path.Combine(space.Directory, $"capture-{Guid.NewGuid():N}");
        List<string> argv =
            ["tcpdump", "-i", networkInterface, "-n", "-s", "0", "-U", "--immediate-mode", "-Z", "root", "-w", stem];
        if (filter.Length > 0)
        {
            argv.Add(filter);
        }

        var tcpdump = await space.StartInside(argv, null, stem + ".log", cancellation).ConfigureAwait(false);
        for (var attempt = 0; attempt < 250; attempt++)
        {
            if (tcpdump.LogTail().Contains("listening on", StringComparison.Ordinal))
            {
                return new FrameCapture(tcpdump, stem);
            }

            if (!tcpdump.IsAlive)
            {
                break;
            }

            await Task.Delay(20, cancellation).ConfigureAwait(false);
        }

        var said = tcpdump.LogTail();
        await tcpdump.Stop(TimeSpan.Zero, cancellation).ConfigureAwait(false);
        throw new LabException($"tcpdump does not listen: {said}", $"{space.Name}, {networkInterface}", "ip -br link");
    }

    /// <summary>Ends the recording; the whole frames in the order they passed.</summary>
    public async Task<IReadOnlyList<ReadOnlyMemory<byte>>> Stop(CancellationToken cancellation = default)
    {
        await Task.Delay(100, cancellation).ConfigureAwait(false);
        await _tcpdump.Stop(TimeSpan.FromSeconds(5), cancellation).ConfigureAwait(false);
        return Parse(await File.ReadAllBytesAsync(_file, cancellation).ConfigureAwait(false));
    }

    public async ValueTask DisposeAsync()
    {
        await _tcpdump.Stop(TimeSpan.FromSeconds(5)).ConfigureAwait(false);
        File.Delete(_file);
        File.Delete(_file + ".log");
    }

    /// <summary>The frames of a capture file in the classic format (pcap-savefile(5)), little-endian.</summary>
    private static List<ReadOnlyMemory<byte>> Parse(ReadOnlyMemory<byte> file)
    {
        if (file.Length < PcapHeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(file.Span) != PcapMagic)
        {
            throw new LabException("not a capture file", "tcpdump -w", "is the disk full?");
        }

        var frames = new List<ReadOnlyMemory<byte>>();
        var rest = file[PcapHeaderBytes..];
        while (rest.Length >= FrameHeaderBytes)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(rest.Span[8..]);
            if (length > rest.Length - FrameHeaderBytes)
            {
                break;
            }

            frames.Add(rest.Slice(FrameHeaderBytes, (int)length));
            rest = rest[(FrameHeaderBytes + (int)length)..];
        }

        return frames;
    }
}
