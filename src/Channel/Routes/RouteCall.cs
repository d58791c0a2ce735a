using Bailiwick.Channel.Principals;

namespace Bailiwick.Channel.Routes;

/// <summary>One call that the gate let through: who calls, with which values.</summary>
public sealed class RouteCall
{
    private readonly IReadOnlyDictionary<string, long> _query;
    private readonly Func<bool> _stillAdmitted;

    internal RouteCall(
        Principal caller, RouteValues values, IReadOnlyDictionary<string, long> query, Func<bool> stillAdmitted,
        CancellationToken cancel)
    {
        Caller = caller;
        Values = values;
        _query = query;
        _stillAdmitted = stillAdmitted;
        Cancel = cancel;
    }

    /// <summary>Who calls.</summary>
    public Principal Caller { get; }

    /// <summary>The path parameters, which the row's scope admitted.</summary>
    public RouteValues Values { get; }

    /// <summary>Cancelled when the caller goes away, time is up or the server stops.</summary>
    public CancellationToken Cancel { get; }

    /// <summary>A number of the query, within the bounds of its row.</summary>
    public long Number(string name) => _query[name];

    /// <summary>
    /// True while the same key, with a certificate that is still valid, still stands for the same principal. A stream
    /// asks before each thing it sends and ends when the answer is no.
    /// </summary>
    public bool StillAdmitted() => _stillAdmitted();
}
