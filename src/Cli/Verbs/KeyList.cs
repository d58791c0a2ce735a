using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Cli.Output;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick key list</c>: the tree of keys, without any key.</summary>
internal static class KeyList
{
    internal static Command Create(Terminal terminal)
    {
        var command = new Command("list",
            "Show the keys that your key service keeps: master, domains, volumes and machines' TPMs.\n"
            + "Example: bailiwick key list --as bank");
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            using VolumeDesk volumes = VolumeDesk.Open(desk, book);
            KeyTreeBody tree = await volumes.Client.Keys(cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(JsonSerializer.SerializeToNode(tree, JsonSerializerOptions.Web) ?? "");
                return (int)ExitCode.Done;
            }

            terminal.Table(["key", "generation", "held by", "since"], Rows(book, tree));
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static IEnumerable<IReadOnlyList<string>> Rows(StatementBook book, KeyTreeBody tree)
    {
        yield return [$"master {tree.Master[..16]}", Number(tree.Generation), "", ""];
        foreach (DomainKeysBody domain in tree.Domains)
        {
            yield return [$"  domain {BoardReader.Display(book, domain.Domain)}", Number(domain.Generation), "", ""];
            foreach (KeptKeyBody key in domain.Keys)
            {
                yield return
                [
                    $"    {BoardReader.Display(book, key.Key)}", Number(key.Epoch),
                    VolumeList.Holders(book, key.Holders), key.Holders.FirstOrDefault()?.Since ?? "",
                ];
            }
        }

        foreach (DestroyedBody gone in tree.Destroyed)
        {
            yield return [$"{gone.What} {BoardReader.Display(book, gone.Name)}", "destroyed", "", ""];
        }
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
