using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Cli.Output;
using Bailiwick.Cli.Verbs;

namespace Bailiwick.Cli.Evidence;

/// <summary><c>bailiwick evidence bootlog</c>: reads a TCG event log and replays every bank of it.</summary>
internal static class EvidenceBootLog
{
    private const int FileBytes = 2 * BootLogLimits.Bytes;
    private const int CellLength = 96;

    internal static Command Create(Terminal terminal)
    {
        var file = new Argument<string>("FILE")
        {
            Description = "binary_bios_measurements, the same in base64 (.b64), or an attestation with it (.json)",
        };
        var command = new Command("bootlog",
            "Read a boot log and replay its PCRs: exit 0 if it can be read, else 1. What it says is proven only by a "
            + "quote over these values.\n"
            + "Example: bailiwick evidence bootlog /sys/kernel/security/tpm0/binary_bios_measurements --json")
        {
            file,
        };
        command.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(file);
            byte[]? log = LogFile.Unwrap(path, LogFile.Read(path, FileBytes));
            return (int)Show(terminal, log, parsed.GetValue(GlobalOptions.Json));
        });
        return command;
    }

    private static ExitCode Show(Terminal terminal, byte[]? bytes, bool json)
    {
        BootLogReading? reading = bytes is null ? null : MeasuredBoot.Read(bytes);
        if (reading is BootLogReading.Understood { Log: { } log })
        {
            if (json)
            {
                terminal.Json(Json(log));
            }
            else
            {
                Print(terminal, log);
            }

            return ExitCode.Done;
        }

        string why = reading is BootLogReading.Rejected rejected
            ? rejected.Fault.Sentence : "The file is neither a log nor base64 or JSON around one.";
        if (json)
        {
            terminal.Json(new JsonObject { ["verdict"] = "reject", ["why"] = why });
        }
        else
        {
            terminal.Complain($"Rejected. {why}");
        }

        return ExitCode.No;
    }

    private static JsonObject Json(MeasuredBoot log)
    {
        IReadOnlyDictionary<int, string> says = Says(log);
        var replay = new JsonObject();
        foreach (BootReplay one in Replays(log))
        {
            replay[one.Bank.Text()] = new JsonObject(one.Touched.Select(pcr => KeyValuePair.Create(
                pcr.ToString(CultureInfo.InvariantCulture), (JsonNode?)Convert.ToHexStringLower(one.Value(pcr)))));
        }

        return new JsonObject
        {
            ["verdict"] = "ok", ["format"] = Name(log.Format), ["eventCount"] = log.Count,
            ["banks"] = new JsonArray([.. log.Banks.Select(b => (JsonNode)b.Name)]), ["trailing"] = log.Trailing,
            ["replay"] = replay,
            ["events"] = new JsonArray([.. Enumerable.Range(0, log.Count).Select(i => Json(log, i, says))]),
        };
    }

    private static JsonObject Json(MeasuredBoot log, int number, IReadOnlyDictionary<int, string> says)
    {
        BootEvent one = log[number];
        var digests = new JsonObject();
        foreach (DeclaredBank bank in log.Banks)
        {
            if (one.Digest(bank) is { IsEmpty: false } digest)
            {
                digests[bank.Name] = Convert.ToHexStringLower(digest);
            }
        }

        var members = new JsonObject
        {
            ["number"] = number, ["pcr"] = one.Pcr, ["type"] = one.Type.Name(), ["size"] = one.Data.Length,
            ["digests"] = digests,
        };
        if (says.TryGetValue(number, out string? text))
        {
            members["says"] = text;
        }

        return members;
    }

    private static void Print(Terminal terminal, MeasuredBoot log)
    {
        IReadOnlyDictionary<int, string> says = Says(log);
        terminal.Table(["event", "PCR", "type", "says"], Enumerable.Range(0, log.Count).Select(i =>
        {
            BootEvent one = log[i];
            return (IReadOnlyList<string>)
            [
                i.ToString(CultureInfo.InvariantCulture),
                one.Extends ? one.Pcr.ToString(CultureInfo.InvariantCulture) : "-", one.Type.Name(),
                Short(says.GetValueOrDefault(i) ?? ""),
            ];
        }));
        foreach (BootReplay replay in Replays(log))
        {
            terminal.Table(["PCR", replay.Bank.Text()], replay.Touched.Select(pcr => (IReadOnlyList<string>)
                [pcr.ToString(CultureInfo.InvariantCulture), Convert.ToHexStringLower(replay.Value(pcr))]));
        }

        terminal.Say(string.Create(CultureInfo.InvariantCulture,
            $"{log.Count} events, form {Name(log.Format)}, banks {string.Join(", ", log.Banks.Select(b => b.Name))}"
            + $"{(log.Trailing > 0 ? $", {log.Trailing} bytes of padding" : "")}. Text in quotation marks is covered "
            + $"by a digest, text in brackets is what the log calls something and proves nothing."));
    }

    /// <summary>What each event says if a quote were over the values that the log gives, in its strongest bank.
    /// </summary>
    private static Dictionary<int, string> Says(MeasuredBoot log)
    {
        if (Replays(log).OrderBy(r => r.Bank == TpmHash.Sha1).FirstOrDefault() is not { } replay)
        {
            return [];
        }

        QuotedPcrs quoted = QuotedPcrs.Of(replay.Bank, Enumerable.Range(0, BootLogLimits.Pcrs)
            .Select(pcr => KeyValuePair.Create(pcr, (ReadOnlyMemory<byte>)replay.Value(pcr).ToArray())));
        return BootExplanation.Judge(log, quoted, new HashSet<int>()) is BootExplanation.Explained explained
            ? BootFacts.Of(explained.Boot).All.ToDictionary(f => f.Event, Words) : [];
    }

    private static string Words(BootFact fact) => fact switch
    {
        BootFact.Separator { State: SeparatorState.Normal } => "separator",
        BootFact.Separator => "separator with an error",
        BootFact.Variable one => $"variable {one.Name}, {Terminal.Count(one.Value.Length, "byte")}",
        BootFact.Phrase one => $"\"{one.Text}\"",
        BootFact.Content { Section: { } section } => $"section {section}",
        BootFact.Content { Label.Length: > 0 } one => $"({one.Label})",
        BootFact.Content => "",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static IEnumerable<BootReplay> Replays(MeasuredBoot log) =>
        log.Banks.Select(b => b.Bank).OfType<TpmHash>().Select(bank => BootReplay.Of(log, bank));

    private static string Name(BootLogFormat format) => format switch
    {
        BootLogFormat.Sha1 => "sha1",
        BootLogFormat.CryptoAgile => "agile",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static string Short(string text) =>
        text.Length <= CellLength ? text : string.Concat(text.AsSpan(0, CellLength - 1), "…");
}
