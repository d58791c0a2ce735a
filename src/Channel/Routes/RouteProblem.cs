using System.Collections.Immutable;

namespace Bailiwick.Channel.Routes;

/// <summary>
/// A refusal as a caller gets it: `application/problem+json` (RFC 9457) with a code that programs match, a sentence
/// that says why, and what to do next.
/// </summary>
/// <param name="Status">The HTTP status, 400 to 599.</param>
/// <param name="Code">The reason, in kebab case.</param>
/// <param name="Detail">Why, in one sentence.</param>
/// <param name="Next">What the caller can do.</param>
public sealed record RouteProblem(int Status, string Code, string Detail, string Next)
{
    /// <summary>Where a batch was refused: every item that was found wrong.</summary>
    public ImmutableArray<RefusedItem> Refusals { get; init; } = [];
}

/// <summary>One item of a refused batch.</summary>
/// <param name="Position">Its position in the batch, from 0.</param>
/// <param name="Code">The reason.</param>
/// <param name="Sentence">Why, in one sentence.</param>
public sealed record RefusedItem(int Position, string Code, string Sentence);
