using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Bailiwick.Lab.Guests;

/// <summary>
/// Writes a cpio archive in the "newc" format (Linux Documentation/driver-api/early-userspace/buffer-format.rst):
/// entries sorted by name, no times, root's. Equal content gives equal bytes.
/// </summary>
internal sealed class CpioArchive
{
    private const uint DirectoryMode = 0x41ed;
    private const uint FileMode = 0x81ed;
    private const uint LinkMode = 0xa1ff;

    private readonly SortedDictionary<string, (uint Mode, byte[] Content)> _entries = new(StringComparer.Ordinal);

    public void AddDirectory(string name) => _entries.Add(name, (DirectoryMode, []));

    public void AddFile(string name, byte[] content) => _entries.Add(name, (FileMode, content));

    public void AddLink(string name, string target) => _entries.Add(name, (LinkMode, Encoding.ASCII.GetBytes(target)));

    /// <summary>The archive packed as the kernel unpacks it (gzip).</summary>
    public byte[] ToGzip()
    {
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Optimal, leaveOpen: true))
        {
            WriteTo(gzip);
        }

        return packed.ToArray();
    }

    private void WriteTo(Stream stream)
    {
        uint inode = 1;
        foreach (var (name, entry) in _entries)
        {
            Write(stream, inode++, name, entry.Mode, entry.Content);
        }

        Write(stream, 0, "TRAILER!!!", 0, []);
    }

    private static void Write(Stream stream, uint inode, string name, uint mode, byte[] content)
    {
        uint[] fields =
            [inode, mode, 0, 0, 1, 0, (uint)content.Length, 0, 0, 0, 0, (uint)name.Length + 1, 0];
        var head = new StringBuilder("070701");
        foreach (var field in fields)
        {
            head.Append(CultureInfo.InvariantCulture, $"{field:x8}");
        }

        head.Append(name).Append('\0');
        stream.Write(Encoding.ASCII.GetBytes(head.ToString()));
        Pad(stream, head.Length);
        stream.Write(content);
        Pad(stream, content.Length);
    }

    private static void Pad(Stream stream, int length) => stream.Write(new byte[(4 - length % 4) % 4]);
}
