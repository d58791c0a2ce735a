using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Cli.Output;
using Bailiwick.Cli.Verbs;
using Bailiwick.Custody;

namespace Bailiwick.Cli.Evidence;

/// <summary><c>bailiwick evidence quote</c>: verifies a TPM's quote, with every reason against it.</summary>
internal static class EvidenceQuote
{
    private const int MaxBytes = TpmLimits.StructureBytes;

    internal static Command Create(Terminal terminal)
    {
        var ak = new Option<string>("--ak")
        {
            Description = "the key: PEM, or a TPM2B_PUBLIC or TPMT_PUBLIC whose attributes are judged too",
            Required = true,
        };
        var message = new Option<string>("--message") { Description = "the TPMS_ATTEST", Required = true };
        var signature = new Option<string>("--signature")
        {
            Description = "the TPMT_SIGNATURE, or the plain signature", Required = true,
        };
        var nonce = new Option<string>("--nonce")
        {
            Description = "what it was asked for with, in hexadecimal", Required = true,
        };
        var pcrs = new Option<string?>("--pcrs")
        {
            Description = "the registers' values as tpm2_quote writes them; without, only what signs is judged",
        };
        var command = new Command("quote",
            "Verify a TPM quote: exit 0 if it holds, else 1 and all reasons.\n"
            + "Example: bailiwick evidence quote --ak ak.pem --message quote.msg --signature quote.sig "
            + "--pcrs pcrs.out --nonce 00112233 --json") { ak, message, signature, nonce, pcrs };
        command.SetAction(parsed =>
        {
            var key = QuoteInput.Key(parsed.GetRequiredValue(ak));
            byte[] attest = EvidenceFile.Read(parsed.GetRequiredValue(message), MaxBytes);
            byte[] signed = EvidenceFile.Read(parsed.GetRequiredValue(signature), MaxBytes);
            byte[] asked = Nonce(parsed.GetRequiredValue(nonce));
            using var keys = new VerifierKeyCache(1);
            var judgement = new QuoteJudgement(key, attest, asked, keys);
            judgement.Judge(signed, parsed.GetValue(pcrs) is { } path ? Registers(path, attest) : null);
            return (int)Report(terminal, judgement, parsed.GetValue(GlobalOptions.Json));
        });
        return command;
    }

    private static ExitCode Report(Terminal terminal, QuoteJudgement judgement, bool json)
    {
        var reasons = judgement.Reasons;
        if (json)
        {
            var document = new JsonObject
            {
                ["verdict"] = reasons.Count == 0 ? "ok" : "reject",
                ["reasons"] = EvidenceFile.Texts(reasons.Select(reason => reason.Code)),
                ["sentences"] = EvidenceFile.Texts(reasons.Select(reason => reason.Sentence)),
            };
            if (judgement.Values is { } values)
            {
                document["pcrs"] = new JsonObject(values.All.GroupBy(value => value.Bank).Select(bank =>
                    KeyValuePair.Create(bank.Key.Text(), (JsonNode?)new JsonObject(bank.Select(value =>
                        KeyValuePair.Create(
                            value.Register.ToString(CultureInfo.InvariantCulture),
                            (JsonNode?)Convert.ToHexStringLower(value.Value.Span)))))));
            }

            terminal.Json(document);
            return reasons.Count == 0 ? ExitCode.Done : ExitCode.No;
        }

        foreach (var (_, sentence) in reasons)
        {
            terminal.Complain(sentence);
        }

        terminal.Say(reasons.Count > 0 ? $"The quote is refused, {Terminal.Count(reasons.Count, "reason")}."
            : judgement.Values is { } quoted ? $"The quote holds, over {Terminal.Count(quoted.Count, "register")}."
            : "The key signed this quote for this nonce; no registers were given to judge it by.");
        return reasons.Count == 0 ? ExitCode.Done : ExitCode.No;
    }

    /// <summary>The file names its registers, or has their values in the order of the quote alone.</summary>
    private static (PcrSelection Selection, PcrValues Values) Registers(string path, byte[] message)
    {
        byte[] file = EvidenceFile.Read(path, ToolPcrFile.MaxBytes);
        if (ToolPcrFile.Read(file) is { } read)
        {
            return read;
        }

        return TpmAttest.TryRead(message, out var attest, out _)
            && attest.Body is TpmAttestBody.Quote { Selection: var selection }
            && ToolPcrFile.ReadValues(file, selection) is { } values
                ? (selection, values)
                : throw new CustodyException(
                    $"{path} does not hold registers as tpm2_quote writes them (-o FILE, or -o FILE -F values).");
    }

    private static byte[] Nonce(string text)
    {
        try
        {
            return Convert.FromHexString(text);
        }
        catch (FormatException)
        {
            throw new CustodyException($"The nonce '{text}' is not in hexadecimal; write two digits for each byte.");
        }
    }
}
