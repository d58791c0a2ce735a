using System.CommandLine;
using Bailiwick.Custody;
using Bailiwick.Custody.Parties;
using Bailiwick.Custody.Signing;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Cli.Verbs;

/// <summary>The options by which a party signs, shared by the verbs that do.</summary>
internal sealed class PolicySigning
{
    private readonly Option<string> _keys = new("--keys")
    {
        Description = "the party's key directory", Required = true,
    };

    private readonly Option<string> _signed = new("--signed")
    {
        Description = "the party's folder of signed statements", Required = true,
    };

    private readonly Option<string?> _files = new("--files")
    {
        Description = "directory of the boot files images name",
    };

    private readonly Option<string?> _hostKeys = new("--host-keys") { Description = "directory of NAME.pub of hosts" };
    private readonly Option<string?> _logOrigin = new("--log-origin") { Description = "origin of the board's log" };
    private readonly Option<string?> _logKey = new("--log-key")
    {
        Description = "base64 public key of the board's log",
    };

    private readonly Option<string?> _passphrase = PassphraseFile.Option();

    internal Argument<string> Directory { get; } = PolicyFolder.Argument();

    internal Command AddTo(Command command)
    {
        command.Add(Directory);
        foreach (Option option in new Option[] { _keys, _signed, _files, _hostKeys, _logOrigin, _logKey, _passphrase })
        {
            command.Add(option);
        }

        return command;
    }

    internal PolicyDesk Desk(ParseResult parsed) => new(parsed.GetRequiredValue(Directory));

    internal PartyDirectory Party(ParseResult parsed) =>
        PartyDirectory.Open(parsed.GetRequiredValue(_keys), PassphraseFile.Read(parsed.GetValue(_passphrase)));

    internal StatementFolder Folder(ParseResult parsed) => new(parsed.GetRequiredValue(_signed));

    internal SigningFacts Facts(ParseResult parsed)
    {
        string? text = parsed.GetValue(_logKey);
        PublicKey? key = null;
        return text is null || PublicKey.TryParseBase64(text, out key)
            ? new SigningFacts(
                parsed.GetValue(_files), parsed.GetValue(_hostKeys), parsed.GetValue(_logOrigin), key)
            : throw new CustodyException("--log-key is no base64 SubjectPublicKeyInfo of a P-256 key.");
    }
}
