using System.CommandLine;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Custody.Parties;
using Bailiwick.Custody.Signing;
using Bailiwick.Keyring.Tokens;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick tenant rotate</c>: replaces one root key; the old root's threshold signs the new root.
/// </summary>
internal static class TenantRotate
{
    internal static Command Create(Terminal terminal)
    {
        var signing = new PolicySigning();
        var number = new Option<int>("--replace")
        {
            Description = "number of the root key to replace: 2 is root-2.pem", Required = true,
        };
        var token = new Option<string?>("--token")
        {
            Description = "a P-256 key in a PKCS#11 token that takes its place, like pkcs11:token=bank;object=root-1",
        };
        var pin = new Option<string?>("--pin-file")
        {
            Description = "file, mode 0600 in a private directory, with the token's PIN and nothing else",
        };
        Command command = signing.AddTo(new Command("rotate",
            "Replace one root key by a new one and sign the new root; publish it with `policy apply`.\n"
            + "Example: bailiwick tenant rotate policies --keys keys/bank --signed signed/bank --replace 1"));
        command.Add(number);
        command.Add(token);
        command.Add(pin);
        command.SetAction(parsed =>
        {
            using PartyDirectory party = signing.Party(parsed);
            using StatementFolder folder = signing.Folder(parsed);
            VerifiedStatement root = signing.Desk(parsed).Rotate(
                party, folder, signing.Facts(parsed), parsed.GetValue(number), TimeProvider.System.GetUtcNow(),
                Token(parsed.GetValue(token), parsed.GetValue(pin)));
            PolicySignVerb.Report(terminal, [root], parsed.GetValue(GlobalOptions.Json));
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static TokenReference? Token(string? uri, string? pinFile) => (uri, pinFile) switch
    {
        (null, null) => null,
        ({ } key, { } pin) => TokenReference.Of(TokenUri.Read(key), Path.GetFullPath(pin)),
        _ => throw new CustodyException("A key in a token needs both --token and --pin-file."),
    };
}
