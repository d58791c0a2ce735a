using System.Diagnostics;
using System.Globalization;

namespace Bailiwick.Tests.Master;

/// <summary>The real program, as its own process; it is ended with this object, also when a test failed.</summary>
internal sealed class MasterProgram : IDisposable
{
    private MasterProgram(Process process) => Process = process;

    /// <summary>The process.</summary>
    public Process Process { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Starts it and waits until it serves.</summary>
    public static async Task<MasterProgram> Run(BoardWorld world)
    {
        var program = Launch(world);
        var line = await program.Process.StandardOutput.ReadLineAsync(Cancel).AsTask()
            .WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        Assert.True(line == "ready", line ?? await program.Process.StandardError.ReadToEndAsync(Cancel));
        return program;
    }

    /// <summary>Starts it.</summary>
    public static MasterProgram Launch(BoardWorld world) => new(Process.Start(new ProcessStartInfo(
        Environment.ProcessPath is { } dotnet && Path.GetFileName(dotnet) == "dotnet" ? dotnet : "dotnet",
        [Path.Combine(AppContext.BaseDirectory, "Bailiwick.Master.dll"), "--config", world.ConfigPath])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    }) ?? throw new InvalidOperationException("The program did not start."));

    /// <summary>Ends it without warning.</summary>
    public async Task Kill()
    {
        Process.Kill();
        await Process.WaitForExitAsync(Cancel);
    }

    /// <summary>What proc(5) says of its memory, in MiB: <c>VmRSS</c> now, <c>VmHWM</c> at most so far.</summary>
    public long MemoryMiB(string member)
    {
        string line = File.ReadLines($"/proc/{Process.Id}/status")
            .Single(one => one.StartsWith(member + ":", StringComparison.Ordinal));
        string kib = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1];
        return long.Parse(kib, CultureInfo.InvariantCulture) / 1024;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!Process.HasExited)
        {
            Process.Kill();
        }

        Process.Dispose();
    }
}
