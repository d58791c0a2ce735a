using System.Collections.Immutable;
using System.Runtime.InteropServices;

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

    /// <summary>More nodes than this are too many to be worth a proof; all tables of 2,000 machines need a tenth.
    /// </summary>
    private const int MostNodes = 1 << 24;

    private const int LeafLevel = int.MaxValue;

    /// <summary>Bits of a MAC below its first byte.</summary>
    private const int MacByte = 40;
    private const ulong MacRest = (1UL << MacByte) - 1;
    private readonly List<Node> _nodes = [new(LeafLevel, []), new(LeafLevel, [])];
    private readonly Dictionary<Node, int> _known = new(NodeComparer.Instance);
    private readonly Dictionary<ulong, int> _both = [];
    private readonly Dictionary<ulong, int> _either = [];
    private readonly Dictionary<ulong, int> _without = [];

    /// <summary>What is merged at each level: from one level on only deeper ones are merged.</summary>
    private readonly List<Edge>[] _merged;
    private readonly Func<int, int, int> _toBoth, _toEither, _toWithout;

    public PacketSets()
    {
        _merged = [.. Enumerable.Range(0, HeaderFields.Count + 1).Select(_ => new List<Edge>())];
        (_toBoth, _toEither, _toWithout) = (Both, Either, Without);
    }

    /// <summary>How many different nodes there are.</summary>
    public int Count => _nodes.Count;

    /// <summary>The packets of which a field has one of these values.</summary>
    public int Of(HeaderField field, ImmutableArray<ValueRange> values) => Over(field, values, All);

    /// <summary>Those of a set, which does not ask the field or one before it, of which the field has these values.
    /// </summary>
    public int Over(HeaderField field, ImmutableArray<ValueRange> values, int rest) =>
        Below(field, field == HeaderField.EtherDestination ? Coded(values) : values, rest);

    private int Below(HeaderField field, ImmutableArray<ValueRange> values, int rest)
    {
        var greatest = HeaderFields.Greatest(field);
        List<Edge> edges = [];
        UInt128 from = 0;
        foreach (var range in values)
        {
            if (range.First > from)
            {
                edges.Add(new Edge(range.First - 1, None));
            }

            edges.Add(new Edge(range.Last, rest));
            if (range.Last >= greatest)
            {
                return Make((int)field, edges);
            }

            from = range.Last + 1;
        }

        edges.Add(new Edge(greatest, None));
        return Make((int)field, edges);
    }

    public int Both(int one, int other)
    {
        if (one == other || other == All)
        {
            return one;
        }

        if (one == All)
        {
            return other;
        }

        if (one == None || other == None)
        {
            return None;
        }

        var key = one < other ? Pair(one, other) : Pair(other, one);
        if (!_both.TryGetValue(key, out var result))
        {
            result = Merge(one, other, _toBoth);
            _both[key] = result;
        }

        return result;
    }

    public int Either(int one, int other)
    {
        if (one == other || other == None)
        {
            return one;
        }

        if (one == None)
        {
            return other;
        }

        if (one == All || other == All)
        {
            return All;
        }

        var key = one < other ? Pair(one, other) : Pair(other, one);
        if (!_either.TryGetValue(key, out var result))
        {
            result = Merge(one, other, _toEither);
            _either[key] = result;
        }

        return result;
    }

    /// <summary>What is in one and not in the other.</summary>
    public int Without(int one, int other)
    {
        if (one == other || one == None || other == All)
        {
            return None;
        }

        if (other == None)
        {
            return one;
        }

        var key = Pair(one, other);
        if (!_without.TryGetValue(key, out var result))
        {
            result = Merge(one, other, _toWithout);
            _without[key] = result;
        }

        return result;
    }

    /// <summary>What is in any of many sets, in pairs: each is then merged few times.</summary>
    public int Any(IEnumerable<int> sets)
    {
        List<int> left = [.. sets];
        while (left.Count > 1)
        {
            List<int> next = [];
            for (var i = 0; i < left.Count; i += 2)
            {
                next.Add(i + 1 < left.Count ? Either(left[i], left[i + 1]) : left[i]);
            }

            left = next;
        }

        return left.Count == 0 ? None : left[0];
    }

    /// <summary>The packets that are in a set with some value of these fields: what they are is forgotten.</summary>
    public int Forget(int set, IReadOnlySet<HeaderField> fields) => Forget(set, fields, []);

    private int Forget(int set, IReadOnlySet<HeaderField> fields, Dictionary<int, int> known)
    {
        if (set is None or All)
        {
            return set;
        }

        if (!known.TryGetValue(set, out var result))
        {
            var node = _nodes[set];
            var edges = node.Edges.Select(edge => new Edge(edge.Last, Forget(edge.Rest, fields, known))).ToList();
            result = fields.Contains((HeaderField)node.Level)
                ? Any(edges.Select(edge => edge.Rest).Distinct()) : Make(node.Level, edges);
            known[set] = result;
        }

        return result;
    }

    /// <summary>A packet of a set that is not empty: a value for each field that matters.</summary>
    public Dictionary<HeaderField, UInt128> Witness(int set)
    {
        var packet = new Dictionary<HeaderField, UInt128>();
        while (set is not (None or All))
        {
            var node = _nodes[set];
            UInt128 from = 0;
            foreach (var edge in node.Edges)
            {
                if (edge.Rest != None)
                {
                    packet[(HeaderField)node.Level] = node.Level == (int)HeaderField.EtherDestination
                        ? Read(from) : from;
                    set = edge.Rest;
                    break;
                }

                from = edge.Last + 1;
            }
        }

        return packet;
    }

    /// <summary>Whether a packet is in a set; a field that it does not tell is 0.</summary>
    public bool Has(int set, IReadOnlyDictionary<HeaderField, UInt128> packet)
    {
        while (set is not (None or All))
        {
            var node = _nodes[set];
            var value = packet.GetValueOrDefault((HeaderField)node.Level);
            value = node.Level == (int)HeaderField.EtherDestination ? Written(value) : value;
            set = Array.Find(node.Edges, edge => value <= edge.Last).Rest;
        }

        return set == All;
    }

    /// <summary>The values of a field that a set asks for; null where it has packets whatever the field is.</summary>
    public ImmutableArray<ValueRange>? Asked(int set, HeaderField field)
    {
        List<ValueRange> values = [];
        return IsAsked(set, (int)field, values, []) ? Ranges.Sorted(values) : null;
    }

    private bool IsAsked(int set, int level, List<ValueRange> values, HashSet<int> seen)
    {
        if (set == None || !seen.Add(set))
        {
            return true;
        }

        var node = _nodes[set];
        if (node.Level > level)
        {
            return false;
        }

        UInt128 from = 0;
        foreach (var edge in node.Edges)
        {
            if (node.Level == level && edge.Rest != None)
            {
                values.Add(new ValueRange(from, edge.Last));
            }
            else if (node.Level < level && !IsAsked(edge.Rest, level, values, seen))
            {
                return false;
            }

            from = edge.Last + 1;
        }

        return true;
    }

    /// <summary>
    /// The packets whose fields are an element of a list: one diagram, made of the elements in the order of fields.
    /// </summary>
    /// <param name="key">Which field each part of an element is; two parts may be one field.</param>
    /// <param name="elements">The elements.</param>
    public int Elements(ImmutableArray<HeaderField> key, IEnumerable<ImmutableArray<ValueRange>> elements)
    {
        var order = Enumerable.Range(0, key.Length).OrderBy(part => key[part]).ToArray();
        var mac = key.IndexOf(HeaderField.EtherDestination);
        List<ImmutableArray<ValueRange>> left = mac < 0
            ? [.. elements] : [.. elements.SelectMany(element => Coded([element[mac]]).Select(
                values => element.SetItem(mac, values)))];
        return Elements(key, order, 0, left);
    }

    private int Elements(
        ImmutableArray<HeaderField> key, int[] order, int depth, List<ImmutableArray<ValueRange>> elements)
    {
        if (depth == order.Length)
        {
            return All;
        }

        var part = order[depth];
        if (depth + 1 < order.Length && key[order[depth + 1]] == key[part])
        {
            return Any(elements.Select(element => Cube(key, element)));
        }

        List<(ValueRange Values, int Then)> children =
        [
            .. elements.GroupBy(element => element[part])
                .Select(group => (group.Key, Elements(key, order, depth + 1, [.. group]))),
        ];
        children.Sort((one, other) => one.Values.First.CompareTo(other.Values.First));
        for (var i = 1; i < children.Count; i++)
        {
            if (children[i].Values.First <= children[i - 1].Values.Last)
            {
                return Any(children.Select(child => Below(key[part], [child.Values], child.Then)));
            }
        }

        return Side(key[part], children);
    }

    /// <summary>A node of ranges that do not overlap.</summary>
    private int Side(HeaderField field, List<(ValueRange Values, int Then)> children)
    {
        List<Edge> edges = new(2 * children.Count + 1);
        UInt128 from = 0;
        var greatest = HeaderFields.Greatest(field);
        foreach (var (values, rest) in children)
        {
            if (values.First > from)
            {
                edges.Add(new Edge(values.First - 1, None));
            }

            edges.Add(new Edge(values.Last, rest));
            if (values.Last >= greatest)
            {
                return Make((int)field, edges);
            }

            from = values.Last + 1;
        }

        edges.Add(new Edge(greatest, None));
        return Make((int)field, edges);
    }

    /// <summary>The packets of one element, the parts of which may be the same field.</summary>
    private int Cube(ImmutableArray<HeaderField> key, ImmutableArray<ValueRange> element) =>
        Enumerable.Range(0, key.Length).Aggregate(
            All, (set, part) => Both(set, Below(key[part], [element[part]], All)));

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

    private int Merge(int one, int other, Func<int, int, int> of)
    {
        var (left, right) = (_nodes[one], _nodes[other]);
        if (left.Level != right.Level)
        {
            var isLeft = left.Level < right.Level;
            var split = Emptied(isLeft ? left.Level : right.Level);
            foreach (var edge in (isLeft ? left : right).Edges)
            {
                split.Add(new Edge(edge.Last, isLeft ? of(edge.Rest, other) : of(one, edge.Rest)));
            }

            return Make(isLeft ? left.Level : right.Level, split);
        }

        var merged = Emptied(left.Level);
        for (int i = 0, j = 0; i < left.Edges.Length;)
        {
            var (a, b) = (left.Edges[i], right.Edges[j]);
            merged.Add(new Edge(UInt128.Min(a.Last, b.Last), of(a.Rest, b.Rest)));
            i += a.Last <= b.Last ? 1 : 0;
            j += b.Last <= a.Last ? 1 : 0;
        }

        return Make(left.Level, merged);
    }

    private List<Edge> Emptied(int level)
    {
        _merged[level].Clear();
        return _merged[level];
    }

    /// <summary>Two numbers as one, of which the low bits differ where either does.</summary>
    private static ulong Pair(int one, int other) => (((ulong)one << 32) | (uint)other) * 0x9E37_79B9_7F4A_7C15;

    /// <summary>The node of these edges, in order and up to the greatest value, which there is once.</summary>
    private int Make(int level, List<Edge> edges)
    {
        var kept = 0;
        var span = CollectionsMarshal.AsSpan(edges);
        for (var i = 0; i < span.Length; i++)
        {
            if (i + 1 < span.Length && span[i + 1].Rest == span[i].Rest)
            {
                continue;
            }

            span[kept++] = span[i];
        }

        if (kept == 1)
        {
            return span[0].Rest;
        }

        var wanted = new Wanted(level, span[..kept]);
        var known = _known.GetAlternateLookup<Wanted>();
        if (!known.TryGetValue(wanted, out var number))
        {
            if (_nodes.Count >= MostNodes)
            {
                throw new InsufficientExecutionStackException("The tables' packets are too many kinds to tell apart.");
            }

            number = _nodes.Count;
            var node = new Node(level, [.. wanted.Edges]);
            _known[node] = number;
            _nodes.Add(node);
        }

        return number;
    }

    /// <summary>From behind the edge before it, up to this value.</summary>
    private readonly record struct Edge(UInt128 Last, int Rest);

    private readonly record struct Node(int Level, Edge[] Edges);

    /// <summary>A node that may be there already.</summary>
    private readonly ref struct Wanted(int level, ReadOnlySpan<Edge> edges)
    {
        public int Level { get; } = level;

        public ReadOnlySpan<Edge> Edges { get; } = edges;
    }

    private sealed class NodeComparer : IEqualityComparer<Node>, IAlternateEqualityComparer<Wanted, Node>
    {
        public static NodeComparer Instance { get; } = new();

        public bool Equals(Node one, Node other) =>
            one.Level == other.Level && one.Edges.AsSpan().SequenceEqual(other.Edges);

        public bool Equals(Wanted wanted, Node node) =>
            wanted.Level == node.Level && wanted.Edges.SequenceEqual(node.Edges);

        public Node Create(Wanted wanted) => new(wanted.Level, [.. wanted.Edges]);

        public int GetHashCode(Node node) => GetHashCode(new Wanted(node.Level, node.Edges));

        public int GetHashCode(Wanted wanted)
        {
            var hash = (ulong)wanted.Level;
            foreach (var edge in wanted.Edges)
            {
                hash = (hash ^ (ulong)edge.Last ^ (ulong)(edge.Last >> 64)) * 0x9E37_79B9_7F4A_7C15;
                hash = (hash ^ (uint)edge.Rest ^ (hash >> 29)) * 0xBF58_476D_1CE4_E5B9;
            }

            return (int)(hash ^ (hash >> 32));
        }
    }
}
