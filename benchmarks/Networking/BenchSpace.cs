using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Domains.Refinement;
using Bailiwick.Lab.Hosts;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Networking;

namespace Bailiwick.Benchmarks.Networking;

/// <summary>
/// A network namespace of the bench's own. It goes with all that is in it; what a bench that was killed left, goes with
/// the next.
/// </summary>
internal sealed class BenchSpace : IDisposable
{
    private const string Prefix = "bwbench-";
    private static readonly RealHost Host = new();
    private static readonly NetworkTools Tools = new(Host, new RulesWatch(Host));
    private static int _count;
    private readonly List<Process> _programs = [];

    private BenchSpace(string name) => Name = name;

    public BenchSpace()
        : this(string.Create(
            CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref _count)}"))
    {
        Host.Run(new ProgramCall("ip", "netns", "add", Name));
        Run("ip", "link", "set", "lo", "up");
    }

    public string Name { get; }

    /// <summary>One that somebody else makes and that is to be removed with the others.</summary>
    public static BenchSpace Named(string name) => new(name);

    /// <summary>
    /// The digits in the names of the tunnels of a host that is this namespace: all hosts are on one machine, so each
    /// names its tunnels for itself.
    /// </summary>
    public string Segment => SegmentOf(Name);

    /// <summary>
    /// Removes the namespaces of benches that are no more, with their tunnels', and ends what runs in them. They are
    /// known by the process in their names; a name whose number another process has by now is left for later.
    /// </summary>
    /// <exception cref="WorldException">Something in one does not end.</exception>
    public static void Sweep()
    {
        foreach (string left in Tools.Namespaces().Where(IsLeft))
        {
            foreach (int place in Enumerable.Range(0, EncryptedTunnels.Places))
            {
                Remove(string.Create(CultureInfo.InvariantCulture, $"bws{SegmentOf(left)}{place}"));
            }

            Remove(left);
        }
    }

    /// <summary>A namespace lives on, without its name, with the last program in it: all of them end first.</summary>
    private static void Remove(string name)
    {
        if (Tools.Namespaces().Contains(name))
        {
            Tools.EndPrograms(name);
            Tools.RunIgnoringAbsence(SegmentCommands.RemoveNamespace(name));
        }
    }

    private static bool IsLeft(string name) => name.StartsWith(Prefix, StringComparison.Ordinal)
        && name[Prefix.Length..].Split('-') is [var owner, _]
        && int.TryParse(owner, NumberStyles.None, CultureInfo.InvariantCulture, out int process)
        && ProcessMark.Read(process) is null;

    private static string SegmentOf(string name) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(name)))[..10];

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

        Remove(Name);
    }
}
