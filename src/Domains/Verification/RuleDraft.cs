using System.Collections.Immutable;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// A rule that is being read. It is normalised as it grows: a kernel lists a rule without what its other questions
/// imply, and in another order, and both must be the same rule.
/// </summary>
internal sealed class RuleDraft
{
    private readonly Dictionary<HeaderField, ImmutableArray<ValueRange>> _fields = [];
    private readonly List<SetLookup> _lookups = [];
    private readonly SortedSet<HeaderField> _raw = [];
    private readonly List<RuleAct> _acts = [];

    /// <summary>A key by its words.</summary>
    public static NftKey Key(string words) => NftWords.Key(words) ?? throw new UnknownWordException(words);

    public void Match(NftKey key, IEnumerable<ValueRange> values, bool isEqual)
    {
        Ask(key);
        if (!isEqual && key.Type == "first_proto")
        {
            // What is not this protocol may be an extension header, of which only some is told apart.
            throw new UnknownWordException("ip6 nexthdr !=");
        }

        var greatest = HeaderFields.Greatest(key.Field);
        var known = Ranges.Sorted(values);
        if (known.Length == 0 || known[^1].Last > greatest)
        {
            throw new UnknownWordException("a value that its field cannot have");
        }

        Restrict(key.Field, isEqual ? known : Ranges.But(known, greatest));
    }

    public void Masked(NftKey key, UInt128 mask, UInt128 value, bool isEqual)
    {
        Ask(key);
        var greatest = HeaderFields.Greatest(key.Field);
        var values = Ranges.Masked(mask, value, greatest)
            ?? throw new UnknownWordException("a mask with many gaps");
        Restrict(key.Field, isEqual ? values : Ranges.But(values, greatest));
    }

    public void Lookup(IReadOnlyList<NftKey> keys, string set, bool isIn) =>
        _lookups.Add(new SetLookup(Fields(keys), set, isIn));

    /// <summary>The fields of a key of several parts, all of which are asked.</summary>
    public ImmutableArray<HeaderField> Fields(IEnumerable<NftKey> keys) => [.. keys.Select(key =>
    {
        Ask(key);
        return key.Field;
    })];

    public void Limited() => Restrict(HeaderField.Flooding, [ValueRange.Of(1)]);

    public void Act(RuleAct act) => _acts.Add(act);

    public FilterRule Done(string text) => new(
        _fields.ToImmutableSortedDictionary(), [.. _lookups], [.. _raw], [.. _acts], text);

    private void Ask(NftKey key)
    {
        foreach (var need in key.Needs.IsDefault ? [] : key.Needs)
        {
            Restrict(need.Field, need.Values);
        }

        if (!key.IsRaw)
        {
            foreach (var need in HeaderFields.Needs(key.Field))
            {
                Restrict(need.Field, need.Values);
            }

            return;
        }

        _raw.Add(key.Field);
        foreach (var need in HeaderFields.Needs(key.Field).Where(need => need.Field == HeaderField.LaterFragment))
        {
            // A transport's header is not read where there is none, even by its place.
            Restrict(need.Field, need.Values);
        }
    }

    private void Restrict(HeaderField field, ImmutableArray<ValueRange> values) =>
        _fields[field] = _fields.TryGetValue(field, out var known) ? Ranges.Both(known, values) : values;
}
