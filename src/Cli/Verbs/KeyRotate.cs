using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Cli.Evidence;
using Bailiwick.Cli.Output;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick key rotate</c>: a new master key, or a new key of a domain.</summary>
internal static class KeyRotate
{
    internal static Command Create(Terminal terminal)
    {
        var master = new Option<bool>("--master") { Description = "the master key" };
        var domain = new Option<string?>("--domain") { Description = "a domain's key, like web" };
        var command = new Command("rotate",
            "Replace the master key or a domain's key. What is under it is wrapped anew; volumes are not touched.\n"
            + "Example: bailiwick key rotate --domain web --as bank")
        { master, domain };
        command.SetAction(async (parsed, cancellation) =>
        {
            string? named = parsed.GetValue(domain);
            if (parsed.GetValue(master) == (named is not null))
            {
                terminal.Complain("Say which: --master, or --domain NAME.");
                return (int)ExitCode.Usage;
            }

            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            using VolumeDesk volumes = VolumeDesk.Open(desk, book);
            string subject = named is null
                ? "" : new DomainRef(volumes.Tenant, BundleOptions.Name(named.Split('/')[^1])).ToString();
            RotatedBody now = await volumes.Client.Rotate(subject, cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonObject
                {
                    ["domain"] = subject, ["generation"] = now.Generation, ["master"] = now.Master,
                });
            }
            else
            {
                terminal.Say(named is null
                    ? $"The master key {now.Master[..16]} of generation {now.Generation} is in force. Shares of the "
                        + "one before restore nothing that is used now: share it out again."
                    : $"The key of {named} is of generation {now.Generation} now; the one before is gone.");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }
}
