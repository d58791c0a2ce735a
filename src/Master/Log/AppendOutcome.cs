using System.Collections.Immutable;
using Bailiwick.Channel.Routes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Master.Log;

/// <summary>What became of a batch.</summary>
public abstract record AppendOutcome
{
    private AppendOutcome()
    {
    }

    /// <summary>All of it is durable; what the log held already was not written again.</summary>
    /// <param name="Statements">The statements' digests, in the order of the batch.</param>
    public sealed record Appended(ImmutableArray<Digest32> Statements) : AppendOutcome;

    /// <summary>Nothing of it was written; every item found wrong is named.</summary>
    public sealed record Refused(ImmutableArray<RefusedItem> Refusals) : AppendOutcome;
}

/// <summary>What the judge makes of a batch.</summary>
public abstract record AppendVerdict
{
    private AppendVerdict()
    {
    }

    /// <summary>All of it can be written.</summary>
    /// <param name="Statements">The statements to write, in order.</param>
    /// <param name="Batch">The digests of the whole batch, those that are held already included.</param>
    /// <param name="Next">The book with them.</param>
    public sealed record Acceptable(
        ImmutableArray<VerifiedStatement> Statements, ImmutableArray<Digest32> Batch, StatementBook Next)
        : AppendVerdict;

    /// <summary>None of it can.</summary>
    public sealed record Refused(ImmutableArray<RefusedItem> Refusals) : AppendVerdict;
}
