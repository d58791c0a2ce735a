using System.CommandLine;
using Bailiwick.Channel.Contexts;
using Bailiwick.Custody;
using Bailiwick.Lab.Deployment;

namespace Bailiwick.Cli.Verbs;

/// <summary>Opens the context a verb was asked to act in.</summary>
internal static class Desk
{
    /// <summary><c>--as hospital</c> is a party of the lab, <c>--as path/to/context.json</c> any other.</summary>
    internal static BoardDesk Open(ParseResult parsed)
    {
        string who = parsed.GetValue(GlobalOptions.As) ?? throw new CustodyException(
            "Say who asks: --as NAME for a party of the lab, or --as FILE for a context file.");
        string path = who.EndsWith(".json", StringComparison.Ordinal) ? who : Paths(parsed).Context(who);
        return File.Exists(path) ? BoardDesk.Open(path) : throw new CustodyException(
            $"There is no context {path}; `bailiwick lab up` makes one for each party.");
    }

    internal static LabPaths Paths(ParseResult parsed) =>
        new(Path.GetFullPath(parsed.GetValue(GlobalOptions.Lab) ?? ".lab"));
}
