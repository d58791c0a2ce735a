using System.Collections.Immutable;
using Bailiwick.Channel.Principals;

namespace Bailiwick.Channel.Routes;

/// <summary>One endpoint: what it is, who may call it, what it may cost and what it records.</summary>
public sealed record RouteRow
{
    /// <summary>GET, POST or PUT.</summary>
    public required string Method { get; init; }

    /// <summary>The path, with its parameters in braces: `/v1/hosts/{operator}/{name}/drain`.</summary>
    public required string Template { get; init; }

    /// <summary>One sentence on what it does.</summary>
    public required string Summary { get; init; }

    /// <summary>The kinds of principal that may call; all others get 403.</summary>
    public required ImmutableArray<PrincipalKind> Callers { get; init; }

    /// <summary>Which path parameters such a caller may name; for all others the answer is 404.</summary>
    public required RouteScope Scope { get; init; }

    /// <summary>What the row leaves behind when it succeeds.</summary>
    public required RecordDuty Records { get; init; }

    /// <summary>Largest body, in bytes; 0 where there is none.</summary>
    public int MaxBodyBytes { get; init; }

    /// <summary>The query's numbers; a query with anything else is refused.</summary>
    public ImmutableArray<QueryNumber> Query { get; init; } = [];

    /// <summary>True if the answer is a stream that lasts as long as the caller wants and may.</summary>
    public bool Streams { get; init; }

    /// <summary>`METHOD template`: what the row is known by.</summary>
    public string Key => $"{Method} {Template}";

    /// <inheritdoc/>
    public override string ToString() => Key;
}

/// <summary>A number in a query.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Least">The least value.</param>
/// <param name="Most">The greatest value.</param>
/// <param name="Default">What it is when absent; null if it must be there.</param>
public sealed record QueryNumber(string Name, long Least, long Most, long? Default);

/// <summary>What a route leaves behind when it succeeds; "nothing" must be said, with a reason.</summary>
public abstract record RecordDuty
{
    private RecordDuty()
    {
    }

    /// <summary>It changes nothing that anybody could want to know of.</summary>
    /// <param name="Because">Why that is so, as a clause.</param>
    public sealed record Nothing(string Because) : RecordDuty;

    /// <summary>It leaves a durable record; an answer without a <see cref="RouteReceipt"/> for it is a bug.</summary>
    /// <param name="What">The record, as a noun.</param>
    public sealed record Writes(string What) : RecordDuty;
}

/// <summary>The proof that a handler left its record before it answered.</summary>
/// <param name="Record">Where: a log, or a table of a store.</param>
/// <param name="Position">The position there.</param>
public sealed record RouteReceipt(string Record, long Position);
