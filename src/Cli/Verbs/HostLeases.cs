using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Wire;
using Bailiwick.Cli.Output;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick host leases</c>: how hosts stand with the caller's own key service, by its own word and not the
/// Master's.
/// </summary>
internal static class HostLeases
{
    internal static Command Create(Terminal terminal)
    {
        var command = new Command("leases",
            "Show which hosts your key service trusts now, for which of your domains, and why not.\n"
            + "Example: bailiwick host leases --as bank");
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            using VolumeDesk service = VolumeDesk.Open(desk, book);
            KeyServiceStatus status = await service.Client.Status(cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(JsonNode.Parse(StrictJson.Write(status.Leases)) ?? new JsonArray());
            }
            else if (status.Leases.IsEmpty)
            {
                terminal.Say("No host has proven itself to your key service in the last ten minutes.");
            }
            else
            {
                terminal.Table(["host", "domain", "lease", "seconds ago", "why not"], status.Leases.Select(one =>
                    (IReadOnlyList<string>)[BoardReader.Display(book, one.Host), BoardReader.Display(book, one.Domain),
                        one.Standing, one.Seconds.ToString(CultureInfo.InvariantCulture), one.Because]));
            }

            if (!parsed.GetValue(GlobalOptions.Json))
            {
                foreach (string sentence in status.Restarts.Select(one => Sentence(book, one)).Distinct())
                {
                    terminal.Say($"{sentence}.");
                }
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    /// <summary>A restart lease for people.</summary>
    internal static string Sentence(StatementBook book, RestartRow one) => string.Create(
        CultureInfo.InvariantCulture,
        $"{BoardReader.Display(book, one.Host)} may restart {BoardReader.Display(book, one.Compartment)} until "
        + $"{one.Until:u} without asking");
}
