using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Keys;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Nonces;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;

namespace Bailiwick.KeyService.Restarting;

/// <summary>
/// Which host may open which key again without asking, and until when; and which keys their tenant withdrew. Kept
/// across restarts of this key service, because a host may keep such a lease while nobody hears it: a restart lease is
/// over when its time is, or when the host itself said that it let go. The time is this key service's own, and counted
/// from later than the host counts; its clock set back makes it longer, and set forward not shorter while it runs.
/// Safe for use from several threads.
/// </summary>
public sealed class RestartBook : IDisposable
{
    /// <summary>The most restart leases of one key that are told apart; of earlier ones only the end is kept.</summary>
    public const int MostOfKey = 16;

    private const string FileName = "restarts.log";
    private static readonly TimeSpan Unheard = TimeSpan.FromSeconds(NonceBook.LifetimeSeconds);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<Granted>> _granted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _withdrawn = new(StringComparer.Ordinal);
    private readonly AppendLog _journal;
    private readonly TimeProvider _time;
    private readonly long _start;

    private RestartBook(PrivateDirectory directory, TimeProvider time)
    {
        (_time, _start) = (time, time.GetTimestamp());
        _journal = AppendLog.Open(directory, FileName, Replay);
    }

    /// <summary>Opens it, empty if there is none.</summary>
    /// <exception cref="DurableException">The disk refused, or another key service has it.</exception>
    /// <exception cref="CustodyException">A record is none of ours.</exception>
    public static RestartBook Open(PrivateDirectory directory, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(time);
        return new RestartBook(directory, time);
    }

    /// <summary>Notes, durably, that a key is about to go to a host that may open it again.</summary>
    /// <exception cref="DurableException">The disk refused: the key must not leave.</exception>
    public void Grant(string key, string compartment, VaultHolder holder, TimeSpan within)
    {
        ArgumentNullException.ThrowIfNull(holder);
        lock (_gate)
        {
            DateTimeOffset now = _time.GetUtcNow();
            Granted granted = new(key, compartment, holder, now, now + within) { Left = within, From = Elapsed };
            Append(new JsonObject
            {
                ["kind"] = "granted",
                ["key"] = key,
                ["compartment"] = compartment,
                ["host"] = holder.Host,
                ["nonce"] = holder.Nonce,
                ["at"] = granted.At.ToUnixTimeSeconds() + 1,
                ["until"] = granted.Until.ToUnixTimeSeconds() + 1,
            });
            Add(granted);
        }
    }

    /// <summary>
    /// Takes what a host says it keeps: what it does not name it has let go of. Not so what was granted a moment ago,
    /// for what the host says may be older than that: as old as a nonce of its proof can be.
    /// </summary>
    /// <exception cref="DurableException">The disk refused; it is taken again with the next proof.</exception>
    public void Heard(string host, ImmutableArray<string> kept)
    {
        lock (_gate)
        {
            DateTimeOffset now = _time.GetUtcNow();
            Granted[] gone =
            [
                .. _granted.Values.SelectMany(all => all).Where(one => one.Holder.Host == host
                    && !kept.Contains(one.Holder.Nonce) && now - one.At > Unheard),
            ];
            foreach (Granted one in gone)
            {
                Append(new JsonObject { ["kind"] = "ended", ["key"] = one.Key, ["nonce"] = one.Holder.Nonce });
                End(one.Key, one.Holder.Nonce);
            }
        }
    }

    /// <summary>What a restart lease of a host is for; null when there is none by that nonce.</summary>
    public string? KeyOf(string host, string nonce)
    {
        lock (_gate)
        {
            return _granted.Values.SelectMany(all => all)
                .FirstOrDefault(one => one.Holder.Host == host && one.Holder.Nonce == nonce && Lives(one))?.Key;
        }
    }

    /// <summary>Until when a host may open a key again without asking; null when it may not.</summary>
    public DateTimeOffset? UntilOf(string key, string host)
    {
        lock (_gate)
        {
            return _granted.GetValueOrDefault(key, []).Where(one => one.Holder.Host == host && Lives(one))
                .Select(one => (DateTimeOffset?)one.Until).Max();
        }
    }

    /// <summary>When a key was withdrawn; null when it is not.</summary>
    public DateTimeOffset? WithdrawnAt(string key)
    {
        lock (_gate)
        {
            return _withdrawn.TryGetValue(key, out DateTimeOffset since) ? since : null;
        }
    }

