namespace Bailiwick.Proxy.Host;

/// <summary>
/// The host did not do what it was told: a program failed, or libvirt did. It carries what was asked, the code and what
/// was said, and is caught only in the reconciler and at the API's edge.
/// </summary>
public class WorldException : Exception
{
    /// <summary>A failed request.</summary>
    /// <param name="argv">The program and its arguments, or the library and its call; never a secret.</param>
    /// <param name="exitCode">The exit code, or the library's error code; -1 when there was none.</param>
    /// <param name="stderr">What was said about it.</param>
    public WorldException(IReadOnlyList<string> argv, int exitCode, string stderr)
        : base($"'{string.Join(' ', argv)}' failed with {exitCode}: {stderr.Trim()}")
    {
        Argv = argv;
        ExitCode = exitCode;
        Stderr = stderr;
    }

    /// <summary>What was asked.</summary>
    public IReadOnlyList<string> Argv { get; }

    /// <summary>The exit code or the library's error code; -1 when there was none.</summary>
    public int ExitCode { get; }

    /// <summary>What was said about it.</summary>
    public string Stderr { get; }
}
