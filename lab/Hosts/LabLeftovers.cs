namespace Bailiwick.Lab.Hosts;

/// <summary>
/// Finds and ends what a lab left behind. Every process of a lab lives in a process namespace whose process 1 carries
/// the lab's id in its arguments; ending those ends all of it, with their mounts and interfaces. Nothing else is ended.
/// </summary>
internal static class LabLeftovers
{
    /// <summary>Ends them; the names of the spaces that were still there.</summary>
    public static async Task<IReadOnlyList<string>> End(LabRegister register, CancellationToken cancellation)
    {
        var found = Holders(register.Current.Id)
            .Concat(register.Current.Spaces
                .Where(space => space.Holder is { IsAlive: true } holder && IsHolder(holder.Pid, register.Current.Id))
                .Select(space => (space.Name, Mark: space.Holder ?? throw new InvalidOperationException())))
            .DistinctBy(one => one.Mark)
            .ToList();
        await Task.WhenAll(found.Select(one => one.Mark.End(TimeSpan.Zero, cancellation))).ConfigureAwait(false);
        return [.. found.Select(one => one.Name)];
    }

    /// <summary>The live holders of a lab, by what stands in their arguments.</summary>
    public static IEnumerable<(string Name, ProcessMark Mark)> Holders(string id)
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), out var pid)
                && Arguments(pid) is { } arguments
                && IsHolder(arguments, id)
                && IsFirstOfNamespace(pid)
                && ProcessMark.Read(pid) is { } mark)
            {
                yield return (arguments[3], mark);
            }
        }
    }

    private static bool IsHolder(int pid, string id) =>
        Arguments(pid) is { } arguments && IsHolder(arguments, id) && IsFirstOfNamespace(pid);

    private static bool IsHolder(string[] arguments, string id) =>
        arguments.Length >= 5 && Path.GetFileName(arguments[0]) == "labspace" && arguments[1] == "hold"
        && arguments[2] == id;

    private static string[]? Arguments(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Split('\0');
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A holder is process 1 of a namespace below ours (NSpid in /proc/PID/status, proc(5)).</summary>
    private static bool IsFirstOfNamespace(int pid)
    {
        try
        {
            var line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(one => one.StartsWith("NSpid:"));
            var ids = line?.Split('\t', StringSplitOptions.RemoveEmptyEntries) ?? [];
            return ids.Length > 2 && ids[^1] == "1";
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
