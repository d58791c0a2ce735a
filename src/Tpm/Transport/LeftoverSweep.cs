using System.Buffers.Binary;

namespace Bailiwick.Tpm.Transport;

/// <summary>
/// Starts a TPM that nobody else uses and removes what a dead predecessor left loaded: without a resource manager its
/// few slots (three for objects) would stay taken until the next reboot. Written as bare commands (TPM 2.0 part 3),
/// because tpm2-tss has no name for objects that are not its own.
/// </summary>
internal static class LeftoverSweep
{
    private const uint Startup = 0x144;
    private const uint FlushContext = 0x165;
    private const uint GetCapability = 0x17a;
    private const uint CapabilityHandles = 1;
    private const uint AlreadyStarted = 0x100;
    private const uint MostHandles = 64;

    // Transient objects, loaded sessions, saved sessions (TPM 2.0 part 2, 7.2).
    private static readonly uint[] Ranges = [0x80000000, 0x02000000, 0x03000000];

    /// <exception cref="TpmException">The TPM does not answer, or refuses.</exception>
    public static void Run(TpmTransport transport, TimeSpan limit)
    {
        var code = Exchange(transport, "TPM2_Startup", Startup, [0, 0], limit, out _);
        if (code is not (0 or AlreadyStarted))
        {
            throw Refused("TPM2_Startup", code);
        }

        foreach (var range in Ranges)
        {
            foreach (var handle in Handles(transport, range, limit))
            {
                // One that cannot be flushed is seen by the first command that finds no slot.
                var flush = new byte[4];
                BinaryPrimitives.WriteUInt32BigEndian(flush, handle);
                _ = Exchange(transport, "TPM2_FlushContext", FlushContext, flush, limit, out _);
            }
        }
    }

    private static List<uint> Handles(TpmTransport transport, uint range, TimeSpan limit)
    {
        var parameters = new byte[12];
        BinaryPrimitives.WriteUInt32BigEndian(parameters, CapabilityHandles);
        BinaryPrimitives.WriteUInt32BigEndian(parameters.AsSpan(4), range);
        BinaryPrimitives.WriteUInt32BigEndian(parameters.AsSpan(8), MostHandles);
        var code = Exchange(transport, "TPM2_GetCapability", GetCapability, parameters, limit, out var answer);
        if (code != 0 || answer.Length < 9)
        {
            throw Refused("TPM2_GetCapability", code);
        }

        // moreData (1), capability (4), count (4), handles (4 each).
        var count = BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(5));
        if (count > MostHandles || answer.Length != 9 + (4 * (int)count))
        {
            throw new TpmException(AccessFault.Failed, "TPM2_GetCapability", "a list of handles of another length");
        }

        List<uint> handles = [];
        for (var i = 0; i < (int)count; i++)
        {
            handles.Add(BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(9 + (4 * i))));
        }

        return handles;
    }

    private static TpmException Refused(string operation, uint code)
    {
        var (fault, words) = Tss.ResponseCode.Read(code);
        return new TpmException(fault, operation, words, code);
    }

    private static uint Exchange(
        TpmTransport transport, string operation, uint command, ReadOnlySpan<byte> parameters, TimeSpan limit,
        out byte[] answer)
    {
        var message = new byte[10 + parameters.Length];
        BinaryPrimitives.WriteUInt16BigEndian(message, 0x8001);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(2), (uint)message.Length);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(6), command);
        parameters.CopyTo(message.AsSpan(10));
        transport.Send(message, operation, limit);
        var response = new byte[AccessLimits.MessageBytes];
        var length = transport.Receive(response, operation, limit);
        answer = response[10..length];
        return BinaryPrimitives.ReadUInt32BigEndian(response.AsSpan(6));
    }
}
