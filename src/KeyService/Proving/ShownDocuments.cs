using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Known;
using Bailiwick.Ledger.Json;

namespace Bailiwick.KeyService.Proving;

/// <summary>What hosts send, as bytes to be judged.</summary>
internal static class ShownDocuments
{
    /// <summary>An envelope in canonical form.</summary>
    public static byte[] Canonical(JsonElement envelope)
    {
        try
        {
            return CanonicalJson.Write(envelope);
        }
        catch (ArgumentException)
        {
            // What has no canonical form is no envelope; the reader refuses the empty document with its own sentence.
            return [];
        }
    }

    /// <summary>The logs beside evidence; null when one is not base64, or they go on from no position.</summary>
    public static EvidenceLogs? Logs(string boot, string runtime, JsonElement? integrity, JsonElement? after)
    {
        LogsPosition? position = after is { } shown ? LogsPosition.Read(shown) : null;
        if (after is not null && position is null)
        {
            return null;
        }

        try
        {
            return new EvidenceLogs(Convert.FromBase64String(boot), Convert.FromBase64String(runtime))
            {
                IntegrityLog = integrity is { } log ? Canonical(log) : default,
                After = position,
            };
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
