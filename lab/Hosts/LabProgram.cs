namespace Bailiwick.Lab.Hosts;

/// <summary>A long-running program inside a set of namespaces. It outlives the process that started it, and ends at the
/// latest with the namespaces.</summary>
/// <param name="Name">The program's name.</param>
/// <param name="Process">The process as seen outside.</param>
/// <param name="Log">The file its output goes to.</param>
public sealed record LabProgram(string Name, ProcessMark Process, string Log)
{
    public bool IsAlive => Process.IsAlive;

    /// <summary>Asks it to end, and kills it when it has not ended in time.</summary>
    public Task Stop(TimeSpan patience, CancellationToken cancellation = default) =>
        Process.End(patience, cancellation);

    /// <summary>The last lines of its log, for an error to show.</summary>
    public string LogTail(int lines = 12) =>
        File.Exists(Log) ? string.Join('\n', File.ReadLines(Log).TakeLast(lines)) : "";
}
