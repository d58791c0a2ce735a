using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Wire;
using Bailiwick.Cli.Output;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick host list</c>: the hosts, and with which domains each is trusted.</summary>
internal static class HostList
{
    internal static Command Create(Terminal terminal)
    {
        var command = new Command("list",
            "List hosts with their stated level and how verifiers say they stand.\n"
            + "Example: bailiwick host list --as alpine");
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            BoardStatus status = await desk.Board.Status(cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(JsonNode.Parse(StrictJson.Write(status.Hosts)) ?? new JsonArray());
                return (int)ExitCode.Done;
            }

            (var book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            StatusVerb.ShowHosts(terminal, status, book);
            return (int)ExitCode.Done;
        });
        return command;
    }
}
