using System.Diagnostics;
using System.Globalization;

namespace Bailiwick.Tests.Master;

/// <summary>The real program, as its own process.</summary>
internal static class MasterProgram
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Starts it and waits until it serves.</summary>
    public static async Task<Process> Run(BoardWorld world)
    {
        var process = Launch(world);
        var line = await process.StandardOutput.ReadLineAsync(Cancel).AsTask()
            .WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        Assert.True(line == "ready", line ?? await process.StandardError.ReadToEndAsync(Cancel));
        return process;
    }

    /// <summary>Starts it.</summary>
    public static Process Launch(BoardWorld world) => Process.Start(new ProcessStartInfo(
        Environment.ProcessPath is { } dotnet && Path.GetFileName(dotnet) == "dotnet" ? dotnet : "dotnet",
        [Path.Combine(AppContext.BaseDirectory, "Bailiwick.Master.dll"), "--config", world.ConfigPath])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    }) ?? throw new InvalidOperationException("The program did not start.");

    /// <summary>Ends it without warning.</summary>
    public static async Task Kill(Process process)
    {
        process.Kill();
        await process.WaitForExitAsync(Cancel);
    }

    /// <summary>What proc(5) says of its memory, in MiB: <c>VmRSS</c> now, <c>VmHWM</c> at most so far.</summary>
    public static long MemoryMiB(Process process, string member)
    {
        string line = File.ReadLines($"/proc/{process.Id}/status")
            .Single(one => one.StartsWith(member + ":", StringComparison.Ordinal));
        string kib = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1];
        return long.Parse(kib, CultureInfo.InvariantCulture) / 1024;
    }
}
