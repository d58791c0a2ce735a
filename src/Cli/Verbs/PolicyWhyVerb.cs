using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Peers;
using Bailiwick.Channel.Wire;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Domains.Explaining;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Tracing;
using Bailiwick.Ledger.Statements;
using Spectre.Console;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick policy why</c>: the chain of statements by which a flow is open, a machine may have a volume or run on
/// a host; or the missing one.
/// </summary>
internal static class PolicyWhyVerb
{
    internal static Command Create(Terminal terminal)
    {
        var from = new Argument<string>("FROM") { Description = "a machine, or a volume, like bank/web-1" };
        var to = new Argument<string>("TO") { Description = "a machine like bank/ledger-1, or a host like host-1" };
        var service = new Argument<string?>("SERVICE")
        {
            Description = "tcp/443, udp/53 or icmp, where it is asked of two machines",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<string?> policies = PolicyFolder.Instead(), reader = PolicyFolder.ReaderOption();
        var command = new Command("why",
            "Give the chain of statements by which something may be, or the missing one: a machine reaches another,\n"
            + "a machine has a volume, a machine runs on a host.\n"
            + "Example: bailiwick policy why bank/web-1 bank/ledger-1 tcp/5432 --policies examples/three-tenants\n"
            + "Example: bailiwick policy why bank/ledger-archive regulator/inspector-1 --as bank\n"
            + "Example: bailiwick policy why bank/web-1 host-2 --as bank")
        { from, to, service, policies, reader };
        command.SetAction(async (parsed, cancellation) =>
        {
            (string first, string second, string? asked) =
                (parsed.GetRequiredValue(from), parsed.GetRequiredValue(to), parsed.GetValue(service));
            Explanation told = parsed.GetValue(policies) is { } directory
                ? OfFolder(PolicyFolder.Read(directory), first, second, asked, parsed.GetValue(reader))
                : await OfDatacentre(parsed, first, second, asked, cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(JsonNode.Parse(StrictJson.Write(told)) ?? new JsonObject());
            }
            else
            {
                Show(terminal, told);
            }

            return (int)(told.Yes ? ExitCode.Done : ExitCode.No);
        });
        return command;
    }

    private static Explanation OfFolder(
        PolicyFolder folder, string first, string second, string? service, string? reader)
    {
        PartyId? tenant = folder.Reader(reader);
        HostRef? host = Host(folder.Datacentre, second);
        AskedWhy asked = Asked(
            Reference(folder, first), host?.ToString() ?? Reference(folder, second), service, host is not null);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        PlacementOutcome placed = PlacementPlanner.Propose(
            folder.Datacentre, [], [], PlacementTrust.Unquestioned, now);
        return PolicyWhy.Answer(folder.Datacentre, Question(asked), placed.Proposals, tenant, now)
            ?? throw new CustodyException($"Nothing in it is {reader}'s: the answer is {TraceReport.NotYours}.");
    }

    /// <summary>
    /// A tenant asks a host, which knows the statements of all; the operator, whom the board shows them anyway, finds
    /// the answer at its own desk.
    /// </summary>
    private static async Task<Explanation> OfDatacentre(
        ParseResult parsed, string first, string second, string? service, CancellationToken cancellation)
    {
        using BoardDesk desk = Desk.Open(parsed);
        RunningDatacentre running = await RunningDatacentre.Read(desk, cancellation).ConfigureAwait(false);
        HostRef? host = Host(running.Policies, second);
        AskedWhy asked = Asked(
            running.Reference(first), host?.ToString() ?? running.Reference(second), service, host is not null);
        Question(asked);
        if (running.SeesAll)
        {
            return PolicyWhy.Answer(
                running.Policies, Question(asked), running.Proposals, null, TimeProvider.System.GetUtcNow())
                ?? throw new System.Diagnostics.UnreachableException();
        }

        string of = host?.ToString() ?? running.HostOf(asked.From, asked.To)
            ?? throw new CustodyException("No host runs a machine of yours among them; `bailiwick status` says why.");
        using HttpClient client = desk.Host(of);
        return await new PeerClient(client).Ask<AskedWhy, Explanation>("/v1/policy/why", asked, cancellation)
            .ConfigureAwait(false);
    }

    private static HostRef? Host(CheckedDatacentre datacentre, string text) => datacentre.Inventory.Hosts.Values
        .Select(host => host.Ref).FirstOrDefault(host => text == host.Name.Text || text == host.ToString());

    private static AskedWhy Asked(string from, string to, string? service, bool isHost) => (service, isHost) switch
    {
        ({ } asked, false) => new AskedWhy(AskedWhy.FlowForm, from, to, asked),
        (null, true) => new AskedWhy(AskedWhy.PlaceForm, from, to, ""),
        (null, false) => new AskedWhy(AskedWhy.VolumeForm, from, to, ""),
        ({ }, true) => throw new CustodyException(
            "A host is no end of a flow: name two machines and a service, or a machine and a host."),
    };

    private static WhyQuestion Question(AskedWhy asked) => asked.Read() ?? throw new CustodyException(
        asked.Form == AskedWhy.FlowForm
            ? $"'{asked.Service}' is no service: name tcp/443, udp/53 or icmp."
            : "Name a volume and a machine, or a machine and a host, like bank/web-1 and host-1.");

    private static string Reference(PolicyFolder folder, string text) =>
        text.Split('/') is [var party, var name] && folder.Names.Find(party) is { } id
        && StatementName.TryParse(name, out StatementName? parsed)
        && (folder.Datacentre.Machinery.Compartments.ContainsKey($"{id}/{parsed}")
            || folder.Datacentre.Machinery.Volumes.ContainsKey($"{id}/{parsed}"))
            ? $"{id}/{parsed}"
            : throw new CustodyException(
                $"The policies describe no machine, volume or host {text}; name one like bank/web-1 or host-1.");

    private static void Show(Terminal terminal, Explanation told)
    {
        var tree = new Tree(
            $"[bold]{Markup.Escape(Terminal.Plain(told.Question))}[/]: {(told.Yes ? "[green]yes[/]" : "[red]no[/]")}");
        foreach (ExplainedLink link in told.Chain)
        {
            TreeNode node = tree.AddNode(
                $"{(link.Holds ? "[green]yes[/]" : "[red]no[/] ")} {Markup.Escape(Terminal.Plain(link.Sentence))}");
            if (link.Statement.Length > 0)
            {
                string place = link.File.Length > 0 ? $", {link.File}:{link.Line}" : "";
                node.AddNode($"[grey]{Markup.Escape(Terminal.Plain(link.Statement + place))}[/]");
            }
        }

        terminal.People.Write(tree);
        foreach (string sentence in told.Aside)
        {
            terminal.Say(sentence);
        }
    }
}
