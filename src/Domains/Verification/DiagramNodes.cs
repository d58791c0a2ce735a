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
    private int[] _levels = new int[FirstNodes];

    /// <summary>Where a node's edges begin; they end where those of the next begin.</summary>
    private int[] _starts = new int[FirstNodes + 1];
    private int[] _hashes = new int[FirstNodes];
    private UInt128[] _lasts = new UInt128[2 * FirstNodes];
    private int[] _rests = new int[2 * FirstNodes];

    /// <summary>Nodes by their hash, each in the next place that is free.</summary>
    private int[] _places = new int[2 * FirstNodes];

    /// <summary>Edges of nodes that are not whole yet.</summary>
    private UInt128[] _openLasts = new UInt128[FirstNodes];
    private int[] _openRests = new int[FirstNodes];
    private int _open;

    public DiagramNodes() => (_levels[0], _levels[1]) = (LeafLevel, LeafLevel);

    public int Count { get; private set; } = 2;

    /// <summary>Forgets all but the leaves.</summary>
    public void Clear()
    {
        Array.Clear(_places);
        (Count, _open) = (2, 0);
    }

    public int Level(int node) => _levels[node];

    /// <summary>A node's edges, in order.</summary>
    public DiagramEdges Edges(int node)
    {
        var (start, end) = (_starts[node], _starts[node + 1]);
        return new DiagramEdges(_lasts.AsSpan(start..end), _rests.AsSpan(start..end));
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
        var edges = new DiagramEdges(_openLasts.AsSpan(begun.._open), _openRests.AsSpan(begun.._open));
        _open = begun;
        if (edges.Count == 1)
        {
            return edges.Rests[0];
        }

        var hash = Hash(level, edges);
        var place = hash & (_places.Length - 1);
        for (; _places[place] != 0; place = (place + 1) & (_places.Length - 1))
        {
            var known = _places[place];
            if (_hashes[known] == hash && _levels[known] == level && Edges(known).Rests.SequenceEqual(edges.Rests)
                && Edges(known).Lasts.SequenceEqual(edges.Lasts))
            {
                return known;
            }
        }

        return Append(level, edges, hash, place);
    }

    private int Append(int level, DiagramEdges edges, int hash, int place)
    {
        var number = Count++;
        if (number >= Most)
        {
            throw new TooManyKindsException();
        }

        if (number == _levels.Length)
        {
            Array.Resize(ref _levels, 2 * number);
            Array.Resize(ref _starts, 2 * number + 1);
            Array.Resize(ref _hashes, 2 * number);
        }

        var (start, end) = (_starts[number], _starts[number] + edges.Count);
        while (end > _rests.Length)
        {
            Array.Resize(ref _lasts, 2 * _rests.Length);
            Array.Resize(ref _rests, 2 * _rests.Length);
        }

        edges.Lasts.CopyTo(_lasts.AsSpan(start));
        edges.Rests.CopyTo(_rests.AsSpan(start));
        (_levels[number], _starts[number + 1], _hashes[number], _places[place]) = (level, end, hash, number);
        if (2 * Count > _places.Length)
        {
            Spread();
        }

        return number;
    }

    private void Spread()
    {
        _places = new int[2 * _places.Length];
        for (var node = 2; node < Count; node++)
        {
            var place = _hashes[node] & (_places.Length - 1);
            while (_places[place] != 0)
            {
                place = (place + 1) & (_places.Length - 1);
            }

            _places[place] = node;
        }
    }

    private static int Hash(int level, DiagramEdges edges)
    {
        var hash = (ulong)level;
        for (var i = 0; i < edges.Count; i++)
        {
            hash = (hash ^ (ulong)edges.Lasts[i] ^ (ulong)(edges.Lasts[i] >> 64)) * 0x9E37_79B9_7F4A_7C15;
            hash = (hash ^ (uint)edges.Rests[i] ^ (hash >> 29)) * 0xBF58_476D_1CE4_E5B9;
        }

        return (int)(hash ^ (hash >> 32)) & int.MaxValue;
    }
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
