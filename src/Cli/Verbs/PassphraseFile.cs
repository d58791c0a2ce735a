using System.CommandLine;
using Bailiwick.Custody;

namespace Bailiwick.Cli.Verbs;

/// <summary>A passphrase never comes on the command line, where every process could read it: it comes from a file.
/// </summary>
internal static class PassphraseFile
{
    internal static Option<string?> Option() => new("--passphrase-file")
    {
        Description = "file whose first line protects the root keys; without it only the directory's mode does",
    };

    internal static string? Read(string? path)
    {
        if (path is null)
        {
            return null;
        }

        string? line = File.Exists(path) ? File.ReadLines(path).FirstOrDefault() : null;
        return string.IsNullOrEmpty(line)
            ? throw new CustodyException($"The passphrase file {path} is missing or its first line is empty.")
            : line;
    }
}
