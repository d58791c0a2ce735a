using System.CommandLine;
using System.Diagnostics;
using Bailiwick.Cli.Output;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Keyring.Sharing;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick key restore</c>: the master key from its shares, sealed anew.</summary>
internal static class KeyRestore
{
    internal static Command Create(Terminal terminal)
    {
        var shares = new Argument<string[]>("SHARE")
        {
            Description = "files of shares", Arity = ArgumentArity.OneOrMore,
        };
        Option<string> keys = MasterKeyOptions.Keys();
        Option<string> output = MasterKeyOptions.File("--out", "the sealed file to make");
        MasterKeyOptions seal = new();
        Command command = seal.AddTo(new Command("restore",
            "Restore a master key from its shares, and seal it by a passphrase or a token.\n"
            + "Example: bailiwick key restore a/share-1-of-5.json b/share-3-of-5.json c/share-5-of-5.json "
            + "--keys keys/bank --passphrase-file secret/passphrase --out secret/master.sealed")
        { shares, keys, output });
        command.SetAction(parsed =>
        {
            (string Name, KeyShare? Share)[] read =
                [.. parsed.GetRequiredValue(shares).Select(path => (path, Read(Path.GetFullPath(path))))];
            switch (ShareVerdict.Of(read, MasterKeyOptions.Tenant(parsed.GetRequiredValue(keys))))
            {
                case ShareVerdict.Refused refused:
                    foreach (ShareRefusal refusal in refused.Refusals)
                    {
                        terminal.Complain(refusal.Sentence);
                    }

                    return (int)ExitCode.No;
                case ShareVerdict.Restored { Key: var key }:
                    using (key)
                    {
                        string file = Path.GetFullPath(parsed.GetRequiredValue(output));
                        var (sealing, setting) = seal.Read(parsed);
                        using MasterLock closing = sealing;
                        MasterKeyFile.Create(LinuxDisk.Instance, file, closing, key);
                        KeyInit.Report(terminal, key, file, setting, parsed.GetValue(GlobalOptions.Json));
                        return (int)ExitCode.Done;
                    }

                default:
                    throw new UnreachableException();
            }
        });
        return command;
    }

    private static KeyShare? Read(string path)
    {
        using PrivateDirectory directory = PrivateDirectory.Open(
            LinuxDisk.Instance, Path.GetDirectoryName(path) ?? "/");
        return DurableFile.Read(directory, Path.GetFileName(path), KeyShare.MostBytes) is { } document
            ? KeyShare.Read(document)
            : throw new FileNotFoundException($"There is no file {path}.");
    }
}
