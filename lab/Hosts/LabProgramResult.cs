namespace Bailiwick.Lab.Hosts;

/// <summary>What a program that ran to its end left behind.</summary>
/// <param name="ExitCode">The exit code; 128 + n after signal n.</param>
/// <param name="Output">Standard output, at most 16 MiB of characters.</param>
/// <param name="Error">Standard error, likewise.</param>
public sealed record LabProgramResult(int ExitCode, string Output, string Error)
{
    /// <summary>This result, or an exception that tells the program and what it said when it failed.</summary>
    public LabProgramResult Expect(string place, string nextStep) =>
        ExitCode == 0 ? this : throw new LabException($"exit code {ExitCode}: {Error.Trim()}", place, nextStep);
}
