using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Keyring.Prepared;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick key load</c>: carries keys that were prepared without a network into the key service.
/// </summary>
internal static class KeyLoadVerb
{
    internal static Command Create(Terminal terminal)
    {
        var file = new Argument<string>("FILE") { Description = "as `bailiwick key prepare` made it" };
        var command = new Command("load",
            "Carry keys that were prepared on a machine without a network into your key service.\n"
            + "Example: bailiwick key load web.keys --as bank")
        { file };
        command.SetAction(async (parsed, cancellation) =>
        {
            byte[] document = Read(parsed.GetRequiredValue(file));
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            using VolumeDesk volumes = VolumeDesk.Open(desk, book);
            LoadedBody loaded = await volumes.Client.Load(document, cancellation).ConfigureAwait(false);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(JsonSerializer.SerializeToNode(loaded, JsonSerializerOptions.Web) ?? new JsonObject());
                return (int)ExitCode.Done;
            }

            terminal.Say($"In the domain {BoardReader.Display(book, loaded.Domain)} there are now keys of "
                + $"{string.Join(", ", loaded.Keys.Select(key => BoardReader.Display(book, key)))}. The file is of no "
                + "more use: it is loaded never again. Remove it.");
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static byte[] Read(string path)
    {
        byte[]? bytes = File.Exists(path) && new FileInfo(path).Length <= PreparedKeys.MostBytes
            ? File.ReadAllBytes(path) : null;
        return bytes is not null && PreparedKeys.Read(bytes) is not null
            ? bytes
            : throw new CustodyException($"{path} is no file that `bailiwick key prepare` made, or was changed.");
    }
}
