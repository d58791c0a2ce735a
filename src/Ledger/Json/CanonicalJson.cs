using System.Text.Json;

namespace Bailiwick.Ledger.Json;

/// <summary>
/// The one JSON form that is signed: the JSON Canonicalization Scheme (RFC 8785) restricted to integers within
/// 2^53 - 1 of zero. The restriction is deliberate: RFC 8785 writes numbers as ECMAScript prints IEEE 754 doubles, the
/// only part of it that readers of different languages get wrong; integers of this range have one spelling everywhere,
/// so the canonical form is exact. Reading is strict: one value, no comments, no trailing commas, no byte order mark,
/// no duplicate members, no half surrogate pairs, and bounded size, depth and member count.
/// </summary>
public static class CanonicalJson
{
    /// <summary>Reads one JSON value, canonical or not.</summary>
    /// <param name="utf8">The whole document in UTF-8.</param>
    /// <param name="limits">What it may cost; <see cref="JsonLimits.Standard"/> if null.</param>
    public static JsonReading Parse(ReadOnlySpan<byte> utf8, JsonLimits? limits = null)
    {
        limits ??= JsonLimits.Standard;
        if (JsonScanner.Check(utf8, limits) is { } fault)
        {
            return new JsonReading.Rejected(fault);
        }

        // The scanner is stricter than this reader, so this cannot fail; if it ever does, that is a bug and it throws.
        var options = new JsonDocumentOptions
        {
            AllowDuplicateProperties = false,
            AllowTrailingCommas = false,
            CommentHandling = JsonCommentHandling.Disallow,
            MaxDepth = limits.MaxDepth + 1,
        };
        return new JsonReading.Understood(JsonElement.Parse(utf8, options));
    }

    /// <summary>
    /// Reads one JSON value that must be in canonical form, byte for byte; otherwise the fault is
    /// <see cref="JsonFaultCode.NotCanonical"/> at the first byte that differs.
    /// </summary>
    public static JsonReading ParseCanonical(ReadOnlySpan<byte> utf8, JsonLimits? limits = null)
    {
        var reading = Parse(utf8, limits);
        if (reading is not JsonReading.Understood understood)
        {
            return reading;
        }

        var canonical = JsonCanonicalWriter.Write(understood.Root, limits ?? JsonLimits.Standard);
        return utf8.SequenceEqual(canonical)
            ? reading
            : new JsonReading.Rejected(
                new JsonFault(JsonFaultCode.NotCanonical, utf8.CommonPrefixLength(canonical)));
    }

    /// <summary>The canonical form of a value.</summary>
    /// <exception cref="ArgumentException">
    /// The value has no canonical form here: a number that is not an integer within 2^53 - 1 of zero, text with half a
    /// surrogate pair, a member twice, or nesting beyond <see cref="LedgerLimits.JsonDepth"/>.
    /// </exception>
    public static byte[] Write(JsonElement value) => JsonCanonicalWriter.Write(value, JsonLimits.Standard);

    /// <summary>True if the bytes are one JSON value in canonical form and within the standard limits.</summary>
    public static bool IsCanonical(ReadOnlySpan<byte> utf8) => ParseCanonical(utf8) is JsonReading.Understood;
}
