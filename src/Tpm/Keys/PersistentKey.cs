using System.Buffers.Binary;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm.Tss;

namespace Bailiwick.Tpm.Keys;

/// <summary>Opens and makes what lies at a persistent handle.</summary>
internal static class PersistentKey
{
    private const uint CapabilityHandles = 1;

    /// <summary>What lies at the handle now, if it still has the name it had.</summary>
    /// <exception cref="TpmException">Missing, or Occupied by something else.</exception>
    public static TpmHandle Open(TpmCommands commands, uint handle, TpmName name)
    {
        var found = commands.At(handle);
        try
        {
            return commands.Name(found).AsSpan().SequenceEqual(name.Bytes)
                ? found
                : throw Other(handle);
        }
        catch
        {
            found.Dispose();
            throw;
        }
    }

    /// <summary>The public area of what lies at the handle; if nothing does, of what is made and kept there.</summary>
    public static TpmPublic FindOrMake(TpmCommands commands, uint handle, Func<TpmHandle> make)
    {
        if (IsTaken(commands, handle))
        {
            using var found = commands.At(handle);
            return Read(commands.ReadPublic(found), $"handle 0x{handle:x8}");
        }

        using var made = make();
        commands.Persist(made, handle);
        return Read(commands.ReadPublic(made), $"handle 0x{handle:x8}");
    }

    /// <summary>Reads a public area.</summary>
    /// <exception cref="TpmException">BadInput: it is of a kind that is not used here.</exception>
    public static TpmPublic Read(ReadOnlySpan<byte> area, string place) =>
        TpmPublic.TryRead(area, out var value, out var fault)
            ? value
            : throw new TpmException(
                AccessFault.BadInput, place, fault?.Clause() is { } clause
                    ? $"the public area cannot be read: {clause}" : "the public area cannot be read");

    public static TpmException Other(uint handle) => new(
        AccessFault.Occupied, $"handle 0x{handle:x8}", "another object lies there than the one that is expected");

    /// <summary>Asks for the list of handles: TPMS_CAPABILITY_DATA is capability (4), count (4), handles.</summary>
    public static bool IsTaken(TpmCommands commands, uint handle)
    {
        var data = commands.GetCapability(CapabilityHandles, handle, 1);
        return data.Length >= 12 && BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(8)) == handle;
    }
}
