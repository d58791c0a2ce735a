namespace Bailiwick.Domains.Verification;

/// <summary>What operations on two nodes came to: each is computed once.</summary>
internal sealed class KnownResults
{
    private const int RoundBits = 14;
    private const int RoundFrom = 64 - RoundBits;
    private const int FirstPlaces = 1 << 11;
    private KnownResult[] _known = new KnownResult[FirstPlaces];

    /// <summary>Where the answers move when their places become too few.</summary>
    private KnownResult[] _larger = [];
    private int _mask = FirstPlaces - 1;
    private int _count;

    /// <summary>What was asked in another round is forgotten, so that to forget all costs nothing.</summary>
    private ulong _round = 1;

    public bool TryGet(SetOperation operation, int one, int other, out int answer)
    {
        var question = Question(operation, one, other);
        ref var known = ref At(question);
        answer = known.Answer;
        return known.Question == question;
    }

    public void Add(SetOperation operation, int one, int other, int answer)
    {
        if (2 * ++_count > _mask)
        {
            Spread();
        }

        var question = Question(operation, one, other);
        At(question) = new KnownResult(question, answer);
    }

    /// <summary>Few answers stand close together, however many there were before.</summary>
    public void Clear()
    {
        (_count, _mask) = (0, FirstPlaces - 1);
        if (++_round == 1 << RoundBits)
        {
            Array.Clear(_known);
            Array.Clear(_larger);
            _round = 1;
        }
    }

    private void Spread()
    {
        var (former, places) = (_known, _mask + 1);
        _known = _larger.Length < 2 * places ? new KnownResult[2 * places] : _larger;
        _known.AsSpan(0, 2 * places).Clear();
        (_larger, _mask) = (former, (2 * places) - 1);
        foreach (ref readonly var known in former.AsSpan(0, places))
        {
            if (known.Question >> RoundFrom == _round)
            {
                At(known.Question) = known;
            }
        }
    }

    /// <summary>Where a question stands, or the free place for it.</summary>
    private ref KnownResult At(ulong question)
    {
        var (known, mask) = (_known, _mask);
        var place = (int)((question * 0x9E37_79B9_7F4A_7C15) >> 32) & mask;
        while (known[place].Question != question && known[place].Question >> RoundFrom == _round)
        {
            place = (place + 1) & mask;
        }

        return ref known[place];
    }

    private ulong Question(SetOperation operation, int one, int other) =>
        (_round << RoundFrom) | ((ulong)operation << (2 * DiagramNodes.NumberBits))
        | ((ulong)one << DiagramNodes.NumberBits) | (uint)other;

    private readonly record struct KnownResult(ulong Question, int Answer);
}

/// <summary>What is made of two sets.</summary>
internal enum SetOperation
{
    /// <summary>What is in both.</summary>
    Both = 1,
    /// <summary>What is in either.</summary>
    Either,
    /// <summary>What is in one and not in the other.</summary>
    Without,
}
