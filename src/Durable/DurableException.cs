namespace Bailiwick.Durable;

/// <summary>
/// The disk or the database refused or failed. It names the operation, the path and the cause (the errno text, or
/// SQLite's), so that whoever reads the log can act. Never a sign of a wrong argument: those are argument exceptions.
/// </summary>
public class DurableException : IOException
{
    /// <summary>A failure of one operation on one path.</summary>
    /// <param name="operation">The call or check that failed, such as <c>fsync</c>.</param>
    /// <param name="path">What it was applied to.</param>
    /// <param name="cause">Why, as one sentence or the text of the errno.</param>
    /// <param name="errno">The errno, or 0 when our own check refused.</param>
    public DurableException(string operation, string path, string cause, int errno = 0)
        : base($"{operation} on '{path}' failed: {cause}")
    {
        Operation = operation;
        Path = path;
        Cause = cause;
        Errno = errno;
    }

    /// <summary>The call or check that failed.</summary>
    public string Operation { get; }

    /// <summary>The file or directory it was applied to.</summary>
    public string Path { get; }

    /// <summary>Why it failed, for people.</summary>
    public string Cause { get; }

    /// <summary>The errno of the system call, or 0 when a check of ours refused.</summary>
    public int Errno { get; }
}
