using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Keys;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Custody.Parties;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick volume erase</c>: destroys a volume's key for good, waits until a host has removed the bytes, and finds
/// the receipt in the ledger.
/// </summary>
internal static class VolumeErase
{
    private const int DefaultSeconds = 60;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    internal static Command Create(Terminal terminal)
    {
        var volume = new Argument<string>("VOLUME")
        {
            Description = "like ledger-data, of the own tenant; or vault-1.tpm, the TPM of the machine vault-1",
        };
        var keys = new Option<string>("--keys") { Description = "the party's key directory", Required = true };
        var output = new Option<string>("--receipt") { Description = "file for the receipt", Required = true };
        var yes = new Option<bool>("--yes") { Description = "do it; without, it is only said what would be done" };
        var wait = new Option<int>("--wait")
        {
            Description = "seconds to wait for the host and the ledger", DefaultValueFactory = _ => DefaultSeconds,
        };
        Option<string?> passphrase = PassphraseFile.Option();
        var command = new Command("erase",
            "Erase a volume for good: its key is destroyed first, then a host overwrites and removes the file.\n"
            + "Example: bailiwick volume erase ledger-data --keys keys/bank --receipt erased.json --yes --as bank")
        { volume, keys, output, yes, wait, passphrase };
        command.SetAction(async (parsed, cancellation) =>
        {
            using BoardDesk desk = Desk.Open(parsed);
            (StatementBook book, _) = await BoardReader.Read(desk, cancellation).ConfigureAwait(false);
            using VolumeDesk volumes = VolumeDesk.Open(desk, book);
            DestroySubject.OfKey subject = new(volumes.Named(parsed.GetRequiredValue(volume)));
            using PartyDirectory party = PartyDirectory.Open(
                parsed.GetRequiredValue(keys), PassphraseFile.Read(parsed.GetValue(passphrase)));
            string kept = parsed.GetRequiredValue(output) + ".approval";
            if (!parsed.GetValue(yes))
            {
                terminal.Complain(
                    $"This destroys the key of {subject} for good, and then removes the file. Nothing was done; say "
                    + "--yes to do it.");
                return (int)ExitCode.Usage;
            }

            // What was approved before is asked for again: an erasure that was interrupted goes on.
            byte[] approval = Approved(kept, subject);
            if (approval.Length == 0)
            {
                KeyTreeBody tree = await volumes.Client.Keys(cancellation).ConfigureAwait(false);
                var (serial, colour) = KeyDestroy.Find(tree, subject);
                approval = DestroyDocument.Write(
                    subject, serial,
                    party.OpenRoots(volumes.DestroyApprovals(subject, colour, party.Facts.Threshold)));
                await File.WriteAllBytesAsync(kept, approval, cancellation).ConfigureAwait(false);
            }

            Erasing erasing = new(
                terminal, volumes.Client, approval,
                party.Facts.KeyService ?? throw new CustodyException("The key directory names no key service."),
                TimeSpan.FromSeconds(parsed.GetValue(wait)))
            {
                IsQuiet = parsed.GetValue(GlobalOptions.Json),
            };
            return await erasing.Run(desk, parsed.GetRequiredValue(output), cancellation).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>The approval that was signed for this before; empty when there is none.</summary>
    private static byte[] Approved(string file, DestroySubject subject)
    {
        if (!File.Exists(file))
        {
            return [];
        }

        byte[] kept = File.ReadAllBytes(file);
        return DestroyDocument.Read(kept, out string fault)?.Subject == subject
            ? kept
            : throw new CustodyException($"{file} is no approval to erase {subject}; give another --receipt. {fault}");
    }

    /// <summary>One erasure, from the approval to the ledger.</summary>
    private sealed class Erasing(
        Terminal terminal, KeyServiceClient service, byte[] approval, PublicKey identity, TimeSpan patience)
    {
        private readonly Stopwatch _clock = Stopwatch.StartNew();

        internal bool IsQuiet { get; init; }

        internal async Task<int> Run(BoardDesk desk, string output, CancellationToken cancel)
        {
            (byte[] receipt, ErasedKeys erased) = await Receipt(cancel).ConfigureAwait(false);
            string file = Path.GetFullPath(output);
            await ReceiptOptions.Write(file, receipt, cancel).ConfigureAwait(false);
            Progress("the key is destroyed; a host is asked to remove the bytes");
            while (erased.Pending > 0 && _clock.Elapsed < patience)
            {
                await Task.Delay(Pause, cancel).ConfigureAwait(false);
                (receipt, erased) = await Receipt(cancel).ConfigureAwait(false);
            }

            await ReceiptOptions.Write(file, receipt, cancel).ConfigureAwait(false);
            foreach (ScrubbedKey one in erased.Scrubs)
            {
                Progress(KeyReceiptVerify.Sentence(one));
            }

            var proven = await InLedger(desk, receipt, erased, cancel).ConfigureAwait(false);
            if (proven is var (document, _))
            {
                await ReceiptOptions.Write(file, document, cancel).ConfigureAwait(false);
            }

            Say(erased, file, proven?.Leaves);
            return (int)(erased.Pending == 0 && proven is not null ? ExitCode.Done : ExitCode.No);
        }

        private async Task<(byte[] Receipt, ErasedKeys Erased)> Receipt(CancellationToken cancel)
        {
            byte[] receipt = await service.Destroy(approval, cancel).ConfigureAwait(false);
            return ErasureReceipt.Verify(receipt, identity, out string fault) is { Keys: var erased }
                ? (receipt, erased)
                : throw new CustodyException($"What the key service answered is no receipt of its own. {fault}");
        }

        /// <summary>The receipt with the proof that the ledger has it; null when it has not.</summary>
        private async Task<(byte[] Document, long Leaves)?> InLedger(
            BoardDesk desk, byte[] receipt, ErasedKeys erased, CancellationToken cancel)
        {
            Digest32 digest = ErasureReceipt.DigestOf(erased);
            while (true)
            {
                if (await ReceiptProof.Find(desk, receipt, digest, identity, cancel).ConfigureAwait(false)
                    is { } found)
                {
                    return found;
                }

                if (_clock.Elapsed >= patience)
                {
                    return null;
                }

                await Task.Delay(Pause, cancel).ConfigureAwait(false);
            }
        }

        private void Say(ErasedKeys erased, string file, long? leaves)
        {
            if (IsQuiet)
            {
                terminal.Json(new JsonObject
                {
                    ["subject"] = erased.Subject.ToString(), ["receipt"] = file,
                    ["digest"] = ErasureReceipt.DigestOf(erased).Hex, ["pending"] = erased.Pending,
                    ["outcome"] = erased.Scrubs.Select(one => WireText.Of(one.Outcome)).FirstOrDefault(),
                    ["ledger"] = leaves,
                });
                return;
            }

            terminal.Say(erased.Pending > 0
                ? "No host has said yet what became of the bytes; they are noise to everybody. Ask again later with "
                    + "the same command line: `bailiwick key receipt verify` reads the receipt of now."
                : $"The receipt is in {file}; `bailiwick key receipt verify` reads it, offline.");
            terminal.Say(leaves is null
                ? "The ledger does not show the receipt yet."
                : $"The ledger has it, and the file proves that: {leaves} leaves hash to the signed root.");
        }

        private void Progress(string sentence)
        {
            if (!IsQuiet)
            {
                terminal.Say(string.Create(
                    CultureInfo.InvariantCulture, $"[{_clock.Elapsed.TotalSeconds,6:0.0} s] {sentence}"));
            }
        }
    }
}
