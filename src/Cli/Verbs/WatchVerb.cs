using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Wire;
using Bailiwick.Cli.Output;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick watch</c>: what happens on the board, as it happens, until it is interrupted.</summary>
internal static class WatchVerb
{
    internal static Command Create(Terminal terminal)
    {
        var from = new Option<long>("--from") { Description = "first leaf to show", DefaultValueFactory = _ => 0 };
        var command = new Command("watch",
            "Follow the board until interrupted.\nExample: bailiwick watch --as bank --json") { from };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            await foreach (WatchEvent one in desk.Board.Watch(parsed.GetValue(from), cancellation)
                .ConfigureAwait(false))
            {
                Show(terminal, one, parsed.GetValue(GlobalOptions.Json));
            }

            terminal.Complain("The board ended the stream; run the command again to go on watching.");
            return (int)ExitCode.Unreachable;
        });
        return command;
    }

    private static void Show(Terminal terminal, WatchEvent one, bool json)
    {
        if (json)
        {
            terminal.JsonLine(JsonNode.Parse(StrictJson.Write(one)) ?? new JsonObject());
            return;
        }

        switch (one)
        {
            case WatchEvent.Entry entry:
                terminal.Say($"leaf {entry.Index}: " + (entry.Envelope is null ? "not for you" : "a statement"));
                break;
            case WatchEvent.Checkpoint checkpoint:
                terminal.Say("checkpoint: " + string.Join(' ', checkpoint.Note.Split('\n').Take(3)));
                break;
            case WatchEvent.Placements placements:
                foreach (PlacementRow row in placements.Rows)
                {
                    terminal.Say($"placement: {row.Compartment} on {row.Host ?? "no host"}: {row.Reason}");
                }

                break;
            case WatchEvent.Heartbeat:
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }
}
