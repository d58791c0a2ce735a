using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Custody;
using Bailiwick.Custody.Parties;
using Bailiwick.Durable.Files;
using Bailiwick.Keyring.Sealing;
using Bailiwick.Keyring.Tokens;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>What a tenant's sealed master key is sealed by: a passphrase, or a key in a token.</summary>
internal sealed class MasterKeyOptions
{
    private readonly Option<string?> _passphrase = new("--passphrase-file")
    {
        Description = "file, mode 0600 in a private directory, whose first line seals the master key",
    };

    private readonly Option<string?> _token = new("--token")
    {
        Description = "an RSA key in a PKCS#11 token that seals it instead, like pkcs11:token=bank;object=master",
    };

    private readonly Option<string?> _pin = new("--pin-file")
    {
        Description = "file, mode 0600 in a private directory, with the token's PIN and nothing else",
    };

    internal static Option<string> File(string name, string description) =>
        new(name) { Description = description, Required = true };

    internal static Option<string> Keys() => new("--keys")
    {
        Description = "the tenant's key directory; only its public facts are read", Required = true,
    };

    internal static PartyId Tenant(string keys)
    {
        using PartyDirectory party = PartyDirectory.Open(keys, null);
        return party.Facts is { Kind: StatementKind.Tenant, Id: { } id }
            ? id
            : throw new CustodyException(
                $"{keys} is no tenant with an id; `bailiwick tenant init` makes one.");
    }

    internal Command AddTo(Command command)
    {
        command.Add(_passphrase);
        command.Add(_token);
        command.Add(_pin);
        return command;
    }

    /// <summary>
    /// The lock, and what the key service's settings say of it. From here on this process leaves no core dump.
    /// </summary>
    internal (MasterLock Lock, JsonObject Setting) Read(ParseResult parsed)
    {
        SecretProcess.ForbidDumps();
        return (parsed.GetValue(_passphrase), parsed.GetValue(_token), parsed.GetValue(_pin)) switch
        {
            ({ } file, null, null) => ByPassphrase(Path.GetFullPath(file)),
            (null, { } token, { } pin) => ByToken(TokenUri.Read(token), Path.GetFullPath(pin)),
            _ => throw new CustodyException(
                "Say what the master key is sealed by: either --passphrase-file, or --token and --pin-file."),
        };
    }

    private static (MasterLock Lock, JsonObject Setting) ByPassphrase(string file) => (
        PassphraseLock.Read(LinuxDisk.Instance, file), new JsonObject { ["passphraseFile"] = file });

    private static (MasterLock Lock, JsonObject Setting) ByToken(TokenUri token, string pin) => (
        new TokenLock(token, pin), new JsonObject { ["token"] = token.Text, ["pinFile"] = pin });
}
