using System.Buffers.Binary;
using System.Text;

namespace Bailiwick.Attestation.BootLog;

/// <summary>The device path of a loaded image, as far as it names a file. A label: no digest covers it.</summary>
internal static class ImagePath
{
    private const int Header = 32;
    private const int MaximumNodes = 64;

    /// <summary>UEFI_IMAGE_LOAD_EVENT (Platform Firmware Profile, section 10.2.3): the file's path, or empty.</summary>
    internal static string Read(ReadOnlySpan<byte> data)
    {
        if (data.Length < Header)
        {
            return "";
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(data[24..]);
        ReadOnlySpan<byte> path = data[Header..];
        path = path[..(int)Math.Min((ulong)path.Length, length)];
        var text = new StringBuilder();
        for (int i = 0; i < MaximumNodes && path.Length >= 4; i++)
        {
            int node = BinaryPrimitives.ReadUInt16LittleEndian(path[2..]);
            if (node < 4 || node > path.Length || path[0] == 0x7F)
            {
                break;
            }

            text.Append(Node(path[0], path[1], path[4..node]));
            path = path[node..];
        }

        return text.ToString();
    }

    /// <summary>Media device path nodes (UEFI 2.10, section 10.3.5): a file, or a file of a firmware volume.</summary>
    private static string Node(byte type, byte subType, ReadOnlySpan<byte> data) => (type, subType) switch
    {
        (4, 4) => MeasuredText.Utf16(data) is { } file && !file.Any(char.IsControl) ? file : "",
        (4, 6 or 7) when data.Length == 16 => $"/{new Guid(data)}",
        _ => "",
    };
}
