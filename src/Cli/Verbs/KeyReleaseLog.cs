using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Cli.Output;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick key release-log</c>: what was done with keys, when, for whom, and what became of it.</summary>
internal static class KeyReleaseLog
{
    internal static Command Create(Terminal terminal)
    {
        var limit = new Option<int>("--limit") { Description = "rows, to 500", DefaultValueFactory = _ => 50 };
        var before = new Option<int>("--before")
        {
            Description = "only rows before this number", DefaultValueFactory = _ => int.MaxValue,
        };
        var command = new Command("release-log",
            "Show your key service's journal: releases, returns, rotations, destructions, the newest last.\n"
            + "Example: bailiwick key release-log --limit 20 --as bank")
        { limit, before };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            using VolumeDesk volumes = VolumeDesk.Open(desk, book);
            ReleaseLogBody page = await volumes.Client.KeyLog(
                parsed.GetValue(before), parsed.GetValue(limit), cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(JsonSerializer.SerializeToNode(page.Entries, JsonSerializerOptions.Web) ?? "");
                return (int)ExitCode.Done;
            }

            terminal.Table(["no.", "when", "what", "of", "outcome", "whom"], page.Entries.Select(
                row => (IReadOnlyList<string>)
                [
                    row.Index.ToString(CultureInfo.InvariantCulture), row.At, row.What,
                    BoardReader.Display(book, row.Subject), row.Outcome,
                    string.Join(' ', row.Whom.Split(' ').Select(word => BoardReader.Display(book, word))),
                ]));
            if (page.Entries.Length > 0 && page.Entries[0].Index > 0)
            {
                terminal.Say($"Older ones: --before {page.Entries[0].Index}");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }
}
