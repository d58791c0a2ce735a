using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Bailiwick.Proxy.Host;

/// <summary>
/// Starts programs of the host: from a fixed path, with a cleared environment, in a session of their own, so that all a
/// program started ends with it when its time is over.
/// </summary>
public sealed partial class RealHost : IHost
{
    private const string SearchPath = "/usr/sbin:/usr/bin:/sbin:/bin";
    private const int MaxArguments = 4096;
    private const int MaxNamespaceName = 64;
    private const int KillSignal = 9;
    private static readonly TimeSpan KillGrace = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public ProgramResult Run(ProgramCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        Check(call);
        using Process process = Start(call);
        using OutputLimit limit = new(call.MaxOutputBytes);
        Task<byte[]> output = Read(process.StandardOutput.BaseStream, limit);
        Task<byte[]> errors = Read(process.StandardError.BaseStream, limit);
        Task input = Feed(process, call.Input);
        Task all = Task.WhenAll(process.WaitForExitAsync(), output, errors, input);
        int first = Task.WaitAny([all, limit.Exceeded], call.Timeout);
        if (first != 0)
        {
            Kill(process);
            _ = Task.WaitAny([all], KillGrace);
            string said = errors.IsCompletedSuccessfully ? Encoding.UTF8.GetString(errors.Result) : "";
            throw new WorldException(call.Argv, -1, first == 1
                ? $"it wrote more than {call.MaxOutputBytes} bytes and was killed"
                : $"it was killed after {call.Timeout.TotalSeconds:0.#} s. {said}");
        }

        ProgramResult result = new(process.ExitCode, output.Result, Encoding.UTF8.GetString(errors.Result));
        return call.Answers.Contains(result.ExitCode)
            ? result
            : throw new WorldException(call.Argv, result.ExitCode, result.Errors);
    }

    /// <inheritdoc/>
    public uint RulesGeneration() => NftGeneration.Read();

    /// <inheritdoc/>
    public ImmutableArray<AttachedPrograms> Programs(IReadOnlyCollection<int> devices, string? inNamespace = null)
    {
        ArgumentNullException.ThrowIfNull(devices);
        CheckNamespace(inNamespace);
        return inNamespace is null ? KernelPrograms.Find(devices) : KernelPrograms.FindIn(inNamespace, devices);
    }

    private static void Check(ProgramCall call)
    {
        if (call.Argv.Count is 0 or > MaxArguments
            || call.Argv.Any(argument => argument is null || argument.Contains('\0', StringComparison.Ordinal)))
        {
            throw new ArgumentException($"a call has 1 to {MaxArguments} arguments without NUL", nameof(call));
        }

        CheckNamespace(call.NetworkNamespace);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(call.Timeout, TimeSpan.Zero, nameof(call));
    }

    private static void CheckNamespace(string? inNamespace)
    {
        if (inNamespace is { } name
            && (name.Length is 0 or > MaxNamespaceName || name[0] is '-' or '.'
                || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')))
        {
            throw new ArgumentException(
                "a namespace's name has letters, digits, '-', '_' and '.' only", nameof(inNamespace));
        }
    }

    private static Process Start(ProgramCall call)
    {
        // setsid(1) makes the session and then becomes the program, so the process id is also its group's.
        ProcessStartInfo start = new(Find(call, "setsid"))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = "/",
        };
        if (call.NetworkNamespace is { } name)
        {
            foreach (string argument in new[] { Find(call, "ip"), "netns", "exec", name })
            {
                start.ArgumentList.Add(argument);
            }
        }

        start.ArgumentList.Add(Find(call, call.Argv[0]));
        foreach (string argument in call.Argv.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Clear();
        start.Environment["PATH"] = SearchPath;
        start.Environment["LC_ALL"] = "C";
        try
        {
            return Process.Start(start) ?? throw new WorldException(call.Argv, -1, "it did not start");
        }
        catch (System.ComponentModel.Win32Exception failed)
        {
            throw new WorldException(call.Argv, -1, failed.Message);
        }
    }

    private static string Find(ProgramCall call, string program)
    {
        if (program.Length == 0 || program[0] == '-' || program.Contains('/', StringComparison.Ordinal))
        {
            throw new ArgumentException($"'{program}' is not the plain name of a program", nameof(call));
        }

        return SearchPath.Split(':').Select(directory => $"{directory}/{program}").FirstOrDefault(File.Exists)
            ?? throw new WorldException(call.Argv, -1, $"'{program}' is not installed in {SearchPath}");
    }

    private static async Task<byte[]> Read(Stream stream, OutputLimit limit)
    {
        using MemoryStream all = new();
        byte[] buffer = new byte[16 * 1024];
        int count;
        while ((count = await stream.ReadAsync(buffer).ConfigureAwait(false)) > 0)
        {
            if (all.Length + count > limit.Bytes)
            {
                limit.Exceed();
                break;
            }

            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }

    private static async Task Feed(Process process, ReadOnlyMemory<byte> input)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input).ConfigureAwait(false);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // A program may end without reading its input; its exit code tells whether that was a failure.
        }
    }

    private static void Kill(Process process)
    {
        if (kill(-process.Id, KillSignal) != 0)
        {
            // Not yet in a group of its own.
            process.Kill(entireProcessTree: true);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int process, int signal);

    private sealed class OutputLimit(int bytes) : IDisposable
    {
        private readonly TaskCompletionSource _exceeded = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Bytes => bytes;

        public Task Exceeded => _exceeded.Task;

        public void Exceed() => _exceeded.TrySetResult();

        public void Dispose() => _exceeded.TrySetCanceled();
    }
}
