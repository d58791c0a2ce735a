using System.Collections.Immutable;

namespace Bailiwick.Domains.Verification;

/// <summary>Elements of a map that say the same.</summary>
/// <param name="Verdict">What a verdict map says of them.</param>
/// <param name="Value">What another map says of them.</param>
/// <param name="Packets">The packets that have one of them, of a <see cref="PacketSets"/>.</param>
internal readonly record struct ElementGroup(Verdict? Verdict, UInt128? Value, int Packets);

/// <summary>What tables' named sets and maps mean as sets of packets, each computed once for all hooks.</summary>
/// <param name="sets">Whose sets they become.</param>
internal sealed class NamedSets(PacketSets sets)
{
    /// <summary>By the set itself; and by the fields that are asked, which are few.</summary>
    private readonly Dictionary<NamedSet, List<(ImmutableArray<HeaderField> Key, ElementGroup[] Groups)>> _known =
        new(ReferenceEqualityComparer.Instance);

    public PacketSets Packets { get; } = sets;

    /// <summary>The packets of which fields are an element of a set.</summary>
    public int Of(NamedSet set, ImmutableArray<HeaderField> key) =>
        Groups(set, key) is [var only] ? only.Packets : PacketSets.None;

    /// <summary>The elements, with what a map says of them.</summary>
    public ReadOnlySpan<ElementGroup> Groups(NamedSet set, ImmutableArray<HeaderField> key)
    {
        if (!_known.TryGetValue(set, out var known))
        {
            _known[set] = known = [];
        }

        foreach (var (asked, groups) in known)
        {
            if (asked.AsSpan().SequenceEqual(key.AsSpan()))
            {
                return groups;
            }
        }

        var made = Grouped(set, key);
        known.Add((key, made));
        return made;
    }

    private ElementGroup[] Grouped(NamedSet set, ImmutableArray<HeaderField> key)
    {
        List<(Verdict? Verdict, UInt128? Value, ElementRows Rows)> groups = [];
        Dictionary<(Verdict?, UInt128?), int> places = [];
        var at = -1;
        foreach (var element in set.Elements)
        {
            if (!IsOf(element, key))
            {
                continue;
            }

            // Those that say the same often follow each other.
            if (at < 0 || groups[at].Value != element.Value || groups[at].Verdict != element.Verdict)
            {
                var says = (element.Verdict, element.Value);
                if (!places.TryGetValue(says, out at))
                {
                    places[says] = at = groups.Count;
                    groups.Add((element.Verdict, element.Value, new ElementRows(key)));
                }
            }

            groups[at].Rows.Add(element.Parts.AsSpan());
        }

        return [.. groups.Select(group => new ElementGroup(group.Verdict, group.Value, Packets.Elements(group.Rows)))];
    }

    private static bool IsOf(SetElement element, ImmutableArray<HeaderField> key)
    {
        if (element.Parts.Length != key.Length)
        {
            return false;
        }

        for (var i = 0; i < key.Length; i++)
        {
            if (element.Parts[i].Last > HeaderFields.Greatest(key[i]))
            {
                return false;
            }
        }

        return true;
    }
}
