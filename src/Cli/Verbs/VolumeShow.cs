using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick volume show</c>: what the key service knows of one volume, its header in full.</summary>
internal static class VolumeShow
{
    internal static Command Create(Terminal terminal)
    {
        var volume = new Argument<string>("VOLUME") { Description = "like ledger-data, of the own tenant" };
        var command = new Command("show",
            "Show who holds a volume, and the header with which alone its key is released.\n"
            + "Example: bailiwick volume show ledger-data --as bank")
        { volume };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            using VolumeDesk volumes = VolumeDesk.Open(desk, book);
            string name = parsed.GetRequiredValue(volume).Split('/')[^1];
            KeySubject wanted = volumes.Named(name);
            KeyServiceStatus status = await volumes.Client.Status(cancellation).ConfigureAwait(false);
            HeldVolume one = status.Volumes.FirstOrDefault(kept => kept.Volume == wanted.ToString())
                ?? throw new CustodyException(
                    $"The key service has no key for {name}: one is made when a volume is opened for the first time.");
            RestartRow? restart = status.Restarts.FirstOrDefault(row => row.Key == one.Volume);
            WithdrawnRow? withdrawn = status.Withdrawn.FirstOrDefault(row => row.Key == one.Volume);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                JsonObject row = VolumeList.Row(one);
                row["restartUntil"] = restart?.Until;
                row["withdrawnSince"] = withdrawn?.Since;
                terminal.Json(row);
                return (int)ExitCode.Done;
            }

            terminal.Table(["volume", BoardReader.Display(book, one.Volume)],
            [
                ["has it now", VolumeList.Holders(book, one.Holders)],
                ["header", one.Header ?? "none is known yet"],
                ["since", VolumeList.Since(one)],
                ["without asking", restart is null ? "nobody may open it" : HostLeases.Sentence(book, restart)],
                .. withdrawn is null ? Array.Empty<IReadOnlyList<string>>()
                    : [["withdrawn", withdrawn.Since.ToString("u", CultureInfo.InvariantCulture)]],
            ]);
            return (int)ExitCode.Done;
        });
        return command;
    }
}
