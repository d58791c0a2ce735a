using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Peers;
using Bailiwick.Channel.Wire;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Domains.Verification;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick verify</c>: whether hosts are what the policies say, read back from each now; and what was found to
/// differ before.
/// </summary>
internal static class VerifyVerb
{
    internal static Command Create(Terminal terminal)
    {
        var hosts = new Argument<string[]>("HOST")
        {
            Description = "like host-1; without, every host that runs a machine that is yours to see",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var command = new Command("verify",
            "Read back what is on the hosts, and prove it equal to the plans that follow from the policies: exit 0\n"
            + "if it is, or 1 with each line that differs and what that opens or closes.\n"
            + "Example: bailiwick verify --as bank") { hosts };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            BoardStatus status = await desk.Board.Status(cancellation).ConfigureAwait(false);
            List<HostAnswer> answers = [];
            foreach (string host in Chosen(status, parsed.GetValue(hosts) ?? []))
            {
                answers.Add(await Ask(desk, BoardReader.Display(book, host), host, cancellation)
                    .ConfigureAwait(false));
            }

            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonArray([.. answers.Select(Json)]));
            }
            else
            {
                Show(terminal, answers);
            }

            return (int)(answers.Count == 0 || answers.Any(one => one.Proof is null) ? ExitCode.Unreachable
                : answers.All(one => one.Proof is { IsProven: true }) ? ExitCode.Done : ExitCode.No);
        });
        return command;
    }

    private static string[] Chosen(BoardStatus status, string[] named)
    {
        string[] all = [.. status.Hosts.Select(host => host.Host)];
        if (named.Length > 0)
        {
            return
            [
                .. named.Select(name => all.FirstOrDefault(host => host == name || host.Split('/')[^1] == name)
                    ?? throw new CustodyException($"There is no host {name}; `bailiwick host list` names them all.")),
            ];
        }

        string[] running = [.. status.Compartments.Select(machine => machine.Host).OfType<string>().Distinct().Order()];
        return running.Length > 0 ? running : throw new CustodyException(
            "No host runs a machine that is yours to see; `bailiwick status` says why.");
    }

    /// <summary>A host that does not answer is not proven, and the others still are.</summary>
    private static async Task<HostAnswer> Ask(
        BoardDesk desk, string name, string host, CancellationToken cancellation)
    {
        try
        {
            using HttpClient client = desk.Host(host);
            return new HostAnswer(
                name,
                await new PeerClient(client).Read<HostVerification>("/v1/verification", cancellation)
                    .ConfigureAwait(false),
                "");
        }
        catch (PeerException error)
        {
            return new HostAnswer(name, null, error.Message);
        }
        catch (HttpRequestException error)
        {
            return new HostAnswer(name, null, error.Message);
        }
    }

    private static JsonNode Json(HostAnswer answer) => answer.Proof is { } proof
        ? JsonNode.Parse(StrictJson.Write(proof)) ?? new JsonObject()
        : new JsonObject { ["host"] = answer.Host, ["problem"] = answer.Problem };

    private static void Show(Terminal terminal, List<HostAnswer> answers)
    {
        terminal.Table(["host", "compared", "as planned", "differ", "took"], answers.Select(answer =>
            (IReadOnlyList<string>)(answer.Proof is { } proof
                ?
                [
                    answer.Host, Text(proof.Things.Length), Text(proof.Things.Count(thing => thing.IsProven)),
                    Text(proof.Things.Count(thing => !thing.IsProven)), $"{Text(proof.Milliseconds)} ms",
                ]
                : [answer.Host, "does not answer", "", "", answer.Problem])));
        foreach (HostAnswer answer in answers)
        {
            foreach (ComparedThing thing in answer.Proof?.Things.Where(one => !one.IsProven) ?? [])
            {
                terminal.Say($"{answer.Host}: {thing.Kind} {thing.Subject}:");
                foreach (string difference in thing.Differences)
                {
                    terminal.Say($"  {difference}");
                }
            }
        }

        foreach (HostAnswer answer in answers.Where(one => one.Proof is { Drifts.IsEmpty: false }))
        {
            terminal.Say($"{answer.Host} found before, and repaired unless it is told above:");
            foreach (FoundDrift drift in answer.Proof?.Drifts ?? [])
            {
                terminal.Say($"  integrity log {Text(drift.Entry)}, {drift.Subject}: {drift.Sentence}");
            }
        }

        terminal.Say(answers.All(one => one.Proof is { IsProven: true })
            ? "What runs is what the policies say." : "Not everything is proven to be what the policies say.");
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed record HostAnswer(string Host, HostVerification? Proof, string Problem);
}
