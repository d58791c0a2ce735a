using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Peers;
using Bailiwick.Channel.Wire;
using Bailiwick.Cli.Output;
using Bailiwick.Cli.Verbs;
using Bailiwick.Custody;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Tracing;
using Bailiwick.Ledger.Statements;
using Spectre.Console;

namespace Bailiwick.Cli.Networking;

/// <summary>
/// <c>bailiwick network trace</c>: where a packet goes or dies, and by whose word. From a folder of policies, as if
/// machines were placed now; at a tenant's desk, from the plan that the tenant's own host enforces; at the operator's,
/// from the board.
/// </summary>
internal static class NetworkTrace
{
    internal static Command Create(Terminal terminal)
    {
        var from = new Argument<string>("FROM") { Description = "the client's machine, like bank/web-1" };
        var to = new Argument<string>("TO") { Description = "the server's machine, like bank/ledger-1" };
        var service = new Argument<string>("SERVICE") { Description = "tcp/443, udp/53 or icmp" };
        Option<string?> policies = PolicyFolder.Instead(), reader = PolicyFolder.ReaderOption();
        var ipv6 = new Option<bool>("--ipv6") { Description = "over IPv6, where both have IPv4 addresses too" };
        var command = new Command("trace",
            "Explain step by step where a packet and its answer go, or where they are dropped and what is missing.\n"
            + "Example: bailiwick network trace bank/web-1 bank/ledger-1 tcp/5432 --policies examples/three-tenants")
        { from, to, service, policies, reader, ipv6 };
        command.SetAction(async (parsed, cancellation) =>
        {
            var asked = new AskedTrace(
                parsed.GetRequiredValue(from), parsed.GetRequiredValue(to), parsed.GetRequiredValue(service),
                parsed.GetValue(ipv6));
            TraceReport report = parsed.GetValue(policies) is { } directory
                ? OfFolder(PolicyFolder.Read(directory), asked, parsed.GetValue(reader))
                : await OfDatacentre(parsed, asked, cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(JsonNode.Parse(StrictJson.Write(report)) ?? new JsonObject());
            }
            else
            {
                Show(terminal, report);
            }

            return (int)(report.Open ? ExitCode.Done : ExitCode.No);
        });
        return command;
    }

    private static TraceReport OfFolder(PolicyFolder folder, AskedTrace asked, string? reader)
    {
        (FlowProtocol protocol, int port) = Service(asked.Service);
        var question = new TraceQuestion(Machine(folder, asked.From), Machine(folder, asked.To), protocol, port)
        {
            Ipv6 = asked.Ipv6,
        };
        PartyId? tenant = folder.Reader(reader);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        PlacementOutcome placed = PlacementPlanner.Propose(
            folder.Datacentre, [], [], PlacementTrust.Unquestioned, now);
        return TraceReport.For(
            Plans(folder.Datacentre, placed.Proposals, now), question, folder.Datacentre, tenant, now)
            ?? throw new CustodyException($"Neither machine is {reader}'s: this trace is {TraceReport.NotYours}.");
    }

    /// <summary>All hosts' plans, from what they have in common.</summary>
    private static IEnumerable<HostPlan> Plans(
        CheckedDatacentre datacentre, IReadOnlyList<PlacementProposal> proposals, DateTimeOffset now)
    {
        RefinedDatacentre refined = Refine.Of(datacentre, proposals, now);
        return datacentre.Inventory.Hosts.Values.Select(host => refined.ForHost(host.Ref));
    }

    private static (FlowProtocol Protocol, int Port) Service(string text) =>
        TraceQuestion.TryParseService(text, out FlowProtocol protocol, out int port)
            ? (protocol, port)
            : throw new CustodyException($"'{text}' is no service: name tcp/443, udp/53 or icmp.");

    private static CompartmentRef Machine(PolicyFolder folder, string text) =>
        text.Split('/') is [var party, var name] && folder.Names.Find(party) is { } id
        && StatementName.TryParse(name, out StatementName? parsed)
        && folder.Datacentre.Machinery.Compartments.ContainsKey($"{id}/{parsed}")
            ? new CompartmentRef(id, parsed)
            : throw new CustodyException($"The policies describe no machine {text}; name one like bank/web-1.");

    /// <summary>
    /// A tenant asks a host that runs one of its machines; the operator, whom hosts tell nothing of it, follows the
    /// packet at its own desk, by the statements and proposals that the board shows it anyway.
    /// </summary>
    private static async Task<TraceReport> OfDatacentre(
        ParseResult parsed, AskedTrace asked, CancellationToken cancellation)
    {
        Service(asked.Service);
        using BoardDesk desk = Desk.Open(parsed);
        RunningDatacentre running = await RunningDatacentre.Read(desk, cancellation).ConfigureAwait(false);
        AskedTrace named = asked with { From = running.Reference(asked.From), To = running.Reference(asked.To) };
        return running.SeesAll
            ? OfBoard(running, named) : await OfHost(desk, running, named, cancellation).ConfigureAwait(false);
    }

    private static TraceReport OfBoard(RunningDatacentre running, AskedTrace asked)
    {
        if (!asked.TryRead(out TraceQuestion? question))
        {
            throw new CustodyException("A trace goes from one machine to another; name two like bank/web-1.");
        }

        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return TraceReport.For(
            Plans(running.Policies, running.Proposals, now), question, running.Policies, null, now)
            ?? throw new System.Diagnostics.UnreachableException();
    }

    /// <summary>A host that runs one of the two machines knows all plans, and shows the caller its own part.</summary>
    private static async Task<TraceReport> OfHost(
        BoardDesk desk, RunningDatacentre running, AskedTrace asked, CancellationToken cancellation)
    {
        string host = running.HostOf(asked.From, asked.To)
            ?? throw new CustodyException("No host runs a machine of yours among the two; `bailiwick status` "
                + "says why.");
        using HttpClient client = desk.Host(host);
        return await new PeerClient(client)
            .Ask<AskedTrace, TraceReport>("/v1/network/trace", asked, cancellation)
            .ConfigureAwait(false);
    }

    private static void Show(Terminal terminal, TraceReport report)
    {
        var tree = new Tree($"[bold]{Markup.Escape($"{Named(report.From, report.Client)} to "
            + $"{Named(report.To, report.Server)}, {report.Service}")}[/]");
        foreach (IGrouping<string, ReportedStep> way in report.Steps.GroupBy(step => step.Way))
        {
            TreeNode node = tree.AddNode($"[bold]{way.Key}[/]");
            foreach (ReportedStep step in way)
            {
                string verdict = step.Passes ? "[green]passes[/]" : "[red]dropped[/]";
                TreeNode line = node.AddNode(
                    $"{verdict} [bold]{step.Place}[/] {Plain(string.Join(", ", step.Owners))} on {Plain(step.Host)}");
                line.AddNode(Plain(step.Sentence));
                line.AddNode($"[grey]{Plain(step.Rule)}[/]");
                if (!step.Because.IsEmpty)
                {
                    line.AddNode($"[grey]because of {Plain(string.Join(", ", step.Because))}[/]");
                }
            }
        }

        terminal.People.Write(tree);
        foreach (string sentence in report.Missing)
        {
            terminal.Say(sentence);
        }

        terminal.Say(report.Open ? "Open: the request arrives and its answer comes back." : "Closed.");
    }

    private static string Named(string machine, string address) =>
        address.Length == 0 ? machine : $"{machine} ({address})";

    private static string Plain(string text) => Markup.Escape(Terminal.Plain(text));
}
