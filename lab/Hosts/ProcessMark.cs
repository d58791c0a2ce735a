using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;

namespace Bailiwick.Lab.Hosts;

/// <summary>
/// A process that cannot be mistaken for a later one with the same number: its id and its start time
/// (field 22 of /proc/PID/stat, in clock ticks since boot; proc(5)).
/// </summary>
/// <param name="Pid">The process id as seen outside the lab's namespaces.</param>
/// <param name="StartTicks">When it started, in clock ticks since boot.</param>
public sealed partial record ProcessMark(int Pid, ulong StartTicks)
{
    private const int Terminate = 15;
    private const int Kill = 9;

    /// <summary>The process that has this id now, or null when there is none or it is already dead.</summary>
    public static ProcessMark? Read(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X"
                ? null
                : new ProcessMark(pid, ulong.Parse(fields[19], CultureInfo.InvariantCulture));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether this very process still runs.</summary>
    [JsonIgnore]
    public bool IsAlive => Pid > 0 && Read(Pid) == this;

    /// <summary>Ends this very process: politely, then not; returns when it is gone.</summary>
    public async Task End(TimeSpan patience, CancellationToken cancellation = default)
    {
        if (patience > TimeSpan.Zero && IsAlive)
        {
            _ = Signal(Pid, Terminate);
            await Gone(patience, cancellation).ConfigureAwait(false);
        }

        if (IsAlive)
        {
            _ = Signal(Pid, Kill);
            if (!await Gone(TimeSpan.FromSeconds(20), cancellation).ConfigureAwait(false))
            {
                throw new LabException(
                    "a killed process does not end", $"process {Pid}", $"read /proc/{Pid}/status");
            }
        }
    }

    private async Task<bool> Gone(TimeSpan patience, CancellationToken cancellation)
    {
        for (var waited = TimeSpan.Zero; waited < patience; waited += TimeSpan.FromMilliseconds(20))
        {
            if (!IsAlive)
            {
                return true;
            }

            await Task.Delay(20, cancellation).ConfigureAwait(false);
        }

        return !IsAlive;
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int pid, int signal);
}
