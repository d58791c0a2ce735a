using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Output;
using Bailiwick.Custody.Parties;
using Bailiwick.Custody.Signing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick policy sign</c>: signs what one party changed, and nothing else.</summary>
internal static class PolicySignVerb
{
    internal static Command Create(Terminal terminal)
    {
        var signing = new PolicySigning();
        Command command = signing.AddTo(new Command("sign",
            "Sign what a party changed since it signed last.\n"
            + "Example: bailiwick policy sign policies --keys keys/bank --signed signed/bank --files guest"));
        command.SetAction(parsed =>
        {
            using PartyDirectory party = signing.Party(parsed);
            using StatementFolder folder = signing.Folder(parsed);
            IReadOnlyList<VerifiedStatement> signed = signing.Desk(parsed)
                .Sign(party, folder, signing.Facts(parsed), TimeProvider.System.GetUtcNow());
            Report(terminal, signed, parsed.GetValue(GlobalOptions.Json));
            return (int)ExitCode.Done;
        });
        return command;
    }

    internal static void Report(Terminal terminal, IReadOnlyList<VerifiedStatement> signed, bool json)
    {
        if (json)
        {
            terminal.Json(new JsonArray([.. signed.Select(s => new JsonObject
            {
                ["kind"] = s.Kind.ToString(), ["name"] = s.Name.Text, ["revision"] = s.Revision,
                ["digest"] = s.Digest.Hex,
            })]));
            return;
        }

        if (signed.Count == 0)
        {
            terminal.Say("Nothing changed; nothing was signed.");
            return;
        }

        terminal.Table(["kind", "name", "revision", "digest"], signed.Select(s => (IReadOnlyList<string>)
            [s.Kind.ToString(), s.Name.Text, $"{s.Revision}", s.Digest.Hex[..16]]));
    }
}
