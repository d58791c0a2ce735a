using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Keyring.Sharing;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick key share</c>: a backup of the master key that k of n people restore together.</summary>
internal static class KeyShareOut
{
    internal static Command Create(Terminal terminal)
    {
        Option<string> keys = MasterKeyOptions.Keys();
        Option<string> master = MasterKeyOptions.File("--master", "the sealed file of the master key");
        MasterKeyOptions seal = new();
        var of = new Option<string>("--of")
        {
            Description = "k/n: k of n shares restore it, like 3/5", Required = true,
        };
        var output = new Option<string>("--out") { Description = "a directory for the shares", Required = true };
        Command command = seal.AddTo(new Command("share",
            "Share the master key out: any k of n shares restore it, fewer tell nothing. Give each to one person.\n"
            + "Example: bailiwick key share --keys keys/bank --master secret/master.sealed "
            + "--passphrase-file secret/passphrase --of 3/5 --out shares")
        { keys, master, of, output });
        command.SetAction(parsed =>
        {
            var (threshold, count) = Quorum(parsed.GetRequiredValue(of));
            using MasterLock sealing = seal.Read(parsed).Lock;
            using MasterKeyFile file = MasterKeyFile.Open(
                LinuxDisk.Instance, Path.GetFullPath(parsed.GetRequiredValue(master)), sealing,
                MasterKeyOptions.Tenant(parsed.GetRequiredValue(keys)));
            using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(
                LinuxDisk.Instance, Path.GetFullPath(parsed.GetRequiredValue(output)));
            List<string> written = [];
            foreach (KeyShare share in KeyShare.Split(file.Current, threshold, count))
            {
                written.Add(Write(directory, share));
                share.Dispose();
            }

            Report(terminal, file, threshold, written, parsed.GetValue(GlobalOptions.Json));
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static string Write(PrivateDirectory directory, KeyShare share)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"share-{share.Index}-of-{share.Origin.Count}.json");
        if (DurableFile.Read(directory, name, KeyShare.MostBytes) is not null)
        {
            throw new CustodyException($"There is a {name} in {directory.Path} already; choose an empty directory.");
        }

        byte[] document = share.Write();
        DurableFile.Replace(directory, name, document);
        CryptographicOperations.ZeroMemory(document);
        return Path.Combine(directory.Path, name);
    }

    private static void Report(
        Terminal terminal, MasterKeyFile file, int threshold, List<string> written, bool json)
    {
        if (json)
        {
            terminal.Json(new JsonObject
            {
                ["id"] = file.Current.Id.Hex, ["generation"] = file.Current.Generation, ["k"] = threshold,
                ["shares"] = new JsonArray([.. written.Select(path => (JsonNode)path)]),
            });
            return;
        }

        terminal.Table(["share"], written.Select(path => (IReadOnlyList<string>)[path]));
        terminal.Say($"Any {threshold} of these {written.Count} restore the master key of generation "
            + $"{file.Current.Generation}. Move each to its person, and keep no two together.");
    }

    private static (int Threshold, int Count) Quorum(string text)
    {
        string[] parts = text.Split('/');
        return parts.Length == 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int threshold)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count)
                ? (threshold, count)
                : throw new CustodyException($"'{text}' is no k/n; give something like 3/5.");
    }
}
