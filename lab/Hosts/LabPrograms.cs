using System.Diagnostics;
using System.Text;

namespace Bailiwick.Lab.Hosts;

/// <summary>Runs programs to their end, by argument vector, with a bound on time and output.</summary>
public static class LabPrograms
{
    private const int OutputLimit = 16 << 20;

    private static readonly TimeSpan StreamGrace = TimeSpan.FromSeconds(2);

    private static readonly Dictionary<string, string> Packages = new(StringComparer.Ordinal)
    {
        ["apt-cache"] = "apt",
        ["apt-get"] = "apt",
        ["dpkg-deb"] = "dpkg",
        ["gcc"] = "gcc libc6-dev",
        ["busybox"] = "busybox-static",
        ["certtool"] = "gnutls-bin",
        ["ip"] = "iproute2",
        ["libvirtd"] = "libvirt-daemon-system",
        ["nsenter"] = "util-linux",
        ["qemu-img"] = "qemu-utils",
        ["qemu-system-x86_64"] = "qemu-system-x86",
        ["swtpm"] = "swtpm",
        ["swtpm_localca"] = "swtpm-tools",
        ["swtpm_setup"] = "swtpm-tools",
        ["tcpdump"] = "tcpdump",
        ["virsh"] = "libvirt-clients",
    };

    /// <summary>Refuses, naming every missing program at once and the Debian packages that have them.</summary>
    public static void Require(params IEnumerable<string> programs)
    {
        var missing = programs.Where(program => Find(program) is null).ToList();
        if (missing.Count > 0)
        {
            var packages = missing.Select(program => Packages.GetValueOrDefault(program, program)).Distinct();
            throw new LabException(
                $"programs are missing: {string.Join(", ", missing)}",
                "PATH, /usr/sbin, /sbin",
                $"apt-get install --no-install-recommends {string.Join(' ', packages)}");
        }
    }

    /// <summary>The absolute path of a program, or null.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Concat(["/usr/sbin", "/usr/bin", "/sbin", "/bin"])
            .Select(directory => Path.Combine(directory, program))
            .FirstOrDefault(File.Exists);

    /// <summary>Runs a program to its end; one that takes longer is killed with its children, and that is an
    /// error.</summary>
    public static async Task<LabProgramResult> Run(
        IReadOnlyList<string> argv,
        string? stdin = null,
        TimeSpan? timeout = null,
        IReadOnlyDictionary<string, string>? environment = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(argv);
        using var process = Start(argv, environment);
        var limit = timeout ?? TimeSpan.FromSeconds(30);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(limit);
        using var streams = new CancellationTokenSource();
        var output = Read(process.StandardOutput, streams.Token);
        var error = Read(process.StandardError, streams.Token);
        try
        {
            await Feed(process, stdin, bound.Token).ConfigureAwait(false);
            await process.WaitForExitAsync(bound.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            streams.CancelAfter(StreamGrace);
            var said = (await error.ConfigureAwait(false)).Trim();
            cancellation.ThrowIfCancellationRequested();
            throw new LabException(
                $"no end after {limit.TotalSeconds:0.#} s: {said}", string.Join(' ', argv), "try again with less load");
        }

        // A daemon may have inherited the pipes: the program's own end is what counts.
        streams.CancelAfter(StreamGrace);
        return new LabProgramResult(
            process.ExitCode, await output.ConfigureAwait(false), await error.ConfigureAwait(false));
    }

    /// <summary>Starts a program with its streams redirected; its end is the caller's to see to.</summary>
    internal static Process Start(IReadOnlyList<string> argv, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(Find(argv[0]) ?? argv[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        foreach (var argument in argv.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["LC_ALL"] = "C";
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        try
        {
            return Process.Start(start) ?? throw new InvalidOperationException("no process");
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            var package = Packages.GetValueOrDefault(Path.GetFileName(argv[0]), argv[0]);
            throw new LabException(
                $"cannot start: {failure.Message}", argv[0], $"apt-get install {package}", failure);
        }
    }

    private static async Task Feed(Process process, string? stdin, CancellationToken cancellation)
    {
        try
        {
            await process.StandardInput.WriteAsync((stdin ?? "").AsMemory(), cancellation).ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program ended without reading all of it; its exit code tells the rest.
        }
    }

    private static async Task<string> Read(StreamReader reader, CancellationToken cancellation)
    {
        var text = new StringBuilder();
        var part = new char[16384];
        try
        {
            while (true)
            {
                var got = await reader.ReadAsync(part.AsMemory(), cancellation).ConfigureAwait(false);
                if (got == 0)
                {
                    return text.ToString();
                }

                text.Append(part, 0, Math.Min(got, OutputLimit - text.Length));
            }
        }
        catch (OperationCanceledException)
        {
            return text.ToString();
        }
    }
}
