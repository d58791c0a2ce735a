using System.Buffers.Text;
using System.Text.Json;
using Bailiwick.Custody;

namespace Bailiwick.Cli.Evidence;

/// <summary>A file with a log in it: as the kernel shows it, in base64, or in a JSON document as go-attestation writes
/// one.</summary>
internal static class LogFile
{
    /// <summary>Reads a file of at most so many bytes. Files below /sys tell no length, so it is found by reading.
    /// </summary>
    internal static byte[] Read(string path, int limit)
    {
        using FileStream file = File.OpenRead(path);
        using var taken = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        for (int count = file.Read(buffer); count > 0; count = file.Read(buffer))
        {
            taken.Write(buffer, 0, count);
            if (taken.Length > limit)
            {
                throw new CustodyException($"{path} has more than {limit} bytes; no such log is as large.");
            }
        }

        return taken.ToArray();
    }

    /// <summary>The log itself; null when the wrapping is not as it must be.</summary>
    internal static byte[]? Unwrap(string path, byte[] file)
    {
        if (path.EndsWith(".b64", StringComparison.OrdinalIgnoreCase))
        {
            return FromBase64(file);
        }

        // A log begins with the number of a PCR in four bytes, so it never looks like this.
        return file.AsSpan().StartsWith("{"u8) ? FromJson(file) : file;
    }

    private static byte[]? FromBase64(ReadOnlySpan<byte> text)
    {
        byte[] log = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return Base64.DecodeFromUtf8(text, log, out int read, out int written) == System.Buffers.OperationStatus.Done
            && read == text.Length ? log[..written] : null;
    }

    private static byte[]? FromJson(byte[] file)
    {
        try
        {
            using var document = JsonDocument.Parse(file);
            return document.RootElement.TryGetProperty("Log", out JsonElement log)
                && log.ValueKind == JsonValueKind.Object && log.TryGetProperty("Raw", out JsonElement raw)
                && raw.ValueKind == JsonValueKind.String && raw.TryGetBytesFromBase64(out byte[]? bytes)
                ? bytes : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
