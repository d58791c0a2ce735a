using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Cli.Output;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick volume show</c>: what the key service knows of one volume, and who could open it now.
/// </summary>
internal static class VolumeShow
{
    internal static Command Create(Terminal terminal)
    {
        var volume = new Argument<string>("VOLUME") { Description = "like ledger-data, of the own tenant" };
        var command = new Command("show",
            "Show who holds a volume, the header with which alone its key is released, and for each machine that\n"
            + "names it on each host whether it could open it now; if not, every reason.\n"
            + "Example: bailiwick volume show ledger-data --as bank")
        { volume };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            using VolumeDesk volumes = VolumeDesk.Open(desk, book);
            KeySubject wanted = volumes.Named(parsed.GetRequiredValue(volume));
            KeyServiceStatus status = await volumes.Client.Status(cancellation).ConfigureAwait(false);
            OpeningsBody? openings = wanted is KeySubject.Volume
                ? await volumes.Client.Openings(wanted.ToString(), cancellation).ConfigureAwait(false)
                : null;
            Shown shown = new(
                status.Volumes.FirstOrDefault(kept => kept.Volume == wanted.ToString())
                    ?? new HeldVolume(wanted.ToString(), [], null, null, null),
                status.Restarts.FirstOrDefault(row => row.Key == wanted.ToString()),
                status.Withdrawn.FirstOrDefault(row => row.Key == wanted.ToString()), openings);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(Row(shown));
            }
            else
            {
                Say(terminal, book, shown);
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    /// <summary>For programs.</summary>
    private static JsonObject Row(Shown shown)
    {
        JsonObject row = VolumeList.Row(shown.Volume);
        row["restartUntil"] = shown.Restart?.Until;
        row["withdrawnSince"] = shown.Withdrawn?.Since;
        row["openings"] = new JsonArray([.. (shown.Openings?.Rows ?? []).Select(one => new JsonObject
        {
            ["machine"] = one.Compartment, ["host"] = one.Host, ["access"] = one.Access,
            ["copy"] = one.Copy.Length == 0 ? null : one.Copy, ["allowed"] = one.Allowed,
            ["holds"] = one.Holds, ["restartUntil"] = one.RestartUntil,
            ["reasons"] = new JsonArray([.. one.Reasons.Select(reason => new JsonObject
            {
                ["code"] = reason.Code, ["sentence"] = reason.Sentence,
            })]),
        })]);
        return row;
    }

    private static void Say(Terminal terminal, StatementBook book, Shown shown)
    {
        HeldVolume one = shown.Volume;
        terminal.Table(["volume", BoardReader.Display(book, one.Volume)],
        [
            ["has it now", VolumeList.Holders(book, one.Holders)],
            ["header", one.Header ?? "none is known yet"],
            ["since", VolumeList.Since(one)],
            .. one.Ended is { } end
                ? [["ended", $"{string.Join(", ", end.Events)}; last on {BoardReader.Display(book, end.Host)}"]]
                : Array.Empty<IReadOnlyList<string>>(),
            ["without asking",
                shown.Restart is null ? "nobody may open it" : HostLeases.Sentence(book, shown.Restart)],
            .. shown.Withdrawn is null ? Array.Empty<IReadOnlyList<string>>()
                : [["withdrawn", shown.Withdrawn.Since.ToString("u", CultureInfo.InvariantCulture)]],
        ]);
        if (shown.Openings is not { } openings)
        {
            return;
        }

        if (openings.Rows.IsEmpty)
        {
            terminal.Say("No machine names it: nobody could open it now.");
            return;
        }

        terminal.Say("Who could open it now, if the host asked:");
        terminal.Table(["machine", "host", "to", "now", "why"], openings.Rows.Select(row => (IReadOnlyList<string>)
        [
            BoardReader.Display(book, row.Compartment), BoardReader.Display(book, row.Host),
            row.Copy.Length == 0 ? row.Access : $"copy it into {BoardReader.Display(book, row.Copy)}",
            row.Allowed ? "yes" : "no", Why(row),
        ]));
        if (openings.LeftOut > 0)
        {
            terminal.Say($"{Terminal.Count(openings.LeftOut, "more row")} left out.");
        }
    }

    private static string Why(OpeningRow row) =>
        row is { Allowed: true, Holds: true } ? "it has it."
        : row.Allowed ? "every check of a release holds."
        : string.Join(" ", row.Reasons.Select(reason => reason.Sentence));

    /// <summary>What is shown of a volume.</summary>
    private sealed record Shown(
        HeldVolume Volume, RestartRow? Restart, WithdrawnRow? Withdrawn, OpeningsBody? Openings);
}
