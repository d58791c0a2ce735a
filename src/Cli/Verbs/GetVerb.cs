using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Cli.Output;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick get</c>: statements from the board, each verified again.</summary>
internal static class GetVerb
{
    internal static Command Create(Terminal terminal)
    {
        var kind = new Argument<StatementKind?>("KIND")
        {
            Description = "only this kind", Arity = ArgumentArity.ZeroOrOne, CustomParser = Kind,
        };
        var name = new Argument<string?>("NAME")
        {
            Description = "only this one, like bank/web: prints its body", Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("get",
            "Show statements the board has for you, verified here.\nExample: bailiwick get Domain bank/web --as bank")
        { kind, name };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, IReadOnlyList<string> refused) =
                await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            string? wanted = parsed.GetValue(name);
            VerifiedStatement[] found = [.. Enum.GetValues<StatementKind>()
                .Where(k => parsed.GetValue(kind) is not { } only || k == only).SelectMany(book.Current)
                .Where(s => wanted is null || BoardReader.Display(book, s) == wanted)];
            Show(terminal, book, found, wanted is not null, parsed.GetValue(GlobalOptions.Json));
            foreach (string sentence in refused)
            {
                terminal.Complain("the board shows a statement that is refused here: " + sentence);
            }

            return (int)(refused.Count == 0 && (wanted is null || found.Length > 0) ? ExitCode.Done : ExitCode.No);
        });
        return command;
    }

    private static StatementKind? Kind(ArgumentResult argument)
    {
        string text = argument.Tokens[0].Value;
        string[] kinds = Enum.GetNames<StatementKind>();
        if (kinds.FirstOrDefault(k => k.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } found)
        {
            return Enum.Parse<StatementKind>(found);
        }

        argument.AddError($"'{text}' is no kind of statement; there are {string.Join(", ", kinds)}.");
        return null;
    }

    private static void Show(
        Terminal terminal, StatementBook book, VerifiedStatement[] found, bool whole, bool json)
    {
        if (json)
        {
            terminal.Json(new JsonArray([.. found.Select(s => new JsonObject
            {
                ["kind"] = s.Kind.ToString(), ["owner"] = s.Owner.ToString(), ["name"] = s.Name.Text,
                ["display"] = BoardReader.Display(book, s), ["revision"] = s.Revision, ["digest"] = s.Digest.Hex,
                ["issued"] = s.Issued, ["body"] = JsonNode.Parse(s.Body.GetRawText()),
            })]));
            return;
        }

        if (whole)
        {
            foreach (VerifiedStatement statement in found)
            {
                terminal.Say($"{statement.Kind} {BoardReader.Display(book, statement)} revision {statement.Revision}");
                terminal.Say(BoardReader.Body(statement));
            }

            return;
        }

        terminal.Table(["kind", "name", "revision", "issued", "digest"], found.Select(s => (IReadOnlyList<string>)
            [s.Kind.ToString(), BoardReader.Display(book, s), $"{s.Revision}", s.Issued, s.Digest.Hex[..16]]));
    }
}
