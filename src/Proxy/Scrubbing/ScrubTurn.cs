namespace Bailiwick.Proxy.Scrubbing;

/// <summary>What came of one turn of an order. Closed.</summary>
public abstract record ScrubTurn
{
    private ScrubTurn()
    {
    }

    /// <summary>All is done.</summary>
    /// <param name="Report">The signed report.</param>
    public sealed record Reported(byte[] Report) : ScrubTurn;

    /// <summary>Somebody has the file open, or a key of it: to be tried again later.</summary>
    public sealed record InUse : ScrubTurn;

    /// <summary>The turn is over, and there is more to overwrite: to be given another.</summary>
    public sealed record Halfway : ScrubTurn;
}
