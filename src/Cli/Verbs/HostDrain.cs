using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Cli.Output;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick host drain</c>: no new machines on a host, and its machines are proposed elsewhere.</summary>
internal static class HostDrain
{
    internal static Command Create(Terminal terminal)
    {
        var host = new Argument<string>("HOST") { Description = "like host-2" };
        var undo = new Option<bool>("--undo") { Description = "let the host be used again" };
        var command = new Command("drain",
            "Propose a host's machines elsewhere, as far as their tenants' rules allow.\n"
            + "Example: bailiwick host drain host-2 --as alpine") { host, undo };
        command.SetAction(async (parsed, cancellation) =>
        {
            string name = parsed.GetRequiredValue(host).Split('/')[^1];
            if (!StatementName.TryParse(name, out _))
            {
                terminal.Complain($"'{name}' is no host's name; `bailiwick host list` shows them.");
                return (int)ExitCode.Usage;
            }

            using BoardDesk desk = Desk.Open(parsed);
            bool draining = !parsed.GetValue(undo);
            await desk.Board.SetDrain($"{desk.Context.Datacentre}/{name}", draining, cancellation)
                .ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonObject { ["host"] = name, ["draining"] = draining });
            }
            else
            {
                terminal.Say(draining
                    ? $"{name} gets no new machines; `bailiwick status` shows which of its machines may go where."
                    : $"{name} is used again.");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }
}
