using System.Collections.Immutable;
using System.Diagnostics;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// Sets of packets as ordered interval decision diagrams (Strehl, Thiele 1998; Gouda, Liu 2007): each node asks one
/// field and has, for each range of its values, the rest. Equal sets are the same number, so that comparing costs
/// nothing and every operation is remembered. Why not others: docs/decisions/packet-sets.md.
/// </summary>
/// <remarks>Not for several threads. A set is meant with the packets of one instance only.</remarks>
internal sealed class PacketSets
{
    /// <summary>No packet.</summary>
    public const int None = 0;

    /// <summary>Every packet.</summary>
    public const int All = 1;

    /// <summary>Bits of a MAC below its first byte.</summary>
    private const int MacByte = 40;
    private const ulong MacRest = (1UL << MacByte) - 1;
    private readonly DiagramNodes _nodes = new();
    private readonly KnownResults _known = new();

    /// <summary>In which walk a node was seen last.</summary>
    private int[] _seen = [];
    private int _walk;

    /// <summary>How many different nodes there are.</summary>
    public int Count => _nodes.Count;

    /// <summary>Forgets all sets; what room they had is there for others.</summary>
    public void Clear()
    {
        _nodes.Clear();
        _known.Clear();
    }

    /// <summary>The packets of which a field has one of these values.</summary>
    public int Of(HeaderField field, ImmutableArray<ValueRange> values) => Over(field, values, All);

    /// <summary>Those of a set, which does not ask the field or one before it, of which the field has these values.
    /// </summary>
    public int Over(HeaderField field, ImmutableArray<ValueRange> values, int rest) =>
        Below(field, field == HeaderField.EtherDestination ? Coded(values) : values, rest);

    private int Below(HeaderField field, ImmutableArray<ValueRange> values, int rest)
    {
        var begun = _nodes.Begin();
        UInt128 from = 0;
        foreach (var range in values)
        {
            if (!Append(begun, ref from, range, rest, field))
            {
                return _nodes.End(begun, (int)field);
            }
        }

        _nodes.Add(begun, HeaderFields.Greatest(field), None);
        return _nodes.End(begun, (int)field);
    }

    /// <summary>Adds a range behind those before; false at the field's greatest value.</summary>
    private bool Append(int begun, ref UInt128 from, ValueRange range, int rest, HeaderField field)
    {
        if (range.First > from)
        {
            _nodes.Add(begun, range.First - 1, None);
        }

        _nodes.Add(begun, range.Last, rest);
        from = range.Last + 1;
        return range.Last < HeaderFields.Greatest(field);
    }

    /// <summary>What is in both.</summary>
    public int Both(int one, int other) => Of(SetOperation.Both, one, other);

    /// <summary>What is in either.</summary>
    public int Either(int one, int other) => Of(SetOperation.Either, one, other);

    /// <summary>What is in one and not in the other.</summary>
    public int Without(int one, int other) => Of(SetOperation.Without, one, other);

    private int Of(SetOperation operation, int one, int other)
    {
        if ((one <= All || other <= All || one == other) && IsPlain(operation, one, other) is var plain and >= 0)
        {
            return plain;
        }

        if (operation != SetOperation.Without && one > other)
        {
            (one, other) = (other, one);
        }

        if (!_known.TryGet(operation, one, other, out var result))
        {
            result = Merge(operation, one, other);
            _known.Add(operation, one, other, result);
        }

        return result;
    }

    /// <summary>What needs no look at any node; -1 where it does.</summary>
    private static int IsPlain(SetOperation operation, int one, int other) => operation switch
    {
        SetOperation.Both => one == other || other == All ? one : one == All ? other
            : one == None || other == None ? None : -1,
        SetOperation.Either => one == other || other == None ? one : one == None ? other
            : one == All || other == All ? All : -1,
        SetOperation.Without => one == other || one == None || other == All ? None : other == None ? one : -1,
        _ => throw new UnreachableException(),
    };

