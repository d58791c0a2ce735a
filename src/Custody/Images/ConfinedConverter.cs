using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Bailiwick.Domains.Volumes;
using Microsoft.Win32.SafeHandles;

namespace Bailiwick.Custody.Images;

/// <summary>
/// qemu-img, where it can do no harm: it reads what a stranger made, so it runs with an identity of its own, without
/// network, capabilities or other processes, sees of this machine the programs in <c>/usr</c>, the one file it reads
/// and the one it fills (bwrap(1), setpriv(1)), and has bounded processor time, memory, file length and processes
/// (prlimit(1)) and few system calls (<see cref="SystemCallFilter"/>). Both formats are always named, so it never
/// guesses. Without root the identity is the caller's, in a user namespace where nothing of the caller's is visible.
/// </summary>
public sealed partial class ConfinedConverter : IImageConverter
{
    // No person, service or container has such numbers (Debian policy 9.2; systemd's end at 1,879,048,191).
    private const int FirstIdentity = 2_000_000_000;
    private const long MemoryBytes = 2L << 30;
    private const int Processes = 128, OpenFiles = 64, StartSeconds = 30, SlowestMibPerSecond = 8;
    private const int MaxErrorLength = 4096;
    private const string SearchPath = "/usr/bin:/bin:/usr/sbin:/sbin";

    /// <summary>What the tool calls the formats that it is told; no other one is ever read.</summary>
    private static string NameOf(DiskFormat format) => format switch
    {
        DiskFormat.Qcow2 => "qcow2",
        DiskFormat.Vmdk => "vmdk",
        DiskFormat.Vdi => "vdi",
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "it is never converted"),
    };

    /// <inheritdoc/>
    public void Convert(ConversionOrder order, Action<double> progress, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(order);
        int seconds = StartSeconds + (int)(order.Bytes / (SlowestMibPerSecond << 20));
        int? identity = Environment.IsPrivilegedProcess ? FirstIdentity + Environment.ProcessId : null;
        if (identity is { } number)
        {
            Own(order.Input, number);
            Own(order.Output, number);
        }

        try
        {
            Run(order, seconds, identity, progress, stop);
        }
        finally
        {
            if (identity is not null)
            {
                Own(order.Output, 0);
            }
        }
    }

    /// <summary>What the tool is told, both formats among it.</summary>
    internal static IReadOnlyList<string> Tool(ConversionOrder order) =>
    [
        "qemu-img", "convert", "-p", "-n", "--target-is-zero", "-f", NameOf(order.Format), "-O", "raw", "/input",
        "/output",
    ];

    /// <summary>The whole command of a tool that is confined to one conversion.</summary>
    /// <param name="order">What is converted.</param>
    /// <param name="tool">What runs within.</param>
    /// <param name="seconds">The processor time it may take.</param>
    /// <param name="identity">The number of its user and group; null to keep the caller's.</param>
    /// <param name="filter">The descriptor of the filter of system calls.</param>
    internal static IReadOnlyList<string> Confined(
        ConversionOrder order, IReadOnlyList<string> tool, int seconds, int? identity, int filter)
    {
        string[] user = identity is { } number
            ?
            [
                "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP", "--seccomp",
                Text(filter), "setpriv", "--reuid", Text(number), "--regid", Text(number), "--clear-groups",
                "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs",
            ]
            : ["--unshare-user", "--seccomp", Text(filter), "setpriv", "--no-new-privs"];
        return
        [
            "prlimit", $"--cpu={Text(seconds)}", $"--as={Text(MemoryBytes)}", $"--fsize={Text(order.Bytes)}",
            $"--nofile={Text(OpenFiles)}", "--core=0",
            "bwrap", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
            "--symlink", "usr/bin", "/bin", "--dev", "/dev", "--ro-bind", order.Input, "/input", "--bind", order.Output,
            "/output", "--remount-ro", "/", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-pid",
            "--unshare-cgroup-try", "--die-with-parent", "--new-session", "--clearenv", "--setenv", "LC_ALL", "C",
            "--cap-drop", "ALL", .. user, "prlimit", $"--nproc={Text(Processes)}", .. tool,
        ];
    }

    private static void Run(
        ConversionOrder order, int seconds, int? identity, Action<double> progress, CancellationToken stop)
    {
        using SystemCallFilter filter = SystemCallFilter.Create();
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using Process process = Start(Confined(order, Tool(order), seconds, identity, filter.Descriptor));
        late.CancelAfter(TimeSpan.FromSeconds(seconds));
        // bubblewrap's end is that of everything within: it made the process namespace.
        using CancellationTokenRegistration killing = late.Token.Register(() => Kill(process));
        StringBuilder errors = new();
        process.ErrorDataReceived += (_, line) =>
        {
            if (errors.Length < MaxErrorLength)
            {
                errors.AppendLine(line.Data);
            }
        };
        process.BeginErrorReadLine();

        // The thread that started it stays until it has ended: it dies with its parent, which is this thread.
        Follow(process.StandardOutput, progress);
        process.WaitForExit();
        stop.ThrowIfCancellationRequested();
        if (process.ExitCode != 0 || late.IsCancellationRequested)
        {
            throw new CustodyException(late.IsCancellationRequested
                ? $"The disk was not converted within {seconds} s, and was given up."
                : $"The converter refused the file (exit code {process.ExitCode}): {errors.ToString().Trim()}");
        }
    }

    private static Process Start(IReadOnlyList<string> argv)
    {
        string program = SearchPath.Split(':').Select(folder => $"{folder}/{argv[0]}").FirstOrDefault(File.Exists)
            ?? throw new CustodyException($"{argv[0]} is not installed in {SearchPath}.");
        ProcessStartInfo start = new(program)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            UseShellExecute = false, WorkingDirectory = "/",
        };
        foreach (string argument in argv.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Clear();
        start.Environment["PATH"] = SearchPath;
        start.Environment["LC_ALL"] = "C";
        try
        {
            Process process = Process.Start(start) ?? throw new CustodyException($"{program} did not start.");
            process.StandardInput.Close();
            return process;
        }
        catch (System.ComponentModel.Win32Exception failed)
        {
            throw new CustodyException($"{program} did not start: {failed.Message}", failed);
        }
    }

    /// <summary>qemu-img writes <c>(12.34/100%)</c> and a carriage return, again and again.</summary>
    private static void Follow(StreamReader output, Action<double> progress)
    {
        Span<char> some = stackalloc char[256];
        StringBuilder number = new();
        int count;
        while ((count = output.Read(some)) > 0)
        {
            foreach (char one in some[..count])
            {
                if (one == '(')
                {
                    number.Clear();
                }
                else if (one == '/' && double.TryParse(
                    number.ToString(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double done))
                {
                    progress(Math.Min(done / 100, 1));
                }
                else if (number.Length < 8)
                {
                    number.Append(one);
                }
            }
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    private static void Own(string file, int identity)
    {
        using SafeFileHandle handle = File.OpenHandle(file);
        if (fchown(handle, identity, identity) != 0)
        {
            throw new CustodyException(
                $"{file} cannot be given to the user {identity}: error {Marshal.GetLastPInvokeError()}. In a "
                + "container, convert the image outside of it.");
        }
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fchown(SafeFileHandle file, int user, int group);
}
