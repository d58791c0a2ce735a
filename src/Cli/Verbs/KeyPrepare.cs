using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Evidence;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring.Prepared;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick key prepare</c>: keys of volumes and TPMs, made on a machine that has no network.</summary>
internal static class KeyPrepare
{
    internal static Command Create(Terminal terminal)
    {
        var names = new Argument<string[]>("NAME")
        {
            Description = "volumes, like ledger-data, and machines' TPMs, like vault-1.tpm",
            Arity = ArgumentArity.OneOrMore,
        };
        var domain = new Option<string>("--domain")
        {
            Description = "the domain they are of, like web", Required = true,
        };
        Option<string> keys = MasterKeyOptions.Keys();
        Option<string> master = MasterKeyOptions.File("--master", "the sealed file of the master key in force");
        Option<string> output = MasterKeyOptions.File("--out", "the file to make, for `bailiwick key load`");
        MasterKeyOptions seal = new();
        Command command = seal.AddTo(new Command("prepare",
            "Make keys of volumes and TPMs on a machine without a network, sealed for your own key service.\n"
            + "Example: bailiwick key prepare web-1-data --domain web --keys keys/bank --master secret/master.sealed "
            + "--passphrase-file secret/passphrase --out secret/web.keys")
        { names, domain, keys, master, output });
        command.SetAction(parsed =>
        {
            PartyId tenant = MasterKeyOptions.Tenant(parsed.GetRequiredValue(keys));
            string[] subjects = Subjects(tenant, parsed.GetRequiredValue(names));
            string of = new DomainRef(tenant, BundleOptions.Name(parsed.GetRequiredValue(domain))).ToString();
            string file = Path.GetFullPath(parsed.GetRequiredValue(output));
            using MasterLock sealing = seal.Read(parsed).Lock;
            using MasterKeyFile opened = MasterKeyFile.Open(
                LinuxDisk.Instance, Path.GetFullPath(parsed.GetRequiredValue(master)), sealing, tenant);
            Write(file, PreparedKeys.Make(opened.Current, of, subjects));
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonObject
                {
                    ["domain"] = of, ["master"] = opened.Current.Id.Hex, ["file"] = file,
                    ["keys"] = new JsonArray([.. subjects.Select(one => JsonValue.Create(one))]),
                });
            }
            else
            {
                terminal.Say($"{subjects.Length} keys are in {file}, sealed under the master key "
                    + $"{opened.Current.Id.Hex[..16]} of generation {opened.Current.Generation}.");
                terminal.Say("Carry the file to a desk and load it with `bailiwick key load`, before a first machine "
                    + "asks for one of them, and before the master key is rotated or a key is destroyed.");
            }

            return (int)ExitCode.Done;
        });
        return command;
    }

    /// <exception cref="CustodyException">One is no name, is there twice, or they are too many.</exception>
    private static string[] Subjects(PartyId tenant, string[] names)
    {
        string[] subjects =
        [
            .. names.Select(name => KeySubject.Read($"{tenant}/{name}")?.ToString() ?? throw new CustodyException(
                $"'{name}' is neither a volume's name nor a TPM's; give something like ledger-data or vault-1.tpm.")),
        ];
        if (subjects.Distinct().Count() != subjects.Length || subjects.Length > PreparedKeys.MostKeys)
        {
            throw new CustodyException(
                $"Name each key once, and at most {PreparedKeys.MostKeys} for one file.");
        }

        return subjects;
    }

    private static void Write(string path, byte[] document)
    {
        using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(
            LinuxDisk.Instance, Path.GetDirectoryName(path) ?? "/");
        string name = Path.GetFileName(path);
        if (DurableFile.Read(directory, name, int.MaxValue) is not null)
        {
            throw new CustodyException(
                $"There is a file {path} already; keys in it may not be loaded yet. Choose another name.");
        }

        DurableFile.Replace(directory, name, document);
    }
}
