namespace Bailiwick.Proxy.Host;

/// <summary>One run of a program, as an argument array: nothing is ever read by a shell.</summary>
public sealed record ProgramCall
{
    /// <summary>The time a program gets unless its call says otherwise.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);

    /// <summary>The most bytes a program may write to its output, and to its errors, unless its call says otherwise.
    /// </summary>
    public const int DefaultOutputBytes = 1 << 20;

    /// <summary>A run of a program with arguments.</summary>
    /// <param name="argv">The program's plain name, looked for in the fixed path, and its arguments.</param>
    public ProgramCall(params IReadOnlyList<string> argv) => Argv = argv;

    /// <summary>The program's plain name and its arguments. Never a secret: all on the host read it.</summary>
    public IReadOnlyList<string> Argv { get; init; }

    /// <summary>What the program reads on its standard input; the only way for a secret.</summary>
    public ReadOnlyMemory<byte> Input { get; init; }

    /// <summary>After this time the program and all it started are killed and the call fails.</summary>
    public TimeSpan Timeout { get; init; } = DefaultTimeout;

    /// <summary>With more bytes of output, or of errors, it is killed and the call fails.</summary>
    public int MaxOutputBytes { get; init; } = DefaultOutputBytes;

    /// <summary>The named network namespace to run in (ip-netns(8)); null for the host's own.</summary>
    public string? NetworkNamespace { get; init; }

    /// <summary>The exit codes that are answers; any other is a <see cref="WorldException"/>.</summary>
    public IReadOnlyList<int> Answers { get; init; } = [0];
}

/// <summary>What a program answered.</summary>
/// <param name="ExitCode">One of <see cref="ProgramCall.Answers"/>.</param>
/// <param name="Output">Its standard output, at most <see cref="ProgramCall.MaxOutputBytes"/>.</param>
/// <param name="Errors">Its standard error as text; warnings when it succeeded.</param>
public sealed record ProgramResult(int ExitCode, ReadOnlyMemory<byte> Output, string Errors)
{
    /// <summary>The standard output as UTF-8 text.</summary>
    public string Text => System.Text.Encoding.UTF8.GetString(Output.Span);
}
