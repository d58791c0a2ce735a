using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Custody;

namespace Bailiwick.Cli.Evidence;

/// <summary>Files with evidence in them, and how reasons are shown to programs.</summary>
internal static class EvidenceFile
{
    /// <summary>Reads a file of at most so many bytes.</summary>
    internal static byte[] Read(string path, int limit)
    {
        using FileStream file = File.OpenRead(path);
        byte[] bytes = new byte[Math.Min(file.Length, limit) + 1];
        int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return length <= limit ? bytes[..length]
            : throw new CustodyException($"{path} has more than {limit} bytes; no such file is as large.");
    }

    /// <summary>The bytes within the first PEM block of that label; null when the file has none.</summary>
    internal static byte[]? FromPem(byte[] bytes, string label)
    {
        string text = Encoding.ASCII.GetString(bytes);
        return PemEncoding.TryFind(text, out var fields) && text[fields.Label] == label
            ? Convert.FromBase64String(text[fields.Base64Data])
            : null;
    }

    /// <summary>A reason's name for programs: `NonceMismatch` is `nonce-mismatch`.</summary>
    internal static string Code<T>(T reason)
        where T : struct, Enum => JsonNamingPolicy.KebabCaseLower.ConvertName(reason.ToString());

    /// <summary>Names of reasons.</summary>
    internal static JsonArray Codes<T>(IEnumerable<T> reasons)
        where T : struct, Enum => Texts(reasons.Select(Code));

    /// <summary>Texts as JSON.</summary>
    internal static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
