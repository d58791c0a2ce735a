using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Cli.Output;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick volume list</c>: which volumes have keys, and which host holds each.</summary>
internal static class VolumeList
{
    internal static Command Create(Terminal terminal)
    {
        var command = new Command("list",
            "Show the volumes that your key service has keys for, and the host that holds each.\n"
            + "Example: bailiwick volume list --as bank");
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            using VolumeDesk volumes = VolumeDesk.Open(desk, book);
            KeyServiceStatus status = await volumes.Client.Status(cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonArray([.. status.Volumes.Select(one => new JsonObject
                {
                    ["volume"] = one.Volume, ["holder"] = one.Holder, ["nonce"] = one.Nonce,
                })]));
                return (int)ExitCode.Done;
            }

            if (status.Volumes.IsEmpty)
            {
                terminal.Say("No volume has a key yet: one is made when a volume is opened for the first time.");
                return (int)ExitCode.Done;
            }

            terminal.Table(["volume", "held by"], status.Volumes.Select(one => (IReadOnlyList<string>)
            [
                BoardReader.Display(book, one.Volume),
                one.Holder is null ? "nobody" : BoardReader.Display(book, one.Holder),
            ]));
            return (int)ExitCode.Done;
        });
        return command;
    }
}
