using System.Security.Cryptography;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.KeyService.Nonces;

/// <summary>What presenting a nonce showed. Closed.</summary>
public enum NonceFinding
{
    /// <summary>Given to this caller, not used, not expired; it is used up now.</summary>
    Good = 1,

    /// <summary>Never given, or forgotten.</summary>
    Unknown,

    /// <summary>Used before.</summary>
    Used,

    /// <summary>Too old.</summary>
    Expired,

    /// <summary>Given to another caller; it stays that caller's.</summary>
    OfAnotherCaller,
}

/// <summary>
/// The nonces in circulation: 256 random bits each, for one caller's TLS key, for one use, for a minute, and never more
/// than a bounded number. Kept only in memory: a restart forgets them all, which refuses and never accepts. Safe for
/// use from several threads.
/// </summary>
public sealed class NonceBook(TimeProvider time)
{
    /// <summary>Length of a nonce, in bytes.</summary>
    public const int Length = 32;

    /// <summary>How long a nonce can be used, in seconds.</summary>
    public const int LifetimeSeconds = 60;

    /// <summary>How long a nonce is remembered, in seconds, so that a late one is told from an invented one.</summary>
    public const int MemorySeconds = 300;

    /// <summary>The most nonces remembered for one caller.</summary>
    public const int MostPerCaller = 256;

    /// <summary>The most nonces remembered at all.</summary>
    public const int Most = 16_384;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly Queue<string> _byAge = [];
    private readonly Dictionary<KeyId, int> _perCaller = [];

    /// <summary>Gives a nonce; null when the caller, or all callers together, have too many.</summary>
    /// <param name="caller">The key at the other end of the channel.</param>
    /// <param name="leastSize">The size of the log that evidence over this nonce must have reached.</param>
    public byte[]? Give(KeyId caller, long leastSize)
    {
        ArgumentNullException.ThrowIfNull(caller);
        lock (_gate)
        {
            Forget();
            int held = _perCaller.GetValueOrDefault(caller);
            if (held >= MostPerCaller || _entries.Count >= Most)
            {
                return null;
            }

            byte[] nonce = RandomNumberGenerator.GetBytes(Length);
            string text = Convert.ToBase64String(nonce);
            _entries.Add(text, new Entry(caller, leastSize, time.GetTimestamp()));
            _byAge.Enqueue(text);
            _perCaller[caller] = held + 1;
            return nonce;
        }
    }

    /// <summary>Presents a nonce, which uses it up if it is this caller's.</summary>
    /// <param name="nonce">The nonce.</param>
    /// <param name="caller">The key at the other end of the channel.</param>
    /// <param name="leastSize">What was said when it was given; 0 if it is unknown.</param>
    public NonceFinding Present(ReadOnlySpan<byte> nonce, KeyId caller, out long leastSize)
    {
        lock (_gate)
        {
            Forget();
            leastSize = 0;
            if (!_entries.TryGetValue(Convert.ToBase64String(nonce), out Entry? entry))
            {
                return NonceFinding.Unknown;
            }

            leastSize = entry.LeastSize;
            if (entry.Caller != caller)
            {
                return NonceFinding.OfAnotherCaller;
            }

            if (entry.IsUsed)
            {
                return NonceFinding.Used;
            }

            entry.IsUsed = true;
            return time.GetElapsedTime(entry.Given) > TimeSpan.FromSeconds(LifetimeSeconds)
                ? NonceFinding.Expired
                : NonceFinding.Good;
        }
    }

    private void Forget()
    {
        while (_byAge.TryPeek(out string? oldest)
            && time.GetElapsedTime(_entries[oldest].Given) > TimeSpan.FromSeconds(MemorySeconds))
        {
            _byAge.Dequeue();
            _entries.Remove(oldest, out Entry? entry);
            if (entry is not null && --_perCaller[entry.Caller] == 0)
            {
                _perCaller.Remove(entry.Caller);
            }
        }
    }

    private sealed record Entry(KeyId Caller, long LeastSize, long Given)
    {
        public bool IsUsed { get; set; }
    }
}
