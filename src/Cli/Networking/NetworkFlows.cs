using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Peers;
using Bailiwick.Channel.Wire;
using Bailiwick.Cli.Output;
using Bailiwick.Cli.Verbs;
using Bailiwick.Custody;
using Bailiwick.Domains.Seeing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Networking;

/// <summary>
/// <c>bailiwick network flows</c>: who spoke with whom, and what was dropped by which rule, as the hosts of a domain
/// counted it. They tell its own tenant alone.
/// </summary>
internal static class NetworkFlows
{
    internal static Command Create(Terminal terminal)
    {
        var domain = new Argument<string>("DOMAIN") { Description = "like bank/web" };
        var machine = new Option<string?>("--machine") { Description = "only this machine's, like web-1" };
        var dropped = new Option<bool>("--dropped") { Description = "only those of which something was dropped" };
        var command = new Command("flows",
            "Show who spoke with whom in a domain of yours, and what was dropped and why.\n"
            + "Example: bailiwick network flows bank/web --dropped --as bank") { domain, machine, dropped };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            string wanted = parsed.GetRequiredValue(domain);
            string reference = BoardReader.Reference(book, wanted)
                ?? throw new CustodyException($"{wanted} is no domain's name; name one like bank/web.");
            BoardStatus status = await desk.Board.Status(cancellation).ConfigureAwait(false);
            DomainStatus found = status.Domains.FirstOrDefault(one => one.Domain == reference)
                ?? throw new CustodyException($"There is no domain {wanted} that is yours to see.");
            var lists = new List<FlowList>();
            foreach (string host in found.Hosts)
            {
                using HttpClient client = desk.Host(host);
                try
                {
                    lists.Add(await new PeerClient(client).Ask<AskedFlows, FlowList>(
                        "/v1/network/flows", new AskedFlows(reference), cancellation).ConfigureAwait(false));
                }
                catch (PeerException none) when (none.Problem?.Code == "not-found")
                {
                    // The board suggests it, and it does not run the domain.
                }
            }

            FlowList[] chosen = [.. lists.Select(list => list with
            {
                Flows = [.. list.Flows.Where(flow => Chosen(flow, parsed.GetValue(machine))
                    && (!parsed.GetValue(dropped) || flow.Dropped > 0))],
            })];
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(JsonNode.Parse(StrictJson.Write(chosen)) ?? new JsonArray());
            }
            else
            {
                Show(terminal, chosen);
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    private static bool Chosen(ReportedFlow flow, string? machine) =>
        machine is null || flow.Machine == machine || flow.Machine.Split('/')[^1] == machine;

    private static void Show(Terminal terminal, FlowList[] lists)
    {
        terminal.Table(
            ["machine", "way", "peer", "service", "packets", "bytes", "dropped", "last seen", "why dropped"],
            lists.SelectMany(list => list.Flows).OrderByDescending(flow => flow.Last).Select(flow =>
                (IReadOnlyList<string>)[flow.Machine, flow.Direction,
                    flow.PeerName.Length == 0 ? flow.Peer : $"{flow.Peer} ({flow.PeerName})", flow.Service,
                    Number(flow.Packets), Number(flow.Bytes), Number(flow.Dropped),
                    flow.Last.ToString("u", CultureInfo.InvariantCulture), flow.DroppedBy]));
        foreach (FlowList list in lists.Where(list => list.More))
        {
            terminal.Say($"{list.Host} has more, seen earlier.");
        }
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
