using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Whole;

/// <summary>The real <c>bailiwick</c> executable, with the context file of a party.</summary>
internal sealed class CommandLine(LabPaths paths)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <summary>Runs a verb to its end.</summary>
    internal Task<LabProgramResult> Run(string party, params string[] words) => LabPrograms.Run(
        [ProductPrograms.CommandLine, .. words, "--as", paths.Context(party)], null, Limit,
        ProductPrograms.Environment);

    /// <summary>Runs a verb that must succeed, and reads its one JSON document.</summary>
    internal async Task<JsonElement> Json(string party, params string[] words)
    {
        LabProgramResult result = await Run(party, [.. words, "--json"]);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', words)}: {result.ExitCode}: {result.Error}");
        return JsonElement.Parse(result.Output);
    }

    /// <summary>
    /// Starts a verb at a terminal of its own (script(1)), whose modes (stty(1)) are printed before and after.
    /// </summary>
    internal RunningCommand StartInTerminal(string party, params string[] words)
    {
        string verb = string.Join(' ', new[] { ProductPrograms.CommandLine }
            .Concat(words).Concat(["--as", paths.Context(party)]).Select(w => $"'{w}'"));
        string modes = "echo mode $(stty -g)";
        var start = new ProcessStartInfo("script", ["-qec", $"{modes}; {verb}; e=$?; {modes}; exit $e", "/dev/null"])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        return new RunningCommand(Process.Start(start) ?? throw new InvalidOperationException("no process"));
    }

    /// <summary>Asks the one command that runs with these words, of this lab, to end (SIGTERM).</summary>
    internal void Terminate(string words)
    {
        (int pid, _) = ProcessFiles.All("cmdline").Single(
            p => p.Text.StartsWith($"{ProductPrograms.CommandLine} {words}", StringComparison.Ordinal)
                && p.Text.Contains(paths.Root, StringComparison.Ordinal));
        using Process kill = Process.Start("/bin/kill", ["-TERM", $"{pid}"]);
        kill.WaitForExit(Limit);
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary>Starts a verb that does not end by itself.</summary>
    internal RunningCommand Start(string party, params string[] words)
    {
        var start = new ProcessStartInfo(ProductPrograms.CommandLine, [.. words, "--as", paths.Context(party)])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        return new RunningCommand(Process.Start(start) ?? throw new InvalidOperationException("no process"));
    }
}

/// <summary>A verb that runs; it is killed at the end of its use.</summary>
internal sealed class RunningCommand : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _said = new();
    private readonly Lock _gate = new();

    internal RunningCommand(Process process)
    {
        _process = process;
        _ = Task.Run(() => Listen(process.StandardOutput));
        _ = Task.Run(() => Listen(process.StandardError));
    }

    /// <summary>What it printed so far.</summary>
    internal string Said
    {
        get
        {
            lock (_gate)
            {
                return _said.ToString();
            }
        }
    }

    /// <summary>Its exit code, or null as long as it runs.</summary>
    internal int? ExitCode => _process.HasExited ? _process.ExitCode : null;

    internal void Type(string text)
    {
        _process.StandardInput.Write(text);
        _process.StandardInput.Flush();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private void Listen(StreamReader reader)
    {
        char[] part = new char[4096];
        for (int count; (count = reader.Read(part)) > 0;)
        {
            lock (_gate)
            {
                _said.Append(part, 0, count);
            }
        }
    }
}
