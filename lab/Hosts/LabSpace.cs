using System.Globalization;

namespace Bailiwick.Lab.Hosts;

/// <summary>
/// A set of namespaces (mount, network, process, host name, IPC) that stands for one machine, or for the wire. Held by
/// its own process 1; without a name in the file system; gone when that process is gone.
/// </summary>
public class LabSpace
{
    private readonly LabRegister _register;
    private readonly string _tool;

    internal LabSpace(LabRegister register, string tool, string directory, LabSpaceRecord record)
    {
        _register = register;
        _tool = tool;
        Directory = directory;
        Record = record;
    }

    public string Name => Record.Name;

    /// <summary>The space's own directory, at the same path inside and outside.</summary>
    public string Directory { get; }

    /// <summary>What is written down about it.</summary>
    public LabSpaceRecord Record { get; private set; }

    /// <summary>Its process 1, as seen outside.</summary>
    public ProcessMark Holder => Record.Holder
        ?? throw new LabException($"{Name} has no namespaces yet", Directory, "lab down, then lab up");

    /// <summary>The address on the underlay, without the prefix length.</summary>
    public string Address4 => Record.Address4 ?? throw new InvalidOperationException($"{Name} has no address");

    /// <inheritdoc cref="Address4"/>
    public string Address6 => Record.Address6 ?? throw new InvalidOperationException($"{Name} has no address");

    /// <summary>The path outside of a path inside; also reaches what is mounted inside, and is short enough for the
    /// address of a socket (108 bytes, unix(7)).</summary>
    public string PathInside(string path) => $"/proc/{Holder.Pid}/root{path}";

    /// <summary>Runs a program inside to its end.</summary>
    public Task<LabProgramResult> Run(
        IReadOnlyList<string> argv,
        string? stdin = null,
        TimeSpan? timeout = null,
        CancellationToken cancellation = default)
    {
        var pid = Holder.Pid.ToString(CultureInfo.InvariantCulture);
        if (!Holder.IsAlive)
        {
            throw new LabException($"{Name} is gone", $"process {pid}", "lab down, then lab up");
        }

        List<string> inside = ["nsenter", "-t", pid, "-m", "-n", "-p", "-u", "-i", "--", .. argv];
        return LabPrograms.Run(inside, stdin, timeout, cancellation: cancellation);
    }

    /// <summary>Runs a program inside that must succeed.</summary>
    public async Task<string> Must(params string[] argv)
    {
        var result = await Run(argv).ConfigureAwait(false);
        return result.Expect($"{Name}: {string.Join(' ', argv)}", $"look into {Directory}").Output;
    }

    /// <summary>Starts a long-running program inside: detached, its output appended to the log file, and written
    /// down.</summary>
    public async Task<LabProgram> StartInside(
        IReadOnlyList<string> argv,
        IReadOnlyDictionary<string, string>? environment,
        string logFile,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(argv);
        List<string> start =
            [_tool, "start", Holder.Pid.ToString(CultureInfo.InvariantCulture), logFile, .. argv];
        var result = await LabPrograms.Run(start, null, TimeSpan.FromSeconds(10), environment, cancellation)
            .ConfigureAwait(false);
        result.Expect($"{Name}: {string.Join(' ', argv)}", "is the program installed, and the log's directory there?");
        var pid = int.Parse(result.Output.Trim(), CultureInfo.InvariantCulture);
        var mark = ProcessMark.Read(pid) ?? new ProcessMark(pid, 0);
        var program = new LabProgram(Path.GetFileName(argv[0]), mark, logFile);
        _register.Record(new LabProgramRecord(Name, program.Name, mark, logFile));
        return program;
    }

    /// <summary>Records the frames that pass an interface inside, from the moment this returns.</summary>
    /// <param name="networkInterface">The interface's name inside.</param>
    /// <param name="filter">A pcap-filter(7) expression; empty for all.</param>
    /// <param name="cancellation">Gives up waiting for tcpdump.</param>
    public Task<FrameCapture> Capture(
        string networkInterface, string filter = "", CancellationToken cancellation = default) =>
        FrameCapture.Start(this, networkInterface, filter, cancellation);

    /// <summary>Makes the namespaces. Written down as intended before, and with its process after.</summary>
    internal async Task Hold(IReadOnlyList<string> privateDirectories, CancellationToken cancellation)
    {
        System.IO.Directory.CreateDirectory(Directory);
        _register.Record(Record);
        var argv = new List<string> { _tool, "hold", _register.Current.Id, Name, Directory };
        argv.AddRange(privateDirectories);
        var result = await LabPrograms.Run(argv, timeout: TimeSpan.FromSeconds(10), cancellation: cancellation)
            .ConfigureAwait(false);
        result.Expect($"namespaces of {Name}", "run as root on a kernel with namespaces");
        var holder = ProcessMark.Read(int.Parse(result.Output.Trim(), CultureInfo.InvariantCulture))
            ?? throw new LabException("the namespaces ended at once", Name, "look at the kernel's log");
        Record = Record with { Holder = holder };
        _register.Record(Record);
    }
}
