using System.Collections.Immutable;
using Bailiwick.Channel.Routes;

namespace Bailiwick.Channel.Board;

/// <summary>What became of a batch: all of it was published, or none.</summary>
public abstract record PostOutcome
{
    private PostOutcome()
    {
    }

    /// <summary>It is published and durable.</summary>
    public sealed record Published(ImmutableArray<PostedReceipt> Receipts) : PostOutcome;

    /// <summary>Nothing is published; every item found wrong is named.</summary>
    public sealed record Refused(ImmutableArray<RefusedItem> Refusals) : PostOutcome;
}

/// <summary>The board refused a call, or could not be asked.</summary>
public sealed class BoardException : Exception
{
    /// <summary>A refusal by the board.</summary>
    public BoardException(ProblemBody problem)
        : base($"The board refused ({problem.Code}): {problem.Detail} {problem.Next}") => Problem = problem;

    /// <summary>A board that cannot be asked, or that answers nonsense.</summary>
    public BoardException(string cause, Exception? inner = null)
        : base(cause, inner)
    {
    }

    /// <summary>The refusal, or null if there was no answer that could be read.</summary>
    public ProblemBody? Problem { get; }
}
