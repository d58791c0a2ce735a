using System.Buffers.Binary;

namespace Bailiwick.Attestation.BootLog;

/// <summary>UEFI_VARIABLE_DATA (Platform Firmware Profile, section 10.2.6).</summary>
internal static class EfiVariable
{
    private const int Header = 32;

    /// <summary>The variable in an event's data; null where it is none.</summary>
    /// <param name="data">The event's data.</param>
    /// <param name="extent">How many bytes it takes; shim's events claim one more than they have.</param>
    internal static (Guid Vendor, string Name, ReadOnlyMemory<byte> Value)? Read(
        ReadOnlySpan<byte> data, out int extent)
    {
        extent = 0;
        if (data.Length < Header)
        {
            return null;
        }

        ulong characters = BinaryPrimitives.ReadUInt64LittleEndian(data[16..]);
        ulong valueBytes = BinaryPrimitives.ReadUInt64LittleEndian(data[24..]);
        if (characters > BootLogLimits.VariableNameLength
            || valueBytes > (ulong)data.Length
            || Header + (2 * characters) + valueBytes > (ulong)data.Length)
        {
            return null;
        }

        int valueAt = Header + (2 * (int)characters);
        extent = valueAt + (int)valueBytes;
        return MeasuredText.Utf16(data[Header..valueAt]) is { } name
            ? (new Guid(data[..16]), name, data[valueAt..extent].ToArray())
            : null;
    }
}
