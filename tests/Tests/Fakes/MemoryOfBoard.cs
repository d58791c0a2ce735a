using Bailiwick.Channel.Board;

namespace Bailiwick.Tests.Fakes;

/// <summary>A follower's memory that lasts as long as the test, and can be wiped.</summary>
internal sealed class MemoryOfBoard : IBoardMemory
{
    private readonly Dictionary<string, SubjectMark> _marks = new(StringComparer.Ordinal);
    private byte[]? _note;

    public BoardRecollection? Load() => _note is null ? null : new BoardRecollection([.. _note], [.. _marks.Values]);

    public void Save(ReadOnlySpan<byte> note, IReadOnlyCollection<SubjectMark> changed)
    {
        _note = note.ToArray();
        foreach (var mark in changed)
        {
            _marks[mark.Subject] = mark;
        }
    }

    public void Overwrite(byte[] note) => _note = note;
}
