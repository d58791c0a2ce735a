using System.Text.Json;

namespace Bailiwick.Ledger.Json;

/// <summary>Writes one string as canonical JSON.</summary>
internal static class JsonText
{
    /// <summary>The string in quotes, escaped as RFC 8785 section 3.2.2.2 says.</summary>
    public static byte[] Quote(string text) => CanonicalJson.Write(JsonSerializer.SerializeToElement(text));
}
