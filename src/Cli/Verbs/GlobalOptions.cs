using System.CommandLine;

namespace Bailiwick.Cli.Verbs;

/// <summary>Options every verb has.</summary>
internal static class GlobalOptions
{
    internal static Option<bool> Json { get; } =
        new("--json") { Description = "one JSON document on standard output, for programs", Recursive = true };

    internal static Option<string> Lab { get; } = new("--lab")
    {
        Description = "the lab's directory",
        DefaultValueFactory = _ => ".lab",
        Recursive = true,
    };

    internal static Option<string?> As { get; } = new("--as")
    {
        Description = "who asks: a party of the lab (hospital, alpine), or the path of a context file",
        Recursive = true,
    };
}
