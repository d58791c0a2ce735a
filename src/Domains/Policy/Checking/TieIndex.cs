using System.Collections.Immutable;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>
/// Which statements rest on what. It may name a statement that rests on it no more, for then one is judged again that
/// need not be; it never leaves one out.
/// </summary>
internal sealed class TieIndex
{
    private const int FewChanges = 1024;
    private readonly Dictionary<Tie, List<Subject>> _base;
    private readonly ImmutableDictionary<Tie, ImmutableList<Subject>> _later;
    private readonly int _size;
    private readonly int _added;

    private TieIndex(
        Dictionary<Tie, List<Subject>> all, int size, ImmutableDictionary<Tie, ImmutableList<Subject>> later,
        int added) => (_base, _size, _later, _added) = (all, size, later, added);

    /// <summary>That of all statements.</summary>
    public static TieIndex Of(IEnumerable<KeyValuePair<Subject, StatementEntry>> entries)
    {
        var (all, size) = (new Dictionary<Tie, List<Subject>>(), 0);
        foreach (var (subject, entry) in entries)
        {
            foreach (var tie in Tie.RestsOn(entry.Model))
            {
                if (!all.TryGetValue(tie, out var those))
                {
                    all[tie] = those = [];
                }

                those.Add(subject);
                size++;
            }
        }

        return new TieIndex(all, size, [], 0);
    }

    /// <summary>The statements that rest on it.</summary>
    public IEnumerable<Subject> On(Tie tie) =>
        (_base.TryGetValue(tie, out var those) ? those : []).Concat(
            _later.TryGetValue(tie, out var later) ? later : []);

    /// <summary>
    /// The same with statements that are new or changed; null where that is too much to go on with, also when it is
    /// one statement that was changed so often.
    /// </summary>
    public TieIndex? With(IEnumerable<KeyValuePair<Subject, StatementEntry>> changed)
    {
        var (later, added) = (_later, _added);
        foreach (var (subject, entry) in changed)
        {
            foreach (var tie in Tie.RestsOn(entry.Model))
            {
                later = later.SetItem(tie, (later.TryGetValue(tie, out var those) ? those : []).Add(subject));
                added++;
            }
        }

        return added <= FewChanges + (_size / 8) ? new TieIndex(_base, _size, later, added) : null;
    }
}
