namespace Bailiwick.Channel.Routes;

/// <summary>What a handler answers: a value, a value with the receipt of its record, or a refusal.</summary>
/// <typeparam name="T">The value.</typeparam>
public abstract record RouteAnswer<T>
{
    private RouteAnswer()
    {
    }

    /// <summary>The value, from a row that records nothing.</summary>
    public sealed record Ok(T Value) : RouteAnswer<T>;

    /// <summary>The value, and the proof that the row's record was made first.</summary>
    public sealed record Recorded(T Value, RouteReceipt Receipt) : RouteAnswer<T>;

    /// <summary>The refusal.</summary>
    public sealed record Refused(RouteProblem Problem) : RouteAnswer<T>;
}

/// <summary>The empty object: the answer of a call that has nothing to tell.</summary>
public sealed record Nothing
{
    /// <summary>The one value.</summary>
    public static Nothing Value { get; } = new();
}
