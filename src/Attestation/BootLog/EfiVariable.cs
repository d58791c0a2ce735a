using System.Buffers.Binary;

namespace Bailiwick.Attestation.BootLog;

/// <summary>UEFI_VARIABLE_DATA (Platform Firmware Profile, section 10.2.6).</summary>
internal static class EfiVariable
{
    private const int Header = 32;

    /// <summary>How many bytes of an event's data a variable takes; null where it is none. Shim's events claim one
    /// more than they have.</summary>
    internal static int? Extent(ReadOnlySpan<byte> data)
    {
        if (data.Length < Header)
        {
            return null;
        }

        ulong characters = BinaryPrimitives.ReadUInt64LittleEndian(data[16..]);
        ulong valueBytes = BinaryPrimitives.ReadUInt64LittleEndian(data[24..]);
        return characters > BootLogLimits.VariableNameLength
            || valueBytes > (ulong)data.Length
            || Header + (2 * characters) + valueBytes > (ulong)data.Length
                ? null
                : Header + (2 * (int)characters) + (int)valueBytes;
    }

    /// <summary>The variable that takes all of such data; null where its name is no text.</summary>
    internal static (Guid Vendor, string Name, ReadOnlyMemory<byte> Value)? Read(ReadOnlySpan<byte> data)
    {
        int valueAt = Header + (2 * (int)BinaryPrimitives.ReadUInt64LittleEndian(data[16..]));
        return MeasuredText.Utf16(data[Header..valueAt]) is { } name
            ? (new Guid(data[..16]), name, data[valueAt..].ToArray())
            : null;
    }
}
