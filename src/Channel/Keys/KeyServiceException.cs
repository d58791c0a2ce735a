using Bailiwick.Channel.Routes;

namespace Bailiwick.Channel.Keys;

/// <summary>A key service refused, could not be asked, or answered what does not hold.</summary>
public sealed class KeyServiceException : Exception
{
    /// <summary>A refusal by the key service.</summary>
    public KeyServiceException(ProblemBody problem)
        : base($"The key service refused ({problem.Code}): {problem.Detail} {problem.Next}") => Problem = problem;

    /// <summary>No answer that can be used.</summary>
    public KeyServiceException(string cause, Exception? inner = null)
        : base(cause, inner)
    {
    }

    /// <summary>The refusal with every reason, or null when there was none that could be read.</summary>
    public ProblemBody? Problem { get; }

    /// <summary>Whether it said nothing about what was asked: it cannot be reached, or cannot judge now.</summary>
    public bool IsSilence => Problem is null ? InnerException is not null : Problem.Status >= 500;
}
