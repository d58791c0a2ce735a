using System.Collections.Immutable;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Channel.Board;

/// <summary>The newest revision that was ever accepted of one subject.</summary>
/// <param name="Owner">Whose.</param>
/// <param name="Kind">Of which kind.</param>
/// <param name="Name">Which.</param>
/// <param name="Revision">The revision.</param>
/// <param name="Digest">The statement.</param>
public sealed record SubjectMark(
    PartyId Owner, StatementKind Kind, StatementName Name, long Revision, Digest32 Digest)
{
    /// <summary>The mark of a statement.</summary>
    public static SubjectMark Of(VerifiedStatement statement) =>
        new(statement.Owner, statement.Kind, statement.Name, statement.Revision, statement.Digest);

    /// <summary>The subject as one text: `owner/Kind/name`.</summary>
    public string Subject => $"{Owner}/{Kind.WireName()}/{Name}";
}

/// <summary>What a follower remembers of a board over its own restarts.</summary>
/// <param name="Note">The signed note of the newest checkpoint, as it came.</param>
/// <param name="Marks">The newest revision of each subject.</param>
public sealed record BoardRecollection(ImmutableArray<byte> Note, ImmutableArray<SubjectMark> Marks);

/// <summary>
/// Keeps what a follower must not forget. A follower without its memory takes whatever history it is shown: wiping the
/// memory makes a rollback invisible to this follower (see <see cref="BoardFollower"/>).
/// </summary>
public interface IBoardMemory
{
    /// <summary>What was kept last, or null if nothing ever was.</summary>
    BoardRecollection? Load();

    /// <summary>Keeps the newest checkpoint and the changed marks together, durably, before it returns.</summary>
    void Save(ReadOnlySpan<byte> note, IReadOnlyCollection<SubjectMark> changed);
}
