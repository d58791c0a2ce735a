using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Rendering;
using Bailiwick.Domains.Seeing;
using Bailiwick.Durable.Files;

namespace Bailiwick.Proxy.Seeing;

/// <summary>
/// A domain's flows on this host: totals over the kernel's counters, which go when they are idle or made anew. Bounded
/// for each machine, in number and age, so that a machine which floods drives out its own records only. Kept in the
/// Proxy's private directory: what a crash loses are the last minutes. Not safe for use from several threads.
/// </summary>
public sealed class FlowBook
{
    /// <summary>Most records of one machine's port.</summary>
    public const int RecordsOfPort = 512;

    /// <summary>After this many hours without a packet a record goes.</summary>
    public const int KeptHours = 24;

    private const int MaxBytes = 64 << 20;
    private readonly Dictionary<(string Device, FlowKey Flow), FlowRecord> _records = [];
    private Dictionary<(string, CountedAt, FlowKey), FlowTotal> _last = [];
    private bool _isChanged;

    private FlowBook(IEnumerable<FlowRecord> records)
    {
        foreach (FlowRecord record in records)
        {
            _records[(record.Device, record.Flow)] = record;
        }
    }

    /// <summary>One without records.</summary>
    public static FlowBook Empty => new([]);

    /// <summary>Reads what a predecessor kept; a file that cannot be read is no history, and is replaced.</summary>
    public static FlowBook Open(PrivateDirectory directory, DomainRef domain)
    {
        byte[]? text = DurableFile.Read(directory, FileOf(domain), MaxBytes);
        try
        {
            return new FlowBook(text is null
                ? [] : JsonSerializer.Deserialize<FlowRecord[]>(text, JsonSerializerOptions.Strict) ?? []);
        }
        catch (JsonException)
        {
            return new FlowBook([]);
        }
    }

    /// <summary>Keeps the history, where it is another than what is kept.</summary>
    /// <exception cref="Bailiwick.Durable.DurableException">The disk refused.</exception>
    public void Save(PrivateDirectory directory, DomainRef domain)
    {
        if (_isChanged)
        {
            DurableFile.Replace(
                directory, FileOf(domain), JsonSerializer.SerializeToUtf8Bytes<FlowRecord[]>([.. _records.Values]));
            _isChanged = false;
        }
    }

    /// <summary>All records, the last seen first.</summary>
    public ImmutableArray<FlowRecord> Records =>
        [.. _records.Values.OrderByDescending(record => record.Last).ThenBy(record => record.Flow.ToString())];

    /// <summary>The counters were made anew: what is read next counts from nothing.</summary>
    public void Restart() => _last = [];

    /// <summary>Adds what was counted since the reading before.</summary>
    public void Take(IEnumerable<FlowReading> readings, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(readings);
        Dictionary<(string, CountedAt, FlowKey), FlowTotal> next = [];
        foreach (FlowReading reading in readings)
        {
            foreach (FlowCount count in reading.Counts)
            {
                FlowKey flow = new(count.Client, count.Server, count.Protocol, count.Port);
                FlowTotal total = new(count.Packets, count.Bytes);
                next[(reading.Device, reading.At, flow)] = total;
                FlowTotal before = _last.GetValueOrDefault((reading.Device, reading.At, flow), FlowTotal.None);
                // An element that was idle went, and began again.
                FlowTotal since = total.Packets < before.Packets ? total : total.Less(before);
                if (since.Packets > 0)
                {
                    Add(reading, flow, since, now);
                }
            }
        }

        _last = next;
        Forget(now);
    }

    private void Add(FlowReading reading, FlowKey flow, FlowTotal since, DateTimeOffset now)
    {
        FlowRecord record = _records.GetValueOrDefault((reading.Device, flow))
            ?? new FlowRecord(reading.Device, reading.Machine, flow, now, now);
        record = record with { Last = now };
        _isChanged = true;
        _records[(reading.Device, flow)] = reading.At switch
        {
            CountedAt.Asked => record with { Asked = record.Asked.Plus(since) },
            CountedAt.Sent => record with { Sent = record.Sent.Plus(since) },
            CountedAt.Got => record with { Got = record.Got.Plus(since) },
            CountedAt.AtGateway => record with { AtGateway = record.AtGateway.Plus(since) },
            CountedAt.ThroughGateway => record with { ThroughGateway = record.ThroughGateway.Plus(since) },
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    private void Forget(DateTimeOffset now)
    {
        foreach (var port in _records.GroupBy(one => one.Key.Device).ToList())
        {
            foreach (var (key, _) in port.OrderByDescending(one => one.Value.Last)
                .Where((one, at) => at >= RecordsOfPort || now - one.Value.Last > TimeSpan.FromHours(KeptHours))
                .ToList())
            {
                _isChanged |= _records.Remove(key);
            }
        }
    }

    private static string FileOf(DomainRef domain) =>
        $"flows-{DerivedNames.Digits(domain.ToString(), DerivedNames.DeviceDigits)}.json";
}
