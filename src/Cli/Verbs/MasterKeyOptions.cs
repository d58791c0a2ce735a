using System.CommandLine;
using Bailiwick.Custody;
using Bailiwick.Custody.Parties;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>Where a tenant's sealed master key is, and what it is sealed by.</summary>
internal static class MasterKeyOptions
{
    internal static Option<string> File(string name, string description) =>
        new(name) { Description = description, Required = true };

    internal static Option<string> Passphrase() => new("--passphrase-file")
    {
        Description = "file, mode 0600 in a private directory, whose first line seals the master key", Required = true,
    };

    internal static Option<string> Keys() => new("--keys")
    {
        Description = "the tenant's key directory; only its public facts are read", Required = true,
    };

    internal static PassphraseLock Lock(string path) =>
        PassphraseLock.Read(LinuxDisk.Instance, Path.GetFullPath(path));

    internal static PartyId Tenant(string keys)
    {
        using PartyDirectory party = PartyDirectory.Open(keys, null);
        return party.Facts is { Kind: StatementKind.Tenant, Id: { } id }
            ? id
            : throw new CustodyException(
                $"{keys} is no tenant with an id; `bailiwick tenant init` makes one.");
    }
}
