using System.Text;

namespace Bailiwick.Attestation.BootLog;

/// <summary>Text in measured bytes, read strictly.</summary>
internal static class MeasuredText
{
    private static readonly UTF8Encoding Utf8Strict = new(false, throwOnInvalidBytes: true);
    private static readonly UnicodeEncoding Utf16Strict = new(false, false, throwOnInvalidBytes: true);

    /// <summary>UTF-16 LE without NUL, except one at its end, which is dropped; null for anything else.</summary>
    internal static string? Utf16(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length % 2 != 0)
        {
            return null;
        }

        if (bytes.EndsWith("\0\0"u8))
        {
            bytes = bytes[..^2];
        }

        return Decode(Utf16Strict, bytes);
    }

    /// <summary>UTF-8 without NUL, except one at its end, which is dropped; null for anything else.</summary>
    internal static string? Utf8(ReadOnlySpan<byte> bytes) =>
        Decode(Utf8Strict, bytes.EndsWith("\0"u8) ? bytes[..^1] : bytes);

    /// <summary>Whatever there is of it as one line for people.</summary>
    internal static string Label(ReadOnlySpan<byte> bytes)
    {
        const int Longest = 256;
        bytes = bytes[..Math.Min(bytes.Length, Longest)];
        string text = Utf8(bytes) ?? Utf16(bytes) ?? "";
        return text.Any(char.IsControl) ? "" : text;
    }

    private static string? Decode(Encoding encoding, ReadOnlySpan<byte> bytes)
    {
        try
        {
            string text = encoding.GetString(bytes);
            return text.Contains('\0', StringComparison.Ordinal) ? null : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
