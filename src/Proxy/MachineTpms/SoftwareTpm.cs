using System.Globalization;
using System.Security.Cryptography;
using Bailiwick.Channel.Secrets;
using Bailiwick.Proxy.Host;
using Bailiwick.Tpm;

namespace Bailiwick.Proxy.MachineTpms;

/// <summary>
/// One machine's swtpm(8), in a <see cref="TpmSandbox"/>. It runs in a session of its own, so that it goes on when the
/// Proxy ends, and ends by itself with the connection it serves. The key of its state reaches it on standard input
/// only. For one thread at a time.
/// </summary>
/// <remarks>
/// Nothing in the directory that it may write is followed by the Proxy or by QEMU: its socket is moved out before
/// anybody connects, its process id is in a file that it cannot replace, and its state is read within the sandbox.
/// </remarks>
/// <param name="host">Ends it.</param>
/// <param name="sandbox">Starts it.</param>
/// <param name="directory">The machine's own directory, absolute, mode 0700.</param>
public sealed class SoftwareTpm(IHost host, TpmSandbox sandbox, string directory)
{
    // swtpm's own name of the permanent state of a TPM 2.0.
    private const string StateFile = "tpm2-00.permall";
    private const string ProcessInside = "/tpm.pid";
    private const int EndingTenths = 30;
    private const int MaxProcessDigits = 16;
    private static readonly TimeSpan ReadTime = TimeSpan.FromSeconds(5);
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The directory of its state while it may run; its own user's.</summary>
    public string StateDirectory => Path.Combine(directory, "tpm");

    /// <summary>The file of its encrypted state.</summary>
    public string StatePath => Path.Combine(StateDirectory, StateFile);

    /// <summary>The socket that the machine is plugged into.</summary>
    public string Socket => Path.Combine(directory, "tpm.sock");

    private string MakerSocket => Path.Combine(directory, "maker.sock");

    private string ProcessFile => Path.Combine(directory, "tpm.pid");

    /// <summary>
    /// Runs it for the host itself, before the machine starts; it ends when the connection is closed.
    /// </summary>
    /// <exception cref="WorldException">It does not start: the key is not that of the state, for one.</exception>
    public void RunForMaker(SecretBytes key) => Run(
        key, MakerSocket, socket => ["--server", socket, "--flags", "not-need-init,startup-clear"]);

    /// <summary>Where the host reaches it.</summary>
    public TpmAddress MakerAddress => TpmAddress.Swtpm(MakerSocket);

    /// <summary>Runs it for the machine: QEMU connects, and switches it on and off.</summary>
    /// <exception cref="WorldException">It does not start.</exception>
    public void RunForMachine(SecretBytes key) => Run(key, Socket, socket => ["--ctrl", socket]);

    /// <summary>The encrypted state that is here; null when there is none. For when it does not run.</summary>
    /// <exception cref="WorldException">It is no file, too long, or cannot be read.</exception>
    public byte[]? ReadState() => File.Exists(StatePath)
        ? sandbox.Run(
            StateDirectory, Inside, null, new ProgramCall("cat", $"{Inside}/{StateFile}") { Timeout = ReadTime })
            .Output.ToArray()
        : null;

    /// <summary>Waits until it has ended, and ends it if it does not by itself.</summary>
    /// <exception cref="WorldException">It cannot be ended.</exception>
    public void End()
    {
        for (int tenth = 0; Process() is { } process; tenth++)
        {
            if (tenth == EndingTenths)
            {
                throw new WorldException(["end", "swtpm", process], -1, "it still runs after SIGTERM");
            }

            if (tenth == EndingTenths / 2)
            {
                host.Run(new ProgramCall("kill", "-TERM", process) { Answers = [0, 1] });
            }

            Thread.Sleep(100);
        }

        try
        {
            string[] all = Directory.Exists(directory) ? [Socket, MakerSocket, ProcessFile] : [];
            foreach (string left in all)
            {
                File.Delete(left);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WorldException(["clean up after", "swtpm"], -1, error.Message);
        }
    }

    /// <summary>
    /// Its process, if that is one that serves this state: a number alone may be another's by now.
    /// </summary>
    private string? Process()
    {
        try
        {
            return File.Exists(ProcessFile) && new FileInfo(ProcessFile).Length <= MaxProcessDigits
                && int.TryParse(
                    File.ReadAllText(ProcessFile).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int id)
                && File.ReadAllText($"/proc/{id}/cmdline").Split('\0').Contains(StateArgument)
                    ? id.ToString(CultureInfo.InvariantCulture)
                    : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Its directory as it sees it: the name tells whose process it is.</summary>
    private string Inside => "/" + Path.GetFileName(directory);

    private string StateArgument => $"dir={Inside},mode=0600";

    private void Run(SecretBytes key, string socket, Func<string, string[]> how)
    {
        // Pinned, so that the collector leaves no second copy behind when it moves things.
        byte[] input = GC.AllocateUninitializedArray<byte>(key.Length, pinned: true);
        string name = Path.GetFileName(socket);
        try
        {
            File.Delete(socket);
            File.Delete(Path.Combine(StateDirectory, name));
            File.WriteAllBytes(ProcessFile, []);
            File.SetUnixFileMode(ProcessFile, Private);
            using (SecretLoan loan = key.Borrow())
            {
                loan.Bytes.CopyTo(input);
            }

            sandbox.Run(StateDirectory, Inside, (ProcessFile, ProcessInside), new ProgramCall(
            [
                "swtpm", "socket", "--tpm2", "--tpmstate", StateArgument, "--key",
                "fd=0,mode=aes-256-cbc,format=binary", .. how($"type=unixio,path={Inside}/{name},mode=0600"),
                "--terminate", "--daemon", "--pid", $"file={ProcessInside}", "--seccomp", "action=kill",
            ])
            { Input = input });

            // Out of its reach, and only then looked at: a link would lead whoever connects elsewhere.
            File.Move(Path.Combine(StateDirectory, name), socket, overwrite: true);
            if (File.GetAttributes(socket).HasFlag(FileAttributes.ReparsePoint))
            {
                File.Delete(socket);
                throw new WorldException(["start", "swtpm"], -1, "in the place of its socket is a link");
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WorldException(["start", "swtpm"], -1, error.Message);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(input);
        }
    }
}
