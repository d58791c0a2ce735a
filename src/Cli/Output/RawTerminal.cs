using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Bailiwick.Cli.Output;

/// <summary>
/// The keyboard of whoever runs this program, each key as it is pressed and without an echo (termios(3), cfmakeraw),
/// so that a machine's own shell edits lines, completes words and gets Ctrl-C. The terminal is as before after
/// <see cref="Dispose"/>, and also when the program is ended by a signal. Without a terminal nothing is changed.
/// </summary>
internal sealed partial class RawTerminal : IDisposable
{
    private const int StandardInput = 0;
    private const int AfterOutput = 1;

    // More than any struct termios of Linux (60 bytes on x86-64); it is handed back as it came.
    private const int TermiosBytes = 256;
    private readonly byte[]? _before;

    private RawTerminal(byte[]? before)
    {
        _before = before;
        AppDomain.CurrentDomain.ProcessExit += Restore;
    }

    /// <summary>Makes the terminal raw, if standard input is one.</summary>
    internal static RawTerminal Enter()
    {
        byte[] before = new byte[TermiosBytes];
        if (tcgetattr(StandardInput, before) != 0)
        {
            return new RawTerminal(null);
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
        Restore(null, EventArgs.Empty);
        AppDomain.CurrentDomain.ProcessExit -= Restore;
    }

    private void Restore(object? sender, EventArgs e)
    {
        if (_before is not null)
        {
            _ = tcsetattr(StandardInput, AfterOutput, _before);
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcgetattr(int descriptor, Span<byte> termios);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcsetattr(int descriptor, int when, ReadOnlySpan<byte> termios);

    [LibraryImport("libc")]
    private static partial void cfmakeraw(Span<byte> termios);
}
