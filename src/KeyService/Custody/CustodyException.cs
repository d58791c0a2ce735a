namespace Bailiwick.KeyService.Custody;

/// <summary>What is kept does not hold together; nothing is released. It names the place and the next step.</summary>
public sealed class CustodyException : Exception
{
    /// <summary>A failure, as sentences.</summary>
    public CustodyException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
