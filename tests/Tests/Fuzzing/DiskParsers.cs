using Bailiwick.Domains.Volumes;
using Bailiwick.Tests.Domains.Volumes;

namespace Bailiwick.Tests.Fuzzing;

/// <summary>The readers of disk files, from the heads of tests/Vectors/disks on.</summary>
internal static class DiskParsers
{
    private const int HeadBytes = 40 * 1024, WholeBytes = 24 << 20;

    internal static Dictionary<string, Parser> All { get; } = new()
    {
        ["DiskImport.Judge"] = new(
            [.. DiskImage.Names.Select(Head)], bytes => DiskImport.Judge(Disk(bytes), 1L << 40)),
        ["DiskInspector.Inspect"] = new(
            [.. DiskImage.Names.Select(Head)], bytes => DiskInspector.Inspect(Disk(bytes), 1L << 40)),
        ["LuksReader.Read"] = new(
            [.. DiskImage.Names.Where(name => name.StartsWith("luks", StringComparison.Ordinal)).Select(Head)],
            bytes => LuksReader.Read(Disk(bytes))),
        ["VolumeContent.Check"] = new([Head("luks1")], bytes => VolumeContent.Check(Disk(bytes), 4 << 20)),
    };

    private static byte[] Head(string name)
    {
        byte[] content = DiskImage.Vector(name).Content;
        return content[..Math.Min(content.Length, HeadBytes)];
    }

    /// <summary>A disk that begins so and goes on with zeros.</summary>
    private static DiskBytes Disk(byte[] head) => new(WholeBytes, (offset, into) =>
    {
        into.Clear();
        if (offset < head.Length)
        {
            ReadOnlySpan<byte> rest = head.AsSpan((int)offset);
            rest[..Math.Min(rest.Length, into.Length)].CopyTo(into);
        }

        return into.Length;
    });
}
