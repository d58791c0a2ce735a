using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace Bailiwick.Cli.Output;

/// <summary>What is wrong with a command line, said on standard error, so that what a program reads stays empty.
/// </summary>
internal static class Misuse
{
    /// <summary>Says what is wrong, if anything is.</summary>
    /// <returns>True when the command must not run.</returns>
    internal static bool Refuses(Terminal terminal, ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string[] strangers = Strangers(parsed);
        if (parsed.Action is not ParseErrorAction && (parsed.Action != command.Action || strangers.Length == 0))
        {
            return false;
        }

        string path = PathOf(parsed.CommandResult);
        if (strangers.Length == 0 && command.Action is null && parsed.UnmatchedTokens.Count == 0)
        {
            new HelpAction().Invoke(parsed);
            return true;
        }

        foreach (string sentence in Sentences(parsed, command, path, strangers))
        {
            terminal.Complain(sentence);
        }

        terminal.Complain($"`{path} --help` shows how it is called.");
        return true;
    }

    private static IEnumerable<string> Sentences(
        ParseResult parsed, Command command, string path, string[] strangers) =>
        strangers.Length > 0 ? strangers.Select(s => $"`{path}` has no option {s}.")
        : command.Action is null
            ? [$"`{path}` has no command '{parsed.UnmatchedTokens[0]}'; there are "
                + string.Join(", ", command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name)) + "."]
        // The parser ends some sentences with the name of a type of ours, which says nothing to a person.
        : parsed.Errors.Select(e => e.Message.Split(" as expected type ")[0].TrimEnd('.')).Where(m => m.Length > 0)
            .Distinct().Select(m => m + ".");

    /// <summary>
    /// What looks like an option and is none. The parser would take it for an argument; before <c>--</c> it never is
    /// one here.
    /// </summary>
    private static string[] Strangers(ParseResult parsed) =>
    [
        .. parsed.Tokens.TakeWhile(t => t.Type != TokenType.DoubleDash)
            .Where(t => t.Type == TokenType.Argument && t.Value is ['-', '-', _, ..] or ['-', >= 'A' and <= 'z', ..])
            .Select(t => t.Value),
    ];

    private static string PathOf(SymbolResult result)
    {
        string name = ((CommandResult)result).Command.Name;
        return result.Parent is CommandResult parent ? $"{PathOf(parent)} {name}" : name;
    }
}
