using System.Collections.Concurrent;
using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Channel.Board;

namespace Bailiwick.Master.Placing;

/// <summary>A host's last report.</summary>
/// <param name="Report">What it said.</param>
/// <param name="At">When.</param>
public sealed record ReceivedReport(HostReport Report, DateTimeOffset At);

/// <summary>The last report of each host, in memory: a host reports again soon after the board has restarted.</summary>
public sealed class ReportDesk(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, ReceivedReport> _last = new(StringComparer.Ordinal);

    /// <summary>Takes a report; the gate has checked that it is the host's own.</summary>
    public void Put(string host, HostReport report) => _last[host] = new ReceivedReport(report, time.GetUtcNow());

    /// <summary>The last report, or null if there was none since the start.</summary>
    public ReceivedReport? Find(string host) => _last.GetValueOrDefault(host);

    /// <summary>`silent`, `reporting` or `late`.</summary>
    public string StateOf(string host) => Find(host) switch
    {
        null => "silent",
        { At: var at } when time.GetUtcNow() - at > TimeSpan.FromSeconds(MasterLimits.LateSeconds) => "late",
        _ => "reporting",
    };

    /// <summary>The assurance that a report's evidence claims; null if it claims none. Not verified.</summary>
    public static string? ClaimedAssurance(JsonElement? evidence)
    {
        try
        {
            if (evidence is { ValueKind: JsonValueKind.Object } envelope
                && envelope.TryGetProperty("payload", out var payload) && payload.ValueKind == JsonValueKind.String)
            {
                var body = JsonElement.Parse(payload.GetBytesFromBase64());
                return body.ValueKind != JsonValueKind.Object
                    || !body.TryGetProperty("bailiwick", out var form) || form.ValueKind != JsonValueKind.String ? null
                    : form.GetString() == EvidenceDocument.QuoteFormat.Version ? "tpm"
                    : form.GetString() == EvidenceDocument.WordFormat.Version ? "software"
                    : null;
            }
        }
        catch (Exception error) when (error is JsonException or FormatException)
        {
            // Whatever it is, it claims nothing that could be shown.
        }

        return null;
    }
}
