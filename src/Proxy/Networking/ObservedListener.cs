using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Bailiwick.Proxy.Networking;

/// <summary>A socket that is given whole frames, as <c>/proc/net/packet</c> tells it (packet(7)).</summary>
/// <param name="Device">The kernel's number of the device; 0 for all.</param>
/// <param name="Inode">The socket's.</param>
public sealed record ObservedListener(int Device, long Inode)
{
    private const string Heading = "sk RefCnt Type Proto Iface R Rmem User Inode";

    /// <summary>Reads the whole listing.</summary>
    /// <exception cref="JsonException">Not the listing it should be.</exception>
    public static ImmutableArray<ObservedListener> ReadAll(string text)
    {
        string[][] rows =
        [
            .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)),
        ];
        return rows.Length > 0 && string.Join(' ', rows[0]) == Heading
            ? [.. rows.Skip(1).Select(Read)] : throw new JsonException("it does not begin with its heading");
    }

    private static ObservedListener Read(string[] row) => row.Length == 9
        && int.TryParse(row[4], NumberStyles.None, CultureInfo.InvariantCulture, out int device)
        && long.TryParse(row[8], NumberStyles.None, CultureInfo.InvariantCulture, out long inode)
            ? new ObservedListener(device, inode)
            : throw new JsonException($"\"{string.Join(' ', row)}\" is no socket");
}
