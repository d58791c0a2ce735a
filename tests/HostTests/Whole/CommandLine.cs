using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Bailiwick.Lab.Deployment;
using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Whole;

/// <summary>The real <c>bailiwick</c> executable, with the context file of a party.</summary>
internal sealed class CommandLine(WholeLab lab)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);

    private static string Executable
    {
        get
        {
            string proxy = ProductPrograms.Find("Proxy");
            string cli = proxy.Replace("/src/Proxy/", "/src/Cli/", StringComparison.Ordinal);
            return Path.Combine(Path.GetDirectoryName(cli) ?? "/", "bailiwick");
        }
    }

    /// <summary>Runs a verb to its end.</summary>
    internal Task<LabProgramResult> Run(string party, params string[] words) => LabPrograms.Run(
        [Executable, .. words, "--as", lab.Paths.Context(party)], null, Limit, ProductPrograms.Environment);

    /// <summary>Runs a verb that must succeed, and reads its one JSON document.</summary>
    internal async Task<JsonElement> Json(string party, params string[] words)
    {
        LabProgramResult result = await Run(party, [.. words, "--json"]);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', words)}: {result.ExitCode}: {result.Error}");
        return JsonElement.Parse(result.Output);
    }

    /// <summary>Starts a verb that does not end by itself.</summary>
    internal RunningCommand Start(string party, params string[] words)
    {
        var start = new ProcessStartInfo(Executable, [.. words, "--as", lab.Paths.Context(party)])
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
            _process.Kill();
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
