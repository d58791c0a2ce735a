using System.Diagnostics;

namespace Bailiwick.Benchmarks.Attesting;

/// <summary>A program of tpm2-tools on the same input, started anew for each, as whoever scripts it does.</summary>
internal static class ToolRun
{
    /// <summary>Its path, or null where the package tpm2-tools is not installed.</summary>
    internal static string? Find(string tool) => File.Exists($"/usr/bin/{tool}") ? $"/usr/bin/{tool}" : null;

    /// <summary>Runs it to its end.</summary>
    /// <exception cref="BenchException">It does not accept what it is given.</exception>
    internal static void Start(string program, string directory, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true,
        }) ?? throw new BenchException($"{program} does not start.");
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new BenchException($"{program} refuses {string.Join(' ', arguments)}.");
        }
    }
}
