namespace Bailiwick.Domains.Verification;

/// <summary>
/// The nodes of interval decision diagrams, each once: what they ask, and their edges in order, all in a few long
/// arrays. A node is a number; 0 and 1 are the leaves, which ask nothing.
/// </summary>
/// <remarks>
/// A node is made of edges that are added one by one; while the edges of one are added, whole other nodes may be made.
/// </remarks>
internal sealed class DiagramNodes
{
    /// <summary>The level of leaves: below every other.</summary>
    public const int LeafLevel = int.MaxValue;

    /// <summary>More nodes than this are too many to be worth a proof; all tables of 2,000 machines need a tenth.
    /// </summary>
    public const int Most = 1 << NumberBits;

    /// <summary>Bits of a node's number.</summary>
    public const int NumberBits = 24;

    private const int FirstNodes = 1 << 10;
    private const int RoundBits = 8;

    /// <summary>A node's edges end where those of the next begin.</summary>
    private Node[] _nodes = new Node[FirstNodes + 1];
    private UInt128[] _lasts = new UInt128[2 * FirstNodes];
    private int[] _rests = new int[2 * FirstNodes];

    /// <summary>
    /// Nodes by their hash, each in the next place that is free: the hash, the round, the number. What is of another
    /// round is forgotten, so that to forget all costs nothing.
    /// </summary>
    private ulong[] _places = new ulong[2 * FirstNodes];

    /// <summary>Where the numbers move when their places become too few.</summary>
    private ulong[] _larger = [];
    private int _mask = (2 * FirstNodes) - 1;
    private uint _round = 1;

    /// <summary>Edges of nodes that are not whole yet.</summary>
    private UInt128[] _openLasts = new UInt128[FirstNodes];
    private int[] _openRests = new int[FirstNodes];
    private int _open;

    public DiagramNodes() => (_nodes[0].Level, _nodes[1].Level) = (LeafLevel, LeafLevel);

    public int Count { get; private set; } = 2;

    /// <summary>Forgets all but the leaves. Few nodes stand close together, however many there were before.</summary>
    public void Clear()
    {
        (Count, _open, _mask) = (2, 0, (2 * FirstNodes) - 1);
        if (++_round == 1 << RoundBits)
        {
            Array.Clear(_places);
            Array.Clear(_larger);
            _round = 1;
        }
    }

    public int Level(int node) => _nodes[node].Level;

    /// <summary>A node's edges, in order.</summary>
    public DiagramEdges Edges(int node)
    {
        var start = _nodes[node].Start;
        var count = _nodes[node + 1].Start - start;
        return new DiagramEdges(_lasts.AsSpan(start, count), _rests.AsSpan(start, count));
    }

    /// <summary>Begins a node; what is given is needed to add to it and to end it.</summary>
    public int Begin() => _open;

    /// <summary>Adds an edge, from behind the one before.</summary>
    public void Add(int begun, UInt128 last, int rest)
    {
        if (_open > begun && _openRests[_open - 1] == rest)
        {
            _openLasts[_open - 1] = last;
            return;
        }

        if (_open == _openRests.Length)
        {
            Array.Resize(ref _openLasts, 2 * _open);
            Array.Resize(ref _openRests, 2 * _open);
        }

        _openLasts[_open] = last;
        _openRests[_open++] = rest;
    }

    /// <summary>The node of what was added, up to the field's greatest value; where all edges lead to one, that one.
    /// </summary>
    /// <exception cref="TooManyKindsException">There are too many.</exception>
    public int End(int begun, int level)
    {
        var count = _open - begun;
        var edges = new DiagramEdges(_openLasts.AsSpan(begun, count), _openRests.AsSpan(begun, count));
        _open = begun;
        if (count == 1)
        {
            return edges.Rests[0];
        }

        var sought = ((ulong)Hash(level, edges) << RoundBits) | _round;
        var mask = _mask;
        var place = Place(sought) & mask;
        for (; IsTaken(_places[place]); place = (place + 1) & mask)
        {
            if (_places[place] >> NumberBits != sought)
            {
                continue;
            }

            var known = (int)(_places[place] & (Most - 1));
            if (_nodes[known].Level == level && Edges(known) is var there
                && there.Rests.SequenceEqual(edges.Rests) && there.Lasts.SequenceEqual(edges.Lasts))
            {
                return known;
            }
        }

        return Append(level, edges, sought, place);
    }

    private bool IsTaken(ulong place) => (place >> NumberBits & ((1 << RoundBits) - 1)) == _round;

    private int Append(int level, DiagramEdges edges, ulong sought, int place)
    {
        var number = Count++;
        if (number >= Most)
        {
            throw new TooManyKindsException();
        }

        if (Count == _nodes.Length)
        {
            Array.Resize(ref _nodes, (2 * number) + 1);
        }

        var (start, end) = (_nodes[number].Start, _nodes[number].Start + edges.Count);
        while (end > _rests.Length)
        {
            Array.Resize(ref _lasts, 2 * _rests.Length);
            Array.Resize(ref _rests, 2 * _rests.Length);
        }

        edges.Lasts.CopyTo(_lasts.AsSpan(start));
        edges.Rests.CopyTo(_rests.AsSpan(start));
        (_nodes[number].Level, _nodes[Count].Start) = (level, end);
        _places[place] = (sought << NumberBits) | (uint)number;
        if (2 * Count > _mask)
        {
            Spread();
        }

        return number;
    }

    private void Spread()
    {
        var (former, places) = (_places, _mask + 1);
        _places = _larger.Length < 2 * places ? new ulong[2 * places] : _larger;
        _places.AsSpan(0, 2 * places).Clear();
        (_larger, _mask) = (former, (2 * places) - 1);
        foreach (var taken in former.AsSpan(0, places))
        {
            if (IsTaken(taken))
            {
                var place = Place(taken >> NumberBits) & _mask;
                while (IsTaken(_places[place]))
                {
                    place = (place + 1) & _mask;
                }

                _places[place] = taken;
            }
        }
    }

    private static int Place(ulong sought) => (int)(sought >> RoundBits);

    private static uint Hash(int level, DiagramEdges edges)
    {
        var hash = (ulong)level;
        for (var i = 0; i < edges.Count; i++)
        {
            hash = (hash ^ (ulong)edges.Lasts[i] ^ (ulong)(edges.Lasts[i] >> 64)) * 0x9E37_79B9_7F4A_7C15;
            hash = (hash ^ (uint)edges.Rests[i] ^ (hash >> 29)) * 0xBF58_476D_1CE4_E5B9;
        }

        return (uint)(hash ^ (hash >> 32));
    }

    /// <summary>A node.</summary>
    /// <param name="Level">Which field it asks.</param>
    /// <param name="Start">Where its edges begin.</param>
    private record struct Node(int Level, int Start);
}

/// <summary>A node's edges, in order.</summary>
/// <param name="lasts">The last value of each; the first is behind the one before.</param>
/// <param name="rests">The node of each.</param>
internal readonly ref struct DiagramEdges(ReadOnlySpan<UInt128> lasts, ReadOnlySpan<int> rests)
{
    public ReadOnlySpan<UInt128> Lasts { get; } = lasts;

    public ReadOnlySpan<int> Rests { get; } = rests;

    public int Count => Rests.Length;
}

/// <summary>Packets are of more kinds than can be told apart in the memory that a proof may take.</summary>
internal sealed class TooManyKindsException()
    : Exception("The tables tell more kinds of packets apart than can be compared. Fewer machines on this host help.");
