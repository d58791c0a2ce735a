using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Custody.Parties;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick key receipt verify</c>: whether a key service gave this word, offline.</summary>
internal static class KeyReceiptVerify
{
    private const int MostBytes = 64 * 1024;

    internal static Command Create(Terminal terminal)
    {
        var file = new Argument<string>("FILE") { Description = "a receipt" };
        var keys = new Option<string?>("--keys")
        {
            Description = "the tenant's key directory, which knows the service",
        };
        var service = new Option<string?>("--service-key")
        {
            Description = "or the key service's public key, base64, as the tenant's root names it",
        };
        var command = new Command("verify",
            "Verify a receipt of destroyed keys, without asking anybody.\n"
            + "Example: bailiwick key receipt verify erased.json --keys keys/bank")
        { file, keys, service };
        command.SetAction(parsed =>
        {
            PublicKey key = ServiceKey(parsed.GetValue(keys), parsed.GetValue(service));
            FileInfo info = new(parsed.GetRequiredValue(file));
            if (!info.Exists || info.Length > MostBytes)
            {
                throw new CustodyException($"There is no receipt {info.FullName} of at most {MostBytes} bytes.");
            }

            if (ErasureReceipt.Verify(File.ReadAllBytes(info.FullName), key, out string fault) is not { } receipt)
            {
                terminal.Complain($"This is no receipt of that key service. {fault}");
                return (int)ExitCode.No;
            }

            Report(terminal, receipt.Keys, parsed.GetValue(GlobalOptions.Json));
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static PublicKey ServiceKey(string? keys, string? service)
    {
        if (keys is null == service is null)
        {
            throw new CustodyException("Say whose receipt it is: --keys DIRECTORY, or --service-key BASE64.");
        }

        if (keys is null)
        {
            return PublicKey.TryParseBase64(service, out PublicKey? key)
                ? key : throw new CustodyException("--service-key is no P-256 SubjectPublicKeyInfo in base64.");
        }

        using PartyDirectory party = PartyDirectory.Open(keys, null);
        return party.Facts.KeyService ?? throw new CustodyException($"{keys} names no key service.");
    }

    private static void Report(Terminal terminal, ErasedKeys keys, bool json)
    {
        if (json)
        {
            terminal.Json(new JsonObject
            {
                ["what"] = keys.Subject.What, ["subject"] = keys.Subject.ToString(),
                ["generation"] = keys.Generation, ["keys"] = keys.Count, ["record"] = keys.Record,
                ["document"] = keys.Document.Hex, ["ledgerSize"] = keys.LedgerSize,
                ["ledgerRoot"] = keys.LedgerRoot.Hex,
            });
            return;
        }

        terminal.Say($"The key service says that it destroyed the {keys.Subject.What} {keys.Subject}.");
        terminal.Say($"Generation {keys.Generation}, {Terminal.Count((int)keys.Count, "key")}; record {keys.Record} "
            + $"of its journal; approved by the document {keys.Document.Hex[..16]}.");
        terminal.Say($"It had seen the board's log to {keys.LedgerSize} leaves, root {keys.LedgerRoot.Hex[..16]}.");
    }
}
