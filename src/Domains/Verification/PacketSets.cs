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
    private readonly List<Node> _nodes = [new(LeafLevel, []), new(LeafLevel, [])];
    private readonly Dictionary<Node, int> _known = new(NodeComparer.Instance);
    private readonly Dictionary<(int, int), int> _both = [];
    private readonly Dictionary<(int, int), int> _either = [];
    private readonly Dictionary<(int, int), int> _without = [];

    /// <summary>How many different nodes there are.</summary>
    public int Count => _nodes.Count;

    /// <summary>The packets of which a field has one of these values.</summary>
    public int Of(HeaderField field, ImmutableArray<ValueRange> values) => Over(field, values, All);

    /// <summary>Those of a set, which does not ask the field or one before it, of which the field has these values.
    /// </summary>
    public int Over(HeaderField field, ImmutableArray<ValueRange> values, int rest)
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

        var key = one < other ? (one, other) : (other, one);
        if (!_both.TryGetValue(key, out var result))
        {
            result = Merge(one, other, Both);
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

        var key = one < other ? (one, other) : (other, one);
        if (!_either.TryGetValue(key, out var result))
        {
            result = Merge(one, other, Either);
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

        if (!_without.TryGetValue((one, other), out var result))
        {
            result = Merge(one, other, Without);
            _without[(one, other)] = result;
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
    /// <param name="set">The set.</param>
    /// <param name="wished">Of a field's values, the one to take where it is possible.</param>
    public Dictionary<HeaderField, UInt128> Witness(int set, Func<HeaderField, UInt128, UInt128, UInt128> wished)
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
                    packet[(HeaderField)node.Level] = wished((HeaderField)node.Level, from, edge.Last);
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
        List<ImmutableArray<ValueRange>> left = [.. elements];
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
                return Any(children.Select(child => Over(key[part], [child.Values], child.Then)));
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
        Enumerable.Range(0, key.Length).Aggregate(All, (set, part) => Both(set, Of(key[part], [element[part]])));

    private int Merge(int one, int other, Func<int, int, int> of)
    {
        var (left, right) = (_nodes[one], _nodes[other]);
        if (left.Level != right.Level)
        {
            var isLeft = left.Level < right.Level;
            var edges = (isLeft ? left : right).Edges;
            List<Edge> split = new(edges.Length);
            foreach (var edge in edges)
            {
                split.Add(new Edge(edge.Last, isLeft ? of(edge.Rest, other) : of(one, edge.Rest)));
            }

            return Make(isLeft ? left.Level : right.Level, split);
        }

        List<Edge> merged = new(left.Edges.Length + right.Edges.Length);
        for (int i = 0, j = 0; i < left.Edges.Length;)
        {
            var (a, b) = (left.Edges[i], right.Edges[j]);
            merged.Add(new Edge(UInt128.Min(a.Last, b.Last), of(a.Rest, b.Rest)));
            i += a.Last <= b.Last ? 1 : 0;
            j += b.Last <= a.Last ? 1 : 0;
        }

        return Make(left.Level, merged);
    }

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

        var node = new Node(level, span[..kept].ToArray());
        if (!_known.TryGetValue(node, out var number))
        {
            if (_nodes.Count >= MostNodes)
            {
                throw new InsufficientExecutionStackException("The tables' packets are too many kinds to tell apart.");
            }

            number = _nodes.Count;
            _nodes.Add(node);
            _known[node] = number;
        }

        return number;
    }

    /// <summary>From behind the edge before it, up to this value.</summary>
    private readonly record struct Edge(UInt128 Last, int Rest);

    private readonly record struct Node(int Level, Edge[] Edges);

    private sealed class NodeComparer : IEqualityComparer<Node>
    {
        public static NodeComparer Instance { get; } = new();

        public bool Equals(Node one, Node other) =>
            one.Level == other.Level && one.Edges.AsSpan().SequenceEqual(other.Edges);

        public int GetHashCode(Node node)
        {
            var hash = (ulong)node.Level;
            foreach (var edge in node.Edges)
            {
                hash = (hash ^ (ulong)edge.Last ^ (ulong)(edge.Last >> 64)) * 0x9E37_79B9_7F4A_7C15;
                hash = (hash ^ (uint)edge.Rest ^ (hash >> 29)) * 0xBF58_476D_1CE4_E5B9;
            }

            return (int)(hash ^ (hash >> 32));
        }
    }
}
