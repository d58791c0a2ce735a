using System.Runtime.InteropServices;
using System.Text;

namespace Bailiwick.Attestation.BootLog;

/// <summary>Text in measured bytes, read strictly.</summary>
internal static class MeasuredText
{
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

        // Looked at before it is decoded: most measured data is no text, and a decoder that throws costs more than all
        // hashes of a boot log together.
        ReadOnlySpan<char> text = MemoryMarshal.Cast<byte, char>(bytes);
        return text.Contains('\0') || !HasWholePairs(text) ? null : text.ToString();
    }

    /// <summary>UTF-8 without NUL, except one at its end, which is dropped; null for anything else.</summary>
    internal static string? Utf8(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<byte> bare = bytes.EndsWith("\0"u8) ? bytes[..^1] : bytes;
        return bare.Contains((byte)0) || !System.Text.Unicode.Utf8.IsValid(bare) ? null : Encoding.UTF8.GetString(bare);
    }

    /// <summary>Whatever there is of it as one line for people.</summary>
    internal static string Label(ReadOnlySpan<byte> bytes)
    {
        const int Longest = 256;
        bytes = bytes[..Math.Min(bytes.Length, Longest)];
        string text = Utf8(bytes) ?? Utf16(bytes) ?? "";
        return text.Any(char.IsControl) ? "" : text;
    }

    private static bool HasWholePairs(ReadOnlySpan<char> text)
    {
        for (int at = text.IndexOfAnyInRange('\uD800', '\uDFFF'); at >= 0 && at < text.Length; at++)
        {
            if (!char.IsSurrogate(text[at]))
            {
                continue;
            }

            if (at + 1 == text.Length || !char.IsSurrogatePair(text[at], text[++at]))
            {
                return false;
            }
        }

        return true;
    }
}
