using Bailiwick.Tpm.Tss;

namespace Bailiwick.Tpm.Keys;

/// <summary>Opens and makes what lies at a persistent handle.</summary>
internal static class PersistentKey
{
    /// <summary>What lies at the handle now, if it still has the name it had.</summary>
    /// <exception cref="TpmException">Missing, or Occupied by something else.</exception>
    public static TpmHandle Open(TpmCommands commands, uint handle, ReadOnlyMemory<byte> name)
    {
        var found = commands.At(handle);
        try
        {
            return commands.Name(found).AsSpan().SequenceEqual(name.Span)
                ? found
                : throw Other(handle);
        }
        catch
        {
            found.Dispose();
            throw;
        }
    }

    /// <summary>The public area and name of what lies at the handle, or null when nothing does.</summary>
    public static (byte[] Public, byte[] Name)? Find(TpmCommands commands, uint handle)
    {
        if (!IsTaken(commands, handle))
        {
            return null;
        }

        using var found = commands.At(handle);
        return (commands.ReadPublic(found), commands.Name(found));
    }

    public static TpmException Other(uint handle) => new(
        TpmFault.Occupied, $"handle 0x{handle:x8}", "another object lies there than the one that is expected");

    /// <summary>Asks for the list of handles instead of trying, so that the library does not log an error.</summary>
    public static bool IsTaken(TpmCommands commands, uint handle)
    {
        // TPMS_CAPABILITY_DATA of handles: capability (4), count (4), handles.
        const uint handles = 1;
        var data = commands.GetCapability(handles, handle, 1);
        return data.Length >= 12
            && System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(8)) == handle;
    }
}
