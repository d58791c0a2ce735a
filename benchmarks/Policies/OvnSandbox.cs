using System.Diagnostics;

namespace Bailiwick.Benchmarks.Policies;

/// <summary>
/// OVN's databases and its compiler (ovsdb-server and ovn-northd, as Debian has them) in a directory of their own, on
/// unix sockets alone.
/// </summary>
internal sealed class OvnSandbox : IDisposable
{
    private const int CommandsTogether = 300;
    private readonly string _directory;
    private readonly List<Process> _running = [];

    /// <summary>Starts both databases, empty.</summary>
    public OvnSandbox(string directory)
    {
        _directory = Path.Combine(directory, "ovn");
        if (Directory.Exists(_directory))
        {
            Directory.Delete(_directory, recursive: true);
        }

        Directory.CreateDirectory(_directory);
        foreach (var database in new[] { "nb", "sb" })
        {
            Run("ovsdb-tool", "create", At($"{database}.db"), $"/usr/share/ovn/ovn-{database}.ovsschema");
            Start(
                "ovsdb-server", $"--remote=punix:{At(database)}", $"--unixctl={At(database)}.control",
                At($"{database}.db"));
            Wait(() => File.Exists(At(database)));
        }
    }

    /// <summary>Starts the compiler; the seconds until all that the northbound database has is compiled.</summary>
    public double Compile()
    {
        var start = Stopwatch.GetTimestamp();
        Start(
            "ovn-northd", $"--ovnnb-db=unix:{At("nb")}", $"--ovnsb-db=unix:{At("sb")}",
            $"--unixctl={At("northd")}.control");
        Run("ovn-nbctl", "--timeout=120", Northbound, "--wait=sb", "sync");
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Writes commands, as many in a transaction as an argument list holds.</summary>
    public void Write(IEnumerable<string[]> commands)
    {
        foreach (var together in commands.Chunk(CommandsTogether))
        {
            Run("ovn-nbctl", [Northbound, "--no-wait", .. Joined(together)]);
        }
    }

    /// <summary>Does commands in one transaction; the seconds until they are compiled.</summary>
    public double Change(params string[][] commands)
    {
        var start = Stopwatch.GetTimestamp();
        Run("ovn-nbctl", ["--timeout=120", Northbound, "--wait=sb", .. Joined(commands)]);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var process in _running)
        {
            if (!process.HasExited)
            {
                process.Kill();
                process.WaitForExit();
            }

            process.Dispose();
        }

        Directory.Delete(_directory, recursive: true);
    }

    private string Northbound => $"--db=unix:{At("nb")}";

    private static IEnumerable<string> Joined(IEnumerable<string[]> commands) =>
        commands.SelectMany(command => command.Prepend("--")).Skip(1);

    private string At(string name) => Path.Combine(_directory, name);

    private static void Wait(Func<bool> there)
    {
        for (var turn = 0; !there(); turn++)
        {
            if (turn == 200)
            {
                throw new BenchException("OVN's database did not start.");
            }

            Thread.Sleep(50);
        }
    }

    private void Start(string program, params IEnumerable<string> arguments) =>
        _running.Add(Begin(program, arguments));

    private void Run(string program, params IEnumerable<string> arguments)
    {
        using var process = Begin(program, arguments);
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new BenchException($"{program} ended with {process.ExitCode}.");
        }
    }

    private Process Begin(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments.Prepend("--verbose=off"));
        foreach (var variable in new[] { "OVS_RUNDIR", "OVN_RUNDIR", "OVS_LOGDIR", "OVN_LOGDIR" })
        {
            start.Environment[variable] = _directory;
        }

        return Process.Start(start) ?? throw new BenchException($"{program} did not start.");
    }
}
