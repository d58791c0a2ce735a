namespace Bailiwick.Domains.Verification;

/// <summary>What operations on two nodes came to: each is computed once.</summary>
internal sealed class KnownResults
{
    private ulong[] _questions = new ulong[1 << 11];
    private int[] _answers = new int[1 << 11];
    private int _count;

    public bool TryGet(SetOperation operation, int one, int other, out int answer)
    {
        var question = Question(operation, one, other);
        var place = Place(question);
        answer = _answers[place];
        return _questions[place] == question;
    }

    public void Add(SetOperation operation, int one, int other, int answer)
    {
        if (2 * ++_count > _questions.Length)
        {
            Spread();
        }

        Put(Question(operation, one, other), answer);
    }

    public void Clear()
    {
        Array.Clear(_questions);
        _count = 0;
    }

    private void Put(ulong question, int answer)
    {
        var place = Place(question);
        (_questions[place], _answers[place]) = (question, answer);
    }

    private void Spread()
    {
        var (questions, answers) = (_questions, _answers);
        (_questions, _answers) = (new ulong[2 * questions.Length], new int[2 * questions.Length]);
        for (var i = 0; i < questions.Length; i++)
        {
            if (questions[i] != 0)
            {
                Put(questions[i], answers[i]);
            }
        }
    }

    /// <summary>Where a question stands, or the free place for it.</summary>
    private int Place(ulong question)
    {
        var mask = _questions.Length - 1;
        var place = (int)((question * 0x9E37_79B9_7F4A_7C15) >> 32) & mask;
        while (_questions[place] != question && _questions[place] != 0)
        {
            place = (place + 1) & mask;
        }

        return place;
    }

    /// <summary>Never 0, since no operation is.</summary>
    private static ulong Question(SetOperation operation, int one, int other) =>
        ((ulong)operation << (2 * DiagramNodes.NumberBits)) | ((ulong)one << DiagramNodes.NumberBits) | (uint)other;
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
