using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Output;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring;
using Bailiwick.Keyring.Sealing;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick key init</c>: a tenant's master key, sealed.</summary>
internal static class KeyInit
{
    internal static Command Create(Terminal terminal)
    {
        Option<string> keys = MasterKeyOptions.Keys();
        Option<string> output = MasterKeyOptions.File("--out", "the sealed file to make");
        MasterKeyOptions seal = new();
        Command command = seal.AddTo(new Command("init",
            "Make a tenant's master key, sealed by a passphrase or a token, for its key service.\n"
            + "Example: bailiwick key init --keys keys/bank --passphrase-file secret/passphrase "
            + "--out secret/master.sealed")
        { keys, output });
        command.SetAction(parsed =>
        {
            string file = Path.GetFullPath(parsed.GetRequiredValue(output));
            var (sealing, setting) = seal.Read(parsed);
            using MasterLock closing = sealing;
            using MasterKey key = MasterKey.Make(MasterKeyOptions.Tenant(parsed.GetRequiredValue(keys)), 1);
            MasterKeyFile.Create(LinuxDisk.Instance, file, closing, key);
            Report(terminal, key, file, setting, parsed.GetValue(GlobalOptions.Json));
            return (int)ExitCode.Done;
        });
        return command;
    }

    /// <summary>Also after a restoration: what the key service's settings need.</summary>
    internal static void Report(Terminal terminal, MasterKey key, string file, JsonObject seal, bool json)
    {
        JsonObject settings = new(
            seal.Prepend(KeyValuePair.Create<string, JsonNode?>("file", file))
                .Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone())));
        if (json)
        {
            terminal.Json(new JsonObject
            {
                ["tenant"] = key.Tenant.ToString(), ["generation"] = key.Generation, ["id"] = key.Id.Hex,
                ["masterKey"] = settings,
            });
            return;
        }

        terminal.Say($"The master key {key.Id.Hex[..16]} of generation {key.Generation} is sealed in {file}.");
        terminal.Say("Put this into the key service's settings, with the paths as they are there:");
        terminal.Print($"  \"masterKey\": {settings.ToJsonString()}");
        terminal.Say("Who loses the file, or what it is sealed by, loses every volume; `bailiwick key share` makes a "
            + "backup.");
    }
}
