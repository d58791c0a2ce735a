using System.Diagnostics;
using System.Globalization;
using Bailiwick.Lab.Hosts;
using Bailiwick.Proxy.Host;

namespace Bailiwick.Benchmarks.Networking;

/// <summary>A network namespace of the bench's own. It goes with all that is in it.</summary>
internal sealed class BenchSpace : IDisposable
{
    private static readonly RealHost Host = new();
    private static int _count;
    private readonly List<Process> _programs = [];

    private BenchSpace(string name) => Name = name;

    public BenchSpace()
        : this(string.Create(
            CultureInfo.InvariantCulture, $"bwbench-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}"))
    {
        Host.Run(new ProgramCall("ip", "netns", "add", Name));
        Run("ip", "link", "set", "lo", "up");
    }

    public string Name { get; }

    /// <summary>One that somebody else makes and that is to be removed with the others.</summary>
    public static BenchSpace Named(string name) => new(name);

    /// <summary>Runs a program inside.</summary>
    public string Run(params string[] argv) => Host.Run(new ProgramCall(argv) { NetworkNamespace = Name }).Text;

    /// <summary>Starts a program inside that ends with this.</summary>
    public void Start(params string[] argv)
    {
        ProcessStartInfo start = new("ip") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string word in (string[])["netns", "exec", Name, .. argv])
        {
            start.ArgumentList.Add(word);
        }

        _programs.Add(Process.Start(start) ?? throw new BenchException($"{argv[0]} does not start"));
    }

    /// <inheritdoc cref="NetSpace.Inside"/>
    public T Inside<T>(Func<T> act) => new NetSpace($"/run/netns/{Name}").Inside(act);

    public void Dispose()
    {
        foreach (Process program in _programs)
        {
            program.Kill();
            program.WaitForExit();
            program.Dispose();
        }

        Host.Run(new ProgramCall("ip", "netns", "del", Name) { Answers = [0, 1] });
    }
}
