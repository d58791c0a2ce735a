using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Wire;
using Bailiwick.Cli.Output;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick status</c>: hosts, domains and machines as their Proxies report them.</summary>
internal static class StatusVerb
{
    /// <summary>Who says a standing that no host says.</summary>
    private const string KeyService = "key service";

    internal static Command Create(Terminal terminal)
    {
        var command = new Command("status",
            "Show hosts, domains and machines that are yours to see.\nExample: bailiwick status --as hospital");
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            BoardStatus status = await desk.Board.Status(cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(JsonNode.Parse(StrictJson.Write(status)) ?? new JsonObject());
                return (int)ExitCode.Done;
            }

            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            Show(terminal, status, book);
            return (int)ExitCode.Done;
        });
        return command;
    }

    internal static void ShowHosts(Terminal terminal, BoardStatus status, StatementBook book)
    {
        terminal.Table(["host", "assurance", "state", "trusted by the keys of"], status.Hosts.Select(h =>
            (IReadOnlyList<string>)[BoardReader.Display(book, h.Host), h.Assurance,
                h.State + (h.Draining ? ", draining" : ""),
                string.Join(", ", h.Standings.Where(IsHeld).Select(one => BoardReader.Display(book, one.Domain)))]));
        IReadOnlyList<string>[] wrong = [.. status.Hosts.SelectMany(h =>
            Wrong(h, book).Select(what => (IReadOnlyList<string>)[BoardReader.Display(book, h.Host), what]))];
        if (wrong.Length > 0)
        {
            terminal.Table(["host", "what is wrong"], wrong);
        }
    }

    /// <summary>Whose keys a host does not get, which other hosts doubt it, and what it says itself.</summary>
    private static IEnumerable<string> Wrong(HostStatus host, StatementBook book) =>
    [
        .. host.Standings.Where(one => one.Standing != "held").Select(one =>
            $"{BoardReader.Display(book, one.Domain)} {one.Standing}"
            + (one.By == KeyService ? "" : $" by {one.By.Split('/')[^1]}")
            + (one.Because.Length == 0 ? "" : $": {one.Because}")),
        .. host.Problems, .. host.RefusedStatements.Select(r => $"{r.Code}: {r.Sentence}"),
    ];

    private static bool IsHeld(HostStanding one) => one.By == KeyService && one.Standing == "held";

    private static void Show(Terminal terminal, BoardStatus status, StatementBook book)
    {
        ShowHosts(terminal, status, book);
        terminal.Table(["domain", "state", "machines", "hosts", "expires"], status.Domains.Select(d =>
            (IReadOnlyList<string>)[BoardReader.Display(book, d.Domain), d.State, $"{d.Running} of {d.Machines}",
                string.Join(", ", d.Hosts.Select(h => h.Split('/')[^1])), d.Expires]));
        terminal.Table(["machine", "host", "state", "why"], status.Compartments.Select(c => (IReadOnlyList<string>)
            [BoardReader.Display(book, c.Compartment), c.Host?.Split('/')[^1] ?? "none", c.State,
                (c.Refusals.Length == 0 ? c.Reason
                    : string.Join("; ", c.Refusals.Select(r => $"{r.Code}: {r.Sentence}"))) + Restarts(c, book)]));
    }

    /// <summary>Which hosts may restart a machine without asking.</summary>
    private static string Restarts(CompartmentStatus machine, StatementBook book) =>
        string.Concat(machine.Restarts.Select(one => string.Create(
            CultureInfo.InvariantCulture,
            $" {BoardReader.Display(book, one.Host)} may restart it until {one.Until:u} without asking.")));
}
