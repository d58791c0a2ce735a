using System.Collections.Concurrent;

namespace Bailiwick.Attestation.Known;

/// <summary>
/// What a verifier holds of hosts, so that each shows only what is new: by host, and by whoever's enrolment and demands
/// they were judged under, as far as those differ. Every verifier keeps one, and takes every verdict to it. Only in
/// memory: after a restart logs are asked for whole. Safe for use from several threads.
/// </summary>
/// <typeparam name="TSubject">What is held apart: a host, or a host for a tenant.</typeparam>
public sealed class KnownBoots<TSubject>
    where TSubject : notnull
{
    /// <summary>The most subjects; more than these show their logs whole.</summary>
    public const int Most = 16_384;

    private readonly ConcurrentDictionary<TSubject, KnownBoot> _boots = [];

    /// <summary>How many are held.</summary>
    public int Count => _boots.Count;

    /// <summary>What is held; null when nothing.</summary>
    public KnownBoot? Of(TSubject subject) => _boots.GetValueOrDefault(subject);

    /// <summary>
    /// Takes a verdict, after every domain's demands were judged by it: what was accepted replaces what was held, and
    /// anything else (refused evidence, a demand that is not met, no TPM) forgets it.
    /// </summary>
    public void Take(TSubject subject, EvidenceVerdict? verdict) =>
        Take(subject, (verdict as EvidenceVerdict.Verified)?.Evidence.Logs);

    /// <inheritdoc cref="Take(TSubject, EvidenceVerdict?)"/>
    public void Take(TSubject subject, LogsReading? reading)
    {
        if (reading is LogsReading.Explained explained && KnownBoot.After(explained) is { } next
            && (_boots.ContainsKey(subject) || _boots.Count < Most))
        {
            _boots[subject] = next;
        }
        else
        {
            Forget(subject);
        }
    }

    /// <summary>Forgets one: its logs are asked for whole.</summary>
    public void Forget(TSubject subject) => _boots.TryRemove(subject, out _);

    /// <summary>Forgets everyone who is not among these.</summary>
    public void Keep(IReadOnlySet<TSubject> subjects)
    {
        ArgumentNullException.ThrowIfNull(subjects);
        foreach (TSubject subject in _boots.Keys.Where(one => !subjects.Contains(one)))
        {
            Forget(subject);
        }
    }
}