    /// <summary>Withdraws a key, durably; again says nothing new.</summary>
    /// <returns>The index of the record.</returns>
    /// <exception cref="DurableException">The disk refused.</exception>
    public long Withdraw(string key)
    {
        lock (_gate)
        {
            DateTimeOffset since = _withdrawn.GetValueOrDefault(key, _time.GetUtcNow());
            long record = Append(new JsonObject
            {
                ["kind"] = "withdrawn",
                ["key"] = key,
                ["at"] = since.ToUnixTimeSeconds(),
            });
            _withdrawn[key] = since;
            return record;
        }
    }

    /// <summary>Allows a key again, durably.</summary>
    /// <returns>The index of the record.</returns>
    /// <exception cref="DurableException">The disk refused.</exception>
    public long Allow(string key)
    {
        lock (_gate)
        {
            long record = Append(new JsonObject { ["kind"] = "allowed", ["key"] = key });
            _withdrawn.Remove(key);
            return record;
        }
    }

    /// <summary>Every restart lease that lives, the last end of each key and host.</summary>
    public ImmutableArray<RestartRow> Rows()
    {
        lock (_gate)
        {
            return
            [
                .. _granted.Values.SelectMany(all => all).Where(Lives)
                    .GroupBy(one => (one.Key, one.Holder.Host)).Select(same => same.MaxBy(one => one.Until))
                    .OfType<Granted>().OrderBy(one => one.Key, StringComparer.Ordinal)
                    .Select(one => new RestartRow(one.Key, one.Compartment, one.Holder.Host, one.Until)),
            ];
        }
    }

    /// <summary>Every withdrawn key.</summary>
    public ImmutableArray<WithdrawnRow> Withdrawn()
    {
        lock (_gate)
        {
            return
            [
                .. _withdrawn.OrderBy(pair => pair.Key, StringComparer.Ordinal)
                    .Select(pair => new WithdrawnRow(pair.Key, pair.Value)),
            ];
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _journal.Dispose();

    private TimeSpan Elapsed => _time.GetElapsedTime(_start);

    private bool Lives(Granted one) => one.Until > _time.GetUtcNow() || Elapsed - one.From < one.Left;

    private long Append(JsonObject record) =>
        _journal.Append(CanonicalJson.Write(JsonSerializer.SerializeToElement(record)));

    private void Add(Granted granted)
    {
        if (!_granted.TryGetValue(granted.Key, out List<Granted>? all))
        {
            _granted[granted.Key] = all = [];
        }

        all.RemoveAll(one => !Lives(one));
        all.Add(granted);
        if (all.Count > MostOfKey)
        {
            // One nonce less is told apart, and no end comes earlier: the next of that host lasts as long as it did.
            Granted oldest = all[0];
            int next = all.FindIndex(1, one => one.Holder.Host == oldest.Holder.Host);
            if (next > 0)
            {
                all[next] = all[next] with
                {
                    Until = Later(oldest.Until, all[next].Until),
                    Left = all[next].From - oldest.From > oldest.Left
                        ? all[next].Left
                        : Longer(all[next].Left, oldest.Left - (all[next].From - oldest.From)),
                };
                all.RemoveAt(0);
            }
        }
    }

    private void End(string key, string nonce) =>
        _granted.GetValueOrDefault(key)?.RemoveAll(one => one.Holder.Nonce == nonce);

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private void Replay(LogRecord record)
    {
        DocumentObject? value = CanonicalJson.ParseCanonical(record.Payload.Span) is JsonReading.Understood read
            ? DocumentObject.Of(read.Root) : null;
        switch (value?.Text("kind"), value?.Text("key"))
        {
            case ("granted", { } key) when value.Text("compartment") is { } machine && value.Text("host") is { } host
                && value.Text("nonce") is { } nonce && value.Count("at") is { } at
                && value.Count("until") is { } until:
                Add(new Granted(
                    key, machine, new VaultHolder(host, nonce), DateTimeOffset.FromUnixTimeSeconds(at),
                    DateTimeOffset.FromUnixTimeSeconds(until)));
                break;
            case ("ended", { } key) when value.Text("nonce") is { } nonce:
                End(key, nonce);
                break;
            case ("withdrawn", { } key) when value.Count("at") is { } at:
                _withdrawn[key] = DateTimeOffset.FromUnixTimeSeconds(at);
                break;
            case ("allowed", { } key):
                _withdrawn.Remove(key);
                break;
            default:
                throw new CustodyException(
                    $"Record {record.Index} of the restart journal is none of ours. Restore it from a copy.");
        }
    }

    private sealed record Granted(
        string Key, string Compartment, VaultHolder Holder, DateTimeOffset At, DateTimeOffset Until)
    {
        /// <summary>How long it lasts from <see cref="From"/>, by the running clock; nothing after a restart.</summary>
        public TimeSpan Left { get; init; }

        public TimeSpan From { get; init; }
    }
}
