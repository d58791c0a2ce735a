using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Bailiwick.Proxy.Host;
using Microsoft.Win32.SafeHandles;

namespace Bailiwick.Benchmarks.Networking;

/// <summary>A network namespace of the bench's own. It goes with all that is in it.</summary>
internal sealed partial class BenchSpace : IDisposable
{
    private const int NewNetwork = 0x40000000;
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

    /// <summary>Runs something on a thread that is inside; programs it starts are inside too.</summary>
    public T Inside<T>(Func<T> act)
    {
        T? result = default;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                using SafeFileHandle handle = File.OpenHandle($"/run/netns/{Name}");
                if (setns(handle, NewNetwork) != 0)
                {
                    throw new Win32Exception(Marshal.GetLastPInvokeError());
                }

                result = act();
            }
            catch (Exception fault)
            {
                failure = ExceptionDispatchInfo.Capture(fault);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        // The thread has ended without a failure, so the result was set.
        return result!;
    }

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

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(SafeFileHandle handle, int kind);
}
