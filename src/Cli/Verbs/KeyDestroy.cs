using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Cli.Evidence;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Custody.Parties;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick key destroy</c>: destroys keys for good, approved by root keys, and keeps the receipt.
/// </summary>
internal static class KeyDestroy
{
    internal static Command Create(Terminal terminal)
    {
        var volume = new Argument<string?>("VOLUME")
        {
            Description = "like ledger-data, or vault-1.tpm", Arity = ArgumentArity.ZeroOrOne,
        };
        var domain = new Option<string?>("--domain") { Description = "all keys of this domain" };
        var all = new Option<bool>("--all") { Description = "all keys of the tenant" };
        var keys = new Option<string>("--keys") { Description = "the party's key directory", Required = true };
        var output = new Option<string>("--receipt") { Description = "file for the receipt", Required = true };
        Option<string?> passphrase = PassphraseFile.Option();
        var command = new Command("destroy",
            "Destroy a volume's key, a domain's or all, for good: what they encrypt is lost everywhere.\n"
            + "Example: bailiwick key destroy ledger-data --keys keys/bank --receipt erased.json --as bank")
        { volume, domain, all, keys, output, passphrase };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            using VolumeDesk volumes = VolumeDesk.Open(desk, book);
            if (Subject(volumes.Tenant, parsed.GetValue(volume), parsed.GetValue(domain), parsed.GetValue(all))
                is not { } subject)
            {
                terminal.Complain("Say exactly one: VOLUME, --domain NAME, or --all.");
                return (int)ExitCode.Usage;
            }

            KeyTreeBody tree = await volumes.Client.Keys(cancellation).ConfigureAwait(false);
            var (serial, colour) = Find(tree, subject);
            using PartyDirectory party = PartyDirectory.Open(
                parsed.GetRequiredValue(keys), PassphraseFile.Read(parsed.GetValue(passphrase)));
            byte[] approval = DestroyDocument.Write(
                subject, serial, party.OpenRoots(volumes.DestroyApprovals(subject, colour, party.Facts.Threshold)));
            byte[] receipt = await volumes.Client.Destroy(approval, cancellation).ConfigureAwait(false);
            string file = Path.GetFullPath(parsed.GetRequiredValue(output));
            await File.WriteAllBytesAsync(file, receipt, cancellation).ConfigureAwait(false);
            Report(terminal, subject, file, parsed.GetValue(GlobalOptions.Json));
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static void Report(Terminal terminal, DestroySubject subject, string file, bool json)
    {
        if (json)
        {
            terminal.Json(new JsonObject
            {
                ["what"] = subject.What, ["subject"] = subject.ToString(), ["receipt"] = file,
            });
            return;
        }

        terminal.Say($"Destroyed. The key service's receipt is in {file}; `bailiwick key receipt verify` reads it.");
        terminal.Say("A host that has a key at this moment keeps it until it lets go; who copied the store and the "
            + "sealed master key before has what they held then.");
    }

    private static DestroySubject? Subject(PartyId tenant, string? volume, string? domain, bool all) =>
        (volume, domain, all) switch
        {
            ({ } name, null, false) => new DestroySubject.OfKey(
                KeySubject.Read($"{tenant}/{name.Split('/')[^1]}")
                ?? throw new CustodyException($"'{name}' is no volume's name; give something like ledger-data.")),
            (null, { } name, false) => new DestroySubject.OfDomain(
                new DomainRef(tenant, BundleOptions.Name(name.Split('/')[^1]))),
            (null, null, true) => new DestroySubject.OfAll(tenant),
            _ => null,
        };

    /// <summary>The serial of the present key, and the domain that it is of.</summary>
    internal static (Digest32 Serial, DomainRef? Colour) Find(KeyTreeBody tree, DestroySubject subject)
    {
        string name = subject.ToString();
        (string? serial, string? colour) = subject switch
        {
            DestroySubject.OfAll => (tree.Master, null),
            DestroySubject.OfDomain => (tree.Domains.FirstOrDefault(one => one.Domain == name)?.Serial, name),
            _ => tree.Domains.SelectMany(one => one.Keys.Select(key => (one.Domain, Key: key)))
                .Where(one => one.Key.Key == name).Select(one => ((string?)one.Key.Serial, (string?)one.Domain))
                .FirstOrDefault(),
        };
        return Digest32.TryParse(serial, out Digest32? read)
            ? (read, DomainRef.Read(colour))
            : throw new CustodyException(
                $"The key service has no key for {name}; `bailiwick key list` shows what it has.");
    }
}
