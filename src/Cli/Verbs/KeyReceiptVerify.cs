using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick key receipt verify</c>: whether a key service gave this word, offline.</summary>
internal static class KeyReceiptVerify
{
    internal static Command Create(Terminal terminal)
    {
        var file = new Argument<string>("FILE") { Description = "a receipt" };
        var log = new Option<string?>("--log")
        {
            Description = "the log that must have it, NAME+ID+KEY as a signed note's verifier key; or --as, whose "
                + "context names it",
        };
        ReceiptOptions options = new();
        Command command = options.AddTo(new Command("verify",
            "Verify a receipt of destroyed keys, and the proof in it that the ledger has it, without asking anybody.\n"
            + "Example: bailiwick key receipt verify erased.json --keys keys/bank --as bank")
        { file, log });
        command.SetAction(parsed =>
        {
            PublicKey key = options.ServiceKey(parsed);
            byte[] bytes = ReceiptOptions.Read(Path.GetFullPath(parsed.GetRequiredValue(file)));
            bool json = parsed.GetValue(GlobalOptions.Json);
            if (ProvenReceipt.ReceiptOf(bytes) is not null)
            {
                NoteKey signer = Log(parsed, parsed.GetValue(log)) ?? throw new CustodyException(
                    "The receipt has the proof that a ledger has it; say whose: --log NAME+ID+KEY, or --as.");
                ProvenReceipt? proven = ProvenReceipt.Verify(bytes, key, signer, out string doubt);
                return Told(terminal, proven?.Receipt, proven, doubt, json);
            }

            if (parsed.GetValue(log) is not null)
            {
                terminal.Complain("The file has no proof that a ledger has the receipt; `bailiwick key receipt prove` "
                    + "puts it in.");
                return (int)ExitCode.No;
            }

            return Told(terminal, ErasureReceipt.Verify(bytes, key, out string fault), null, fault, json);
        });
        return command;
    }

    private static int Told(
        Terminal terminal, ErasureReceipt? receipt, ProvenReceipt? proven, string fault, bool json)
    {
        if (receipt is null)
        {
            terminal.Complain($"This is no receipt of that key service in that ledger. {fault}");
            return (int)ExitCode.No;
        }

        Report(terminal, receipt.Keys, proven, json);
        return (int)ExitCode.Done;
    }

    private static NoteKey? Log(ParseResult parsed, string? named)
    {
        if (named is not null)
        {
            return NoteKey.TryParse(named, out NoteKey? key) && key.Use == NoteKeyUse.Note
                ? key : throw new CustodyException("--log is no verifier key NAME+ID+KEY of a log.");
        }

        if (parsed.GetValue(GlobalOptions.As) is null)
        {
            return null;
        }

        using BoardDesk desk = Desk.Open(parsed);
        return LedgerVerify.LogKey(desk);
    }

    /// <summary>Says what a receipt says.</summary>
    private static void Report(Terminal terminal, ErasedKeys keys, ProvenReceipt? proven, bool json)
    {
        if (json)
        {
            JsonObject said = new()
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
            };
            if (proven is not null)
            {
                said["ledger"] = new JsonObject
                {
                    ["origin"] = proven.Checkpoint.Origin, ["size"] = proven.Checkpoint.Size, ["index"] = proven.Index,
                };
            }

            terminal.Json(said);
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

        terminal.Say(proven is null
            ? "The file does not prove that the ledger has it; `bailiwick key receipt prove` puts that in."
            : $"The ledger {proven.Checkpoint.Origin} has it: leaf {proven.Index} of {proven.Checkpoint.Size}, by its "
                + "signed root.");
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