    private int Merge(SetOperation operation, int one, int other)
    {
        var (left, right, begun) = (_nodes.Level(one), _nodes.Level(other), _nodes.Begin());
        if (left != right)
        {
            var split = _nodes.Edges(left < right ? one : other);
            for (var i = 0; i < split.Count; i++)
            {
                var rest = split.Rests[i];
                _nodes.Add(
                    begun, split.Lasts[i], left < right ? Of(operation, rest, other) : Of(operation, one, rest));
            }

            return _nodes.End(begun, Math.Min(left, right));
        }

        var ours = _nodes.Edges(one);
        var theirs = _nodes.Edges(other);
        for (int i = 0, j = 0; i < ours.Count;)
        {
            var (a, b) = (ours.Lasts[i], theirs.Lasts[j]);
            _nodes.Add(begun, UInt128.Min(a, b), Of(operation, ours.Rests[i], theirs.Rests[j]));
            i += a <= b ? 1 : 0;
            j += b <= a ? 1 : 0;
        }

        return _nodes.End(begun, left);
    }

    /// <summary>What is in any of many sets, in pairs: each is then merged few times.</summary>
    public int Any(IEnumerable<int> sets)
    {
        List<int> left = [.. sets];
        for (var count = left.Count; count > 1;)
        {
            var kept = 0;
            for (var i = 0; i < count; i += 2)
            {
                left[kept++] = i + 1 < count ? Either(left[i], left[i + 1]) : left[i];
            }

            count = kept;
        }

        return left.Count == 0 ? None : left[0];
    }

    /// <summary>The packets that are in a set with some value of these fields: what they are is forgotten.</summary>
    public int Forget(int set, params ImmutableArray<HeaderField> fields) => Forget(set, fields, []);

    private int Forget(int set, ImmutableArray<HeaderField> fields, Dictionary<int, int> known)
    {
        if (set is None or All)
        {
            return set;
        }

        if (known.TryGetValue(set, out var result))
        {
            return result;
        }

        var level = _nodes.Level(set);
        var edges = _nodes.Edges(set);
        if (fields.Contains((HeaderField)level))
        {
            HashSet<int> any = [];
            foreach (var rest in edges.Rests)
            {
                any.Add(Forget(rest, fields, known));
            }

            result = Any(any);
        }
        else
        {
            var begun = _nodes.Begin();
            for (var i = 0; i < edges.Count; i++)
            {
                _nodes.Add(begun, edges.Lasts[i], Forget(edges.Rests[i], fields, known));
            }

            result = _nodes.End(begun, level);
        }

        known[set] = result;
        return result;
    }

    /// <summary>A packet of a set that is not empty: a value for each field that matters.</summary>
    public Dictionary<HeaderField, UInt128> Witness(int set)
    {
        var packet = new Dictionary<HeaderField, UInt128>();
        while (set is not (None or All))
        {
            var field = (HeaderField)_nodes.Level(set);
            var edges = _nodes.Edges(set);
            // Of two edges that follow each other only one can lead to nothing.
            var chosen = edges.Rests[0] == None ? 1 : 0;
            var from = chosen == 0 ? 0 : edges.Lasts[0] + 1;
            packet[field] = field == HeaderField.EtherDestination ? Read(from) : from;
            set = edges.Rests[chosen];
        }

        return packet;
    }

    /// <summary>Whether a packet is in a set; a field that it does not tell is 0.</summary>
    public bool Has(int set, IReadOnlyDictionary<HeaderField, UInt128> packet)
    {
        while (set is not (None or All))
        {
            var field = (HeaderField)_nodes.Level(set);
            var edges = _nodes.Edges(set);
            var value = packet.GetValueOrDefault(field);
            var found = edges.Lasts.BinarySearch(field == HeaderField.EtherDestination ? Written(value) : value);
            set = edges.Rests[found < 0 ? ~found : found];
        }

        return set == All;
    }

