namespace Bailiwick.Cli.Output;

/// <summary>What a command's exit code says. Documented in README.md; programs may rely on it.</summary>
internal enum ExitCode
{
    /// <summary>Done, or the answer is yes.</summary>
    Done = 0,
    /// <summary>The answer is no: findings, refusals, or a proof that does not hold.</summary>
    No = 1,
    /// <summary>The command line, a file or this machine is not as it must be.</summary>
    Usage = 2,
    /// <summary>The other side does not answer.</summary>
    Unreachable = 3,
}
