using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Storage;

/// <summary>How long a key service took to release a key: from the question until it is open on this host.</summary>
/// <param name="Key">The volume, or the machine's TPM.</param>
/// <param name="At">When it was released.</param>
/// <param name="Took">How long that took, with the evidence, the journey and the TPM's part.</param>
public sealed record KeyTime(string Key, DateTimeOffset At, TimeSpan Took);

/// <summary>Remembers of each key how long its last release took, for whoever asks why a start is slow.</summary>
public sealed class TimedKeys(IVolumeKeys keys, TimeProvider time) : IVolumeKeys
{
    private const int Most = 4096;
    private readonly ConcurrentDictionary<string, KeyTime> _times = new(StringComparer.Ordinal);

    /// <summary>The last release of each key, by its name.</summary>
    public ImmutableArray<KeyTime> All => [.. _times.Values.OrderBy(one => one.Key, StringComparer.Ordinal)];

    /// <inheritdoc/>
    public async Task<VolumeKeyAnswer> RequestAsync(
        VolumeKeyQuestion question, Action<string> about, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(question);
        long start = time.GetTimestamp();
        VolumeKeyAnswer answer = await keys.RequestAsync(question, about, stop).ConfigureAwait(false);
        if (answer is VolumeKeyAnswer.Released)
        {
            string key = question.Key.ToString();
            if (_times.Count >= Most && !_times.ContainsKey(key))
            {
                _times.Clear();
            }

            _times[key] = new KeyTime(key, time.GetUtcNow(), time.GetElapsedTime(start));
        }

        return answer;
    }

    /// <inheritdoc/>
    public Task<ImmutableArray<string>> BindAsync(
        KeySubject.Volume volume, string nonce, Digest32 header, CancellationToken stop) =>
        keys.BindAsync(volume, nonce, header, stop);

    /// <inheritdoc/>
    public Task<string> ReturnAsync(
        EnforcedPlan plan, HeldVolume volume, Digest32? state, CancellationToken stop) =>
        keys.ReturnAsync(plan, volume, state, stop);

    /// <inheritdoc/>
    public bool IsKept(EnforcedPlan plan, HeldVolume volume) => keys.IsKept(plan, volume);
}
