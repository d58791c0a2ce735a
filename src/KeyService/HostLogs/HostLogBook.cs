using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;

namespace Bailiwick.KeyService.HostLogs;

/// <summary>
/// How far this key service followed each host's integrity log, and what of it concerns its tenant. Kept durably, so
/// that the host has to show only what is new, and cannot show another log later. Each record is canonical JSON: an
/// opening, or the position that the openings before it belong to.
/// </summary>
public sealed class HostLogBook : IDisposable
{
    /// <summary>How many openings of one host are held for showing: the newest.</summary>
    public const int MostShown = 1000;

    private const string FileName = "host-logs.log";
    private readonly Lock _gate = new();
    private readonly Dictionary<string, HostLog> _byHost = new(StringComparer.Ordinal);
    private readonly AppendLog _log;

    private HostLogBook(PrivateDirectory directory)
    {
        Dictionary<string, List<IntegrityOpening>> unsettled = new(StringComparer.Ordinal);
        _log = AppendLog.Open(directory, FileName, record => Replay(record, unsettled));
    }

    /// <summary>Opens the book, or begins one.</summary>
    /// <exception cref="CustodyException">A record is not one that this book wrote.</exception>
    public static HostLogBook Open(PrivateDirectory directory) => new(directory);

    /// <summary>How far a host's log was followed; null when it never was.</summary>
    public IntegrityPosition? PositionOf(string host) => Of(host)?.Position;

    /// <summary>What is known of a host's log; null when it was never followed.</summary>
    public HostLog? Of(string host)
    {
        lock (_gate)
        {
            return _byHost.GetValueOrDefault(host);
        }
    }

    /// <summary>Takes what evidence showed, which was verified; durable when it returns.</summary>
    public void Keep(string host, IntegrityReading.Followed followed)
    {
        ArgumentNullException.ThrowIfNull(followed);
        lock (_gate)
        {
            if (PositionOf(host) == followed.Position)
            {
                return;
            }

            // The position comes last: openings without one were never settled, and are shown again.
            _log.Append(
            [
                .. followed.Openings.Select(opening => Write(host, "opening", opening.Write())),
                Write(host, "position", followed.Position.Write()),
            ]);
            Settle(host, followed.Position, followed.Openings);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _log.Dispose();

    private void Replay(LogRecord record, Dictionary<string, List<IntegrityOpening>> unsettled)
    {
        if (CanonicalJson.ParseCanonical(record.Payload.Span) is JsonReading.Understood { Root: var root }
            && DocumentObject.Of(root) is { } value && value.Text("host") is { } host)
        {
            if (!unsettled.TryGetValue(host, out List<IntegrityOpening>? openings))
            {
                unsettled[host] = openings = [];
            }

            if (value.HasExactly("host", "opening")
                && IntegrityOpening.Read(root.GetProperty("opening")) is { } opening)
            {
                if (openings.Count > 0 && opening.Entry.Sequence <= openings[^1].Entry.Sequence)
                {
                    openings.Clear();
                }

                openings.Add(opening);
                return;
            }

            if (value.HasExactly("host", "position")
                && IntegrityPosition.Read(root.GetProperty("position")) is { } position)
            {
                Settle(host, position, [.. openings]);
                openings.Clear();
                return;
            }
        }

        throw new CustodyException(
            $"Record {record.Index} of {FileName} is none of ours. Restore it from a copy.");
    }

    private void Settle(string host, IntegrityPosition position, ImmutableArray<IntegrityOpening> openings)
    {
        ImmutableArray<IntegrityOpening> before = _byHost.GetValueOrDefault(host)?.Openings ?? [];
        _byHost[host] = new HostLog(position, [.. before.Concat(openings).TakeLast(MostShown)]);
    }

    private static ReadOnlyMemory<byte> Write(string host, string member, JsonElement value) =>
        CanonicalJson.Write(JsonSerializer.SerializeToElement(new JsonObject
        {
            ["host"] = host,
            [member] = JsonNode.Parse(CanonicalJson.Write(value)),
        }));
}

/// <summary>What is known of one host's log.</summary>
/// <param name="Position">How far it was followed.</param>
/// <param name="Openings">What concerns the tenant of it, the newest last; at most
/// <see cref="HostLogBook.MostShown"/>.</param>
public sealed record HostLog(IntegrityPosition Position, ImmutableArray<IntegrityOpening> Openings);
