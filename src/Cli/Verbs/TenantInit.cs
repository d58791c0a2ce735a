using System.CommandLine;
using System.Security.Cryptography;
using Bailiwick.Cli.Output;
using Bailiwick.Custody.Parties;
using Bailiwick.Custody.Signing;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick tenant init</c>: a tenant's keys, and the first root statement whose hash is its id.</summary>
internal static class TenantInit
{
    internal static Command Create(Terminal terminal)
    {
        var name = new Option<string>("--name") { Description = "the tenant's name, like hospital", Required = true };
        var legalName = new Option<string>("--legal-name") { Description = "the legal owner's name", Required = true };
        var output = new Option<string>("--out") { Description = "a new directory for the keys", Required = true };
        var signed = new Option<string>("--signed") { Description = "folder for signed statements", Required = true };
        var keys = new Option<int>("--keys") { Description = "root keys", DefaultValueFactory = _ => 3 };
        var threshold = new Option<int>("--threshold")
        {
            Description = "signatures needed", DefaultValueFactory = _ => 2,
        };
        var service = new Option<string>("--key-service")
        {
            Description = "address:port at which hosts reach the tenant's key service", Required = true,
        };
        var passphrase = PassphraseFile.Option();
        var command = new Command("init",
            "Make a tenant: its keys, and its first root statement, whose hash is the tenant's id.\n"
            + "Example: bailiwick tenant init --name bank --legal-name 'Example Bank plc' --out keys/bank "
            + "--signed signed/bank --key-service 10.99.0.3:7600")
        { name, legalName, output, signed, keys, threshold, service, passphrase };
        command.SetAction(parsed =>
        {
            if (!StatementName.TryParse(parsed.GetValue(name), out StatementName? tenant))
            {
                terminal.Complain($"'{parsed.GetValue(name)}' is no name: a lower-case letter, then up to "
                    + "39 of a-z, 0-9 and -.");
                return (int)ExitCode.Usage;
            }

            string legal = parsed.GetRequiredValue(legalName), address = parsed.GetRequiredValue(service);
            Rehearse(tenant, legal, address);
            using var folder = new StatementFolder(parsed.GetRequiredValue(signed));
            using PartyDirectory party = PartyDirectory.Create(parsed.GetRequiredValue(output), new PartyRequest(
                StatementKind.Tenant, tenant, parsed.GetValue(keys), parsed.GetValue(threshold),
                address, PassphraseFile.Read(parsed.GetValue(passphrase))));
            new StatementSigner(party, folder, TimeProvider.System.GetUtcNow()).Sign(
                PolicyDesk.TenantRoot(tenant, legal, party.Facts.ToRootMembers()));
            Report(terminal, party, parsed.GetValue(GlobalOptions.Json));
            return (int)ExitCode.Done;
        });
        return command;
    }

    /// <summary>Refuses a name or an address that nobody would accept before any key is made.</summary>
    private static void Rehearse(StatementName name, string legalName, string address)
    {
        using var throwaway = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        PublicKey key = new EcdsaSigner(throwaway).PublicKey;
        _ = PolicyDesk.TenantRoot(
            name, legalName, new RootMembers([key], 1, [key], [key], new RootService(address, key)));
    }

    private static void Report(Terminal terminal, PartyDirectory party, bool json)
    {
        PartyFacts facts = party.Facts;
        if (json)
        {
            terminal.Json(facts.Write());
            return;
        }

        terminal.Say($"{facts.Name} is {facts.Id}.");
        terminal.Say(
            $"{facts.Threshold} of {facts.Roots.Length} root keys sign for it; the keys are in {party.Files.Path}.");
        terminal.Say("Give the id to whoever must know you, by a way the operator does not control, and write it into "
            + "parties.json beside your policies; keep the keys apart.");
    }
}