    /// <summary>The values of a field that a set asks for; null where it has packets whatever the field is.</summary>
    public ImmutableArray<ValueRange>? Asked(int set, HeaderField field)
    {
        List<ValueRange> values = [];
        if (_nodes.Count > _seen.Length)
        {
            _seen = new int[2 * _nodes.Count];
        }

        _walk++;
        return IsAsked(set, (int)field, values) ? Ranges.Sorted(values) : null;
    }

    private bool IsAsked(int set, int level, List<ValueRange> values)
    {
        if (set == None || _seen[set] == _walk)
        {
            return true;
        }

        _seen[set] = _walk;
        if (_nodes.Level(set) > level)
        {
            return false;
        }

        var isHere = _nodes.Level(set) == level;
        var edges = _nodes.Edges(set);
        UInt128 from = 0;
        for (var i = 0; i < edges.Count; i++)
        {
            if (isHere && edges.Rests[i] != None)
            {
                values.Add(new ValueRange(from, edges.Lasts[i]));
            }
            else if (!isHere && !IsAsked(edges.Rests[i], level, values))
            {
                return false;
            }

            from = edges.Lasts[i] + 1;
        }

        return true;
    }

    /// <summary>
    /// The packets whose fields are an element of a list, which is used up: one diagram, made at once.
    /// </summary>
    public int Elements(ElementRows elements)
    {
        var mac = elements.Fields.IndexOf(HeaderField.EtherDestination);
        if (mac >= 0)
        {
            elements.Rewrite(mac, range => Coded([range]));
        }

        elements.Sort();
        var packets = elements.Count == 0 ? None : Elements(elements, 0, 0, elements.Count);
        elements.Release();
        return packets;
    }

    /// <summary>Those of some rows, which are alike in all columns before one.</summary>
    private int Elements(ElementRows elements, int column, int first, int end)
    {
        if (column == elements.Fields.Length)
        {
            return All;
        }

        var field = elements.Fields[column];
        if (elements.Overlap(column, first, end))
        {
            List<int> each = [];
            for (int row = first, next; row < end; row = next)
            {
                next = elements.Alike(column, row, end);
                each.Add(Below(field, [elements[row, column]], Elements(elements, column + 1, row, next)));
            }

            return Any(each);
        }

        var (begun, isMore) = (_nodes.Begin(), true);
        UInt128 from = 0;
        for (int row = first, next; row < end; row = next)
        {
            next = elements.Alike(column, row, end);
            var rest = Elements(elements, column + 1, row, next);
            isMore = Append(begun, ref from, elements[row, column], rest, field);
        }

        if (isMore)
        {
            _nodes.Add(begun, HeaderFields.Greatest(field), None);
        }

        return _nodes.End(begun, (int)field);
    }

    /// <summary>
    /// A destination's group bit (IEEE 802) is the lowest of its first byte, where it would cut the addresses into 256
    /// ranges. It is written as the highest.
    /// </summary>
    private static UInt128 Written(UInt128 mac) =>
        (mac & MacRest) | ((mac >> MacByte & 1) << (MacByte + 7)) | ((mac >> (MacByte + 1)) << MacByte);

    private static UInt128 Read(UInt128 written) =>
        (written & MacRest) | ((written >> (MacByte + 7) & 1) << MacByte)
        | ((written >> MacByte & 0x7f) << (MacByte + 1));

    private static ImmutableArray<ValueRange> Coded(ImmutableArray<ValueRange> values)
    {
        List<ValueRange> coded = [];
        foreach (var range in values)
        {
            // Within one first byte the order stays.
            for (var first = range.First; first <= range.Last; first = (first | MacRest) + 1)
            {
                coded.Add(new ValueRange(Written(first), Written(UInt128.Min(first | MacRest, range.Last))));
            }
        }

        return Ranges.Sorted(coded);
    }
}
