using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Cli.Output;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick volume list</c>: which volumes have keys, who holds each, and by which header.</summary>
internal static class VolumeList
{
    private const int HeaderDigits = 16;

    internal static Command Create(Terminal terminal)
    {
        var command = new Command("list",
            "Show the volumes that your key service has keys for, who has each now and whether to read or to write,\n"
            + "and its header's first digits.\n"
            + "Example: bailiwick volume list --as bank");
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            using VolumeDesk volumes = VolumeDesk.Open(desk, book);
            KeyServiceStatus status = await volumes.Client.Status(cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonArray([.. status.Volumes.Select(Row)]));
                return (int)ExitCode.Done;
            }

            if (status.Volumes.IsEmpty)
            {
                terminal.Say("No volume has a key yet: one is made when a volume is opened for the first time.");
                return (int)ExitCode.Done;
            }

            string[] titles = ["volume", "has it now", "header", "since"];
            terminal.Table(titles, status.Volumes.Select(one => (IReadOnlyList<string>)
            [
                BoardReader.Display(book, one.Volume),
                Holders(book, one.Holders),
                one.Header?[..HeaderDigits] ?? "", Since(one),
            ]));
            return (int)ExitCode.Done;
        });
        return command;
    }

    /// <summary>A volume for programs.</summary>
    internal static JsonObject Row(HeldVolume one) => new()
    {
        ["volume"] = one.Volume,
        ["holders"] = new JsonArray([.. one.Holders.Select(holder => new JsonObject
        {
            ["host"] = holder.Host, ["machine"] = holder.Compartment, ["access"] = holder.Access,
            ["nonce"] = holder.Nonce, ["since"] = holder.Since,
        })]),
        ["header"] = one.Header, ["headerSince"] = one.HeaderSince,
        ["ended"] = one.Ended is { } end ? new JsonObject
        {
            ["host"] = end.Host, ["nonce"] = end.Nonce,
            ["events"] = new JsonArray([.. end.Events.Select(word => JsonValue.Create(word))]),
        } : null,
    };

    /// <summary>Who has a key now, for people.</summary>
    internal static string Holders(StatementBook book, ImmutableArray<KeyHolderBody> holders) =>
        holders.IsEmpty ? "nobody" : string.Join("; ", holders.Select(one => Holder(book, one)));

    /// <summary>One that has a key, for people.</summary>
    internal static string Holder(StatementBook book, KeyHolderBody one) =>
        $"{BoardReader.Display(book, one.Compartment)} on {BoardReader.Display(book, one.Host)}"
        + (one.Access.Length == 0 ? "" : $" to {one.Access}");

    /// <summary>When its header was bound, for people.</summary>
    internal static string Since(HeldVolume one) =>
        one.HeaderSince?.ToString("u", CultureInfo.InvariantCulture) ?? "";
}
