using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bailiwick.Cli.Output;

/// <summary>
/// The keyboard of whoever runs this program, each key as it is pressed and without an echo (termios(3), cfmakeraw),
/// so that a machine's own shell edits lines, completes words and gets Ctrl-C. The terminal is as before after
/// <see cref="Dispose"/>, and also when the program is asked to end by a signal.
/// </summary>
internal sealed partial class RawTerminal : IDisposable
{
    private const int StandardInput = 0;
    private const int AfterOutput = 1;

    // More than any struct termios of Linux (60 bytes on x86-64); it is handed back as it came.
    private const int TermiosBytes = 256;
    private readonly byte[] _before;
    private readonly PosixSignalRegistration[] _endings;

    private RawTerminal(byte[] before)
    {
        _before = before;

        // What each signal does besides stays as it is; SIGKILL alone leaves a terminal that `reset` must mend.
        _endings =
        [
            .. new[] { PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGINT, PosixSignal.SIGQUIT }
                .Select(s => PosixSignalRegistration.Create(s, _ => Restore())),
        ];
    }

    /// <summary>Makes the terminal raw, if standard input is one.</summary>
    /// <returns>Null when it is none.</returns>
    internal static RawTerminal? Enter()
    {
        byte[] before = new byte[TermiosBytes];
        if (tcgetattr(StandardInput, before) != 0)
        {
            return null;
        }

        byte[] raw = [.. before];
        cfmakeraw(raw);
        var entered = new RawTerminal(before);
        _ = tcsetattr(StandardInput, AfterOutput, raw);
        return entered;
    }

    /// <summary>
    /// Standard input without the console's own editing of lines, which <see cref="Console.OpenStandardInput()"/> puts
    /// before a terminal.
    /// </summary>
    internal static Stream Keys() =>
        new FileStream(new SafeFileHandle(StandardInput, ownsHandle: false), FileAccess.Read, bufferSize: 0);

    public void Dispose()
    {
        Restore();
        foreach (PosixSignalRegistration ending in _endings)
        {
            ending.Dispose();
        }
    }

    private void Restore() => _ = tcsetattr(StandardInput, AfterOutput, _before);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcgetattr(int descriptor, Span<byte> termios);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcsetattr(int descriptor, int when, ReadOnlySpan<byte> termios);

    [LibraryImport("libc")]
    private static partial void cfmakeraw(Span<byte> termios);
}
