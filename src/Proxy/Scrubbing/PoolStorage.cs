using System.Globalization;
using Bailiwick.Domains.KeyRelease;

namespace Bailiwick.Proxy.Scrubbing;

/// <summary>
/// What lies under the pool, as far as the kernel says. What is not known is not claimed: only a file system that
/// writes in place, on one disk that turns, counts as in place.
/// </summary>
public static class PoolStorage
{
    private static readonly Dictionary<long, (string Name, ScrubStorage Storage)> Known = new()
    {
        [0xEF53] = ("ext", ScrubStorage.InPlace),
        [0x58465342] = ("xfs", ScrubStorage.InPlace),
        [0x9123683E] = ("btrfs", ScrubStorage.CopyOnWrite),
        [0x2FC12FC1] = ("zfs", ScrubStorage.CopyOnWrite),
        [0xCA451A4E] = ("bcachefs", ScrubStorage.CopyOnWrite),
        [0xF2F52010] = ("f2fs", ScrubStorage.CopyOnWrite),
        [0x794C7630] = ("overlay", ScrubStorage.CopyOnWrite),
        [0x01021994] = ("tmpfs", ScrubStorage.Memory),
        [0x6969] = ("nfs", ScrubStorage.Unknown),
        [0x65735546] = ("fuse", ScrubStorage.Unknown),
        [0x00C36400] = ("ceph", ScrubStorage.Unknown),
    };

    /// <summary>What an overwrite means in the file system with this number, on the disk that has this path.</summary>
    /// <param name="number">What statfs(2) says.</param>
    /// <param name="turns">Whether the disk beneath turns; null when that is not known.</param>
    public static (ScrubStorage Storage, string Name) Of(long number, bool? turns)
    {
        (string name, ScrubStorage storage) = Known.GetValueOrDefault(
            number & 0xFFFFFFFF,
            (string.Create(CultureInfo.InvariantCulture, $"0x{number & 0xFFFFFFFF:x}"), ScrubStorage.Unknown));
        return (storage == ScrubStorage.InPlace && turns != true ? ScrubStorage.Remapped : storage, name);
    }

    /// <summary>Whether the disk beneath a directory turns, and is one disk; null when that is not known.</summary>
    public static bool? Turns(string directory)
    {
        try
        {
            string? device = File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' '))
                .Where(parts => parts.Length > 4 && IsUnder(directory, parts[4]))
                .MaxBy(parts => parts[4].Length)?[2];
            string at = $"/sys/dev/block/{device}";
            string queue = File.Exists($"{at}/queue/rotational") ? $"{at}/queue" : $"{at}/../queue";
            return Directory.Exists($"{at}/dm") || Directory.Exists($"{at}/loop") ? null
                : File.Exists($"{queue}/rotational") ? File.ReadAllText($"{queue}/rotational").Trim() == "1"
                : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsUnder(string path, string mount) =>
        mount == "/" || path == mount || path.StartsWith(mount + "/", StringComparison.Ordinal);
}
