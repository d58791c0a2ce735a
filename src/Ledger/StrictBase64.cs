using System.Diagnostics.CodeAnalysis;

namespace Bailiwick.Ledger;

/// <summary>
/// Standard base64 (RFC 4648 section 4) in its one canonical form: padded, no white space, unused bits zero. Two texts
/// for the same bytes would give one signature two appearances.
/// </summary>
public static class StrictBase64
{
    /// <summary>How many bytes a text of canonical form stands for; for others, at least what they could.</summary>
    public static long DecodedLength(string text) =>
        (text.Length / 4 * 3L) - (text.EndsWith("==", StringComparison.Ordinal) ? 2 : text.EndsWith('=') ? 1 : 0);

    /// <summary>Decodes at most <paramref name="maxBytes"/> bytes; false for any other form or a longer text.</summary>
    public static bool TryDecode(
        [NotNullWhen(true)] string? text, int maxBytes, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        if (text is null || text.Length % 4 != 0 || DecodedLength(text) > maxBytes)
        {
            return false;
        }

        var buffer = new byte[text.Length / 4 * 3];
        if (!Convert.TryFromBase64String(text, buffer, out var written) || written > maxBytes)
        {
            return false;
        }

        var decoded = buffer.AsSpan(0, written).ToArray();
        if (!string.Equals(Convert.ToBase64String(decoded), text, StringComparison.Ordinal))
        {
            return false;
        }

        bytes = decoded;
        return true;
    }
}
