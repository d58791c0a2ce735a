using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace Bailiwick.Tests.Cli;

/// <summary>What the command printed and how it ended.</summary>
internal sealed record Ending(int Code, string Output, string Error)
{
    /// <summary>Standard output as the one JSON document it must be.</summary>
    public JsonElement Json => JsonElement.Parse(Output);

    public override string ToString() => $"exit {Code}\n{Output}\n{Error}";
}

/// <summary>The built <c>bailiwick</c>, run as a process of its own.</summary>
internal static class CommandLine
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    public static string Executable { get; } = Path.Combine(AppContext.BaseDirectory, "bailiwick");

    /// <summary>Runs the command; whatever happens, it never shows a person a stack trace or a program an escape.
    /// </summary>
    public static Ending Run(string directory, params string[] arguments) => Start(Executable, directory, arguments);

    public static Ending Start(string program, string directory, params string[] arguments)
    {
        using Process process = Begin(program, directory, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Longest))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', arguments)} did not end.");
        }

        var ending = new Ending(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
        Assert.DoesNotContain("   at ", ending.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled exception", ending.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', ending.Output + ending.Error);
        return ending;
    }

    /// <summary>A command that runs on; whoever began it ends it.</summary>
    public static Process Begin(string program, string directory, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true,
            RedirectStandardInput = true, StandardOutputEncoding = Encoding.UTF8, StandardErrorEncoding = Encoding.UTF8,
        };
        start.Environment["DOTNET_TieredPGO"] = "0";
        Process process = Process.Start(start) ?? throw new InvalidOperationException($"{program} does not start");
        process.StandardInput.Close();
        return process;
    }
}
