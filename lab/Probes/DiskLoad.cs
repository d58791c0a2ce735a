using System.Globalization;

namespace Bailiwick.Lab.Probes;

/// <summary>Operations of one size on a whole disk.</summary>
/// <param name="Device">The disk inside the machine, like <c>/dev/vda</c>.</param>
/// <param name="Writes">Written, and flushed at the end; else read.</param>
/// <param name="Random">In an order without a pattern; else one after the other, from the beginning.</param>
/// <param name="BlockBytes">512 to 1,048,576.</param>
/// <param name="Count">1 to 1,000,000.</param>
public sealed record DiskLoad(string Device, bool Writes, bool Random, int BlockBytes, int Count)
{
    /// <summary>As the probe is asked.</summary>
    internal string Command() => string.Create(
        CultureInfo.InvariantCulture,
        $"io {Device} {(Writes ? "write" : "read")} {(Random ? "random" : "seq")} {BlockBytes} {Count}");
}
