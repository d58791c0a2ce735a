using Bailiwick.Custody;

namespace Bailiwick.Cli.Verbs;

/// <summary>Notices that policies were written.</summary>
internal static class PolicyWatch
{
    // Looking at a thousand files takes milliseconds, and works on every file system, where inotify does not.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Calls once, and again each time a policy in the directory was added, changed or removed.</summary>
    /// <param name="directory">One subdirectory a party.</param>
    /// <param name="look">Looks at them all; what it complains of is no reason to stop.</param>
    /// <param name="cancellation">Ends it.</param>
    internal static async Task Run(string directory, Action look, CancellationToken cancellation)
    {
        string? seen = null;
        try
        {
            while (true)
            {
                string now = State(directory);
                if (now != seen)
                {
                    seen = now;
                    look();
                }

                await Task.Delay(Pause, cancellation).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Whoever watches has seen enough.
        }
    }

    private static string State(string directory) => !Directory.Exists(directory)
        ? throw new CustodyException($"There is no directory {directory}.")
        : string.Join('\n', new DirectoryInfo(directory)
            .EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 8 })
            .Where(file => file.Extension is ".yaml" or ".yml" or ".json")
            .OrderBy(file => file.FullName, StringComparer.Ordinal)
            .Select(file => $"{file.FullName} {file.Length} {file.LastWriteTimeUtc.Ticks}"));
}
