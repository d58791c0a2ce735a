namespace Bailiwick.Ledger.Statements;

/// <summary>A link of a party's root chain. Only <see cref="StatementBook.Consider"/> makes one.</summary>
public sealed class VerifiedRoot
{
    internal VerifiedRoot(VerifiedStatement statement, RootKeys keys)
    {
        Statement = statement;
        Keys = keys;
    }

    /// <summary>The root statement.</summary>
    public VerifiedStatement Statement { get; }

    /// <summary>The keys and the threshold it put in force.</summary>
    public RootKeys Keys { get; }
}
