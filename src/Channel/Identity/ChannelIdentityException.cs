namespace Bailiwick.Channel.Identity;

/// <summary>A private key cannot be used. It names the file, the cause and what to do.</summary>
public sealed class ChannelIdentityException : Exception
{
    /// <summary>A key file that was refused.</summary>
    /// <param name="file">The file.</param>
    /// <param name="cause">Why, and what to do, as one clause.</param>
    /// <param name="inner">What the system said, if it said anything.</param>
    public ChannelIdentityException(string file, string cause, Exception? inner = null)
        : base($"'{file}' cannot be used: {cause}.", inner) => File = file;

    /// <summary>The file.</summary>
    public string File { get; }
}
