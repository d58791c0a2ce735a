namespace Bailiwick.Channel.Secrets;

/// <summary>The kernel gave no memory fit for a secret. It names the call, the cause and the limit to raise.</summary>
public sealed class SecretMemoryException : IOException
{
    /// <summary>A failure, as one sentence.</summary>
    public SecretMemoryException(string message)
        : base(message)
    {
    }
}
