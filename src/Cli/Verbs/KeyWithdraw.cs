using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Cli.Output;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick key withdraw</c> and <c>key allow</c>: whether a key goes to any host, and whether a host that has it
/// may go on restarting its machine. What runs runs on.
/// </summary>
internal static class KeyWithdraw
{
    internal static Command Create(Terminal terminal) => Create(
        terminal, "withdraw", true,
        "Withdraw a key: it goes to no host, and no machine is restarted with it, until it is allowed again.\n"
        + "Example: bailiwick key withdraw ledger-data --as bank");

    internal static Command CreateAllow(Terminal terminal) => Create(
        terminal, "allow", false,
        "Allow a key again that was withdrawn.\nExample: bailiwick key allow ledger-data --as bank");

    private static Command Create(Terminal terminal, string verb, bool withdrawn, string about)
    {
        var key = new Argument<string>("KEY") { Description = "a volume, like ledger-data, or a TPM, vault-1.tpm" };
        var command = new Command(verb, about) { key };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            using VolumeDesk volumes = VolumeDesk.Open(desk, book);
            KeySubject subject = volumes.Named(parsed.GetRequiredValue(key).Split('/')[^1]);
            await volumes.Client.Withdraw(subject.ToString(), withdrawn, cancellation).ConfigureAwait(false);
            string name = BoardReader.Display(book, subject.ToString());
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonObject { ["key"] = subject.ToString(), ["withdrawn"] = withdrawn });
            }
            else
            {
                terminal.Say(withdrawn
                    ? $"The key of {name} is withdrawn. Hosts that hear your key service hear it within seconds; one "
                        + "that hears nothing may restart its machine until its restart lease is over "
                        + "(bailiwick host leases)."
                    : $"The key of {name} may be released again.");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }
}
