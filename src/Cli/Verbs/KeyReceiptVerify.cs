using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Custody.Parties;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
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

    /// <summary>The key service's key, by the tenant's own directory or as it is said.</summary>
    internal static PublicKey ServiceKey(string? keys, string? service)
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

    /// <summary>Says what a receipt says.</summary>
    internal static void Report(Terminal terminal, ErasedKeys keys, bool json)
    {
        if (json)
        {
            terminal.Json(new JsonObject
            {
                ["what"] = keys.Subject.What, ["subject"] = keys.Subject.ToString(),
                ["generation"] = keys.Generation, ["keys"] = keys.Count, ["record"] = keys.Record,
                ["document"] = keys.Document.Hex, ["ledgerSize"] = keys.LedgerSize,
                ["ledgerRoot"] = keys.LedgerRoot.Hex, ["pending"] = keys.Pending,
                ["scrubs"] = new JsonArray([.. keys.Scrubs.Select(one => new JsonObject
                {
                    ["key"] = one.Key, ["outcome"] = WireText.Of(one.Outcome), ["bytes"] = one.Bytes,
                    ["storage"] = WireText.Of(one.Storage), ["host"] = one.Host, ["vouched"] = one.IsVouched,
                    ["report"] = one.Report.Hex,
                })]),
            });
            return;
        }

        terminal.Say($"The key service says that it destroyed the {keys.Subject.What} {keys.Subject}.");
        terminal.Say($"Generation {keys.Generation}, {Terminal.Count((int)keys.Count, "key")}; record {keys.Record} "
            + $"of its journal; approved by the document {keys.Document.Hex[..16]}.");
        foreach (ScrubbedKey one in keys.Scrubs)
        {
            terminal.Say(Sentence(one));
        }

        if (keys.Pending > 0)
        {
            terminal.Say($"Of {Terminal.Count((int)keys.Pending, "key")} no host has said yet what became of the bytes "
                + "in the pool.");
        }

        terminal.Say($"It had seen the board's log to {keys.LedgerSize} leaves, root {keys.LedgerRoot.Hex[..16]}.");
    }

    /// <summary>What became of the bytes, and what that is worth.</summary>
    internal static string Sentence(ScrubbedKey one)
    {
        string what = one.Outcome switch
        {
            ScrubOutcome.Overwritten => $"{one.Bytes} bytes overwritten, read back, and the file removed",
            ScrubOutcome.Removed => "the file removed and not overwritten, as its statement asks",
            ScrubOutcome.SampleDiffers =>
                "overwritten and removed, but the storage did NOT give back what was written",
            ScrubOutcome.NotFound => "no such file in the pool",
            ScrubOutcome.OtherHeader => "the file has another header and was NOT touched",
            ScrubOutcome.NotOurs => "what has the name is no file of ours and was NOT touched",
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        string storage = one.Storage switch
        {
            ScrubStorage.InPlace => "The storage writes in place.",
            ScrubStorage.Remapped => "The storage may keep old blocks elsewhere.",
            ScrubStorage.CopyOnWrite => "The storage writes elsewhere: beyond the destroyed key this proves nothing.",
            ScrubStorage.Memory => "The storage is memory.",
            ScrubStorage.Unknown => "What the storage keeps is not known: this proves nothing beyond the key.",
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        string doubt = one.IsVouched ? "" : ", which nobody vouched for then";
        return $"{one.Key}: {what}; says {one.Host}{doubt}. {storage}";
    }
}
