using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// A table that never changes, and of which one with a few entries changed costs no more than these: what changed lies
/// over what was, until it is so much that both are made one.
/// </summary>
internal sealed class Layered<TKey, TValue> where TKey : notnull where TValue : class
{
    private const int FewChanges = 256;
    private const int PartOfBase = 8;
    private readonly Dictionary<TKey, TValue> _base;
    // Null where the key of the base has no value any more.
    private readonly ImmutableDictionary<TKey, TValue?> _over;

    private Layered(Dictionary<TKey, TValue> whole, ImmutableDictionary<TKey, TValue?> over, int count)
    {
        (_base, _over, Count) = (whole, over, count);
    }

    /// <summary>How many keys have a value.</summary>
    public int Count { get; }

    /// <summary>All entries, in no order.</summary>
    public IEnumerable<KeyValuePair<TKey, TValue>> All
    {
        get
        {
            foreach (var entry in _base)
            {
                if (_over.IsEmpty || !_over.ContainsKey(entry.Key))
                {
                    yield return entry;
                }
            }

            foreach (var (key, value) in _over)
            {
                if (value is not null)
                {
                    yield return KeyValuePair.Create(key, value);
                }
            }
        }
    }

    /// <summary>A table of these entries, which nobody else changes.</summary>
    public static Layered<TKey, TValue> Of(Dictionary<TKey, TValue> entries) => new(
        entries, ImmutableDictionary.Create<TKey, TValue?>(entries.Comparer), entries.Count);

    /// <summary>The value of a key.</summary>
    public bool TryGetValue(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        if (!_over.IsEmpty && _over.TryGetValue(key, out var changed))
        {
            value = changed;
            return changed is not null;
        }

        return _base.TryGetValue(key, out value);
    }

    /// <summary>The value of a key, or null.</summary>
    public TValue? Find(TKey key) => TryGetValue(key, out var value) ? value : null;

    /// <summary>The same with some entries changed; null takes one away.</summary>
    public Layered<TKey, TValue> With(IReadOnlyCollection<KeyValuePair<TKey, TValue?>> changes)
    {
        var count = Count;
        foreach (var (key, value) in changes)
        {
            count += (value is null ? 0 : 1) - (TryGetValue(key, out _) ? 1 : 0);
        }

        var changed = new Layered<TKey, TValue>(_base, _over.SetItems(changes), count);
        return changed._over.Count <= FewChanges + (_base.Count / PartOfBase)
            ? changed : Of(new Dictionary<TKey, TValue>(changed.All, _base.Comparer));
    }
}

/// <summary>Several of one thing, as a value of a table.</summary>
internal sealed record Listed<T>(ImmutableArray<T> All);
