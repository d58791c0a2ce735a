using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Cli.Output;
using Bailiwick.Cli.Verbs;
using Bailiwick.Custody;

namespace Bailiwick.Cli.Evidence;

/// <summary><c>bailiwick evidence ima</c>: reads IMA's measurement list and replays PCR 10.</summary>
internal static class EvidenceIma
{
    private const int Shown = 50;

    internal static Command Create(Terminal terminal)
    {
        var file = new Argument<string>("FILE") { Description = "binary_runtime_measurements" };
        var wanted = new Option<string?>("--pcr10")
        {
            Description = "a quoted value, sha256:HEX; look for the prefix of the list that gives it",
        };
        var command = new Command("ima",
            "Read a runtime log and replay PCR 10: exit 0 if it can be read (and gives the value of --pcr10), else 1.\n"
            + "Example: bailiwick evidence ima /sys/kernel/security/ima/binary_runtime_measurements --json")
        {
            file, wanted,
        };
        command.SetAction(parsed =>
        {
            byte[] log = LogFile.Read(parsed.GetRequiredValue(file), RuntimeLogLimits.Bytes);
            RuntimeReplayed replayed = RuntimeReplay.Of(RuntimeLogState.Start(TpmHash.Sha1, TpmHash.Sha256), log);
            long? matched = parsed.GetValue(wanted) is { } text ? Match(log, Quoted(text)) : null;
            bool json = parsed.GetValue(GlobalOptions.Json);
            if (json)
            {
                terminal.Json(Json(replayed, matched));
            }
            else
            {
                Print(terminal, log, replayed, matched);
            }

            return (int)(replayed.Fault is null && matched != -1 ? ExitCode.Done : ExitCode.No);
        });
        return command;
    }

    private static QuotedPcrs Quoted(string text)
    {
        string[] parts = text.Split(':');
        if (parts is [var name, var hex] && PcrBanks.Named(name) is { } bank && hex.Length == 2 * bank.Size()
            && hex.All(char.IsAsciiHexDigit))
        {
            return QuotedPcrs.Of(bank, [new(RuntimeLogLimits.Pcr, Convert.FromHexString(hex))]);
        }

        throw new CustodyException($"--pcr10 takes a bank and a value, as in sha256:c770b4…, and not '{text}'.");
    }

    /// <summary>How many entries give the value; -1 where no prefix does.</summary>
    private static long Match(byte[] log, QuotedPcrs quoted) =>
        RuntimeExplanation.Judge(RuntimeLogState.Start(quoted.Bank), log, quoted) is RuntimeExplanation.Explained one
            ? one.Runtime.After.Count.Entries : -1;

    private static JsonObject Json(RuntimeReplayed replayed, long? matched)
    {
        RuntimeLogState state = replayed.State;
        var members = new JsonObject
        {
            ["verdict"] = replayed.Fault is null && matched != -1 ? "ok" : "reject",
            ["entries"] = state.Count.Entries, ["violations"] = state.Count.Violations,
            ["elsewhere"] = state.Count.Elsewhere,
            ["pcr10"] = new JsonObject(state.Banks.Select(b => KeyValuePair.Create(
                b.Text(), (JsonNode?)Convert.ToHexStringLower(state.Pcr10(b))))),
        };
        if (replayed.Fault is { } fault)
        {
            members["why"] = fault.Sentence;
        }

        if (matched is { } entries)
        {
            members["matched"] = entries < 0 ? null : entries;
        }

        return members;
    }

    private static void Print(Terminal terminal, byte[] log, RuntimeReplayed replayed, long? matched)
    {
        RuntimeLogState state = replayed.State;
        terminal.Table(["entry", "template", "digest", "path"], Rows(log));
        terminal.Say(string.Create(CultureInfo.InvariantCulture,
            $"{state.Count.Entries} entries, {Terminal.Count((int)state.Count.Violations, "violation")}"
            + $"{(state.Count.Elsewhere > 0 ? $", {state.Count.Elsewhere} in another PCR" : "")}"
            + $"{(state.Count.Entries > Shown ? $"; the first {Shown} are shown" : "")}."));
        foreach (TpmHash bank in state.Banks)
        {
            terminal.Say($"PCR 10 {bank.Text()} {Convert.ToHexStringLower(state.Pcr10(bank))}");
        }

        if (matched is { } entries)
        {
            terminal.Say(entries < 0 ? "No prefix of the list gives the value of --pcr10."
                : $"The first {entries} entries give the value of --pcr10.");
        }

        if (replayed.Fault is { } fault)
        {
            terminal.Complain($"Rejected. {fault.Sentence}");
        }
    }

    private static List<IReadOnlyList<string>> Rows(byte[] log)
    {
        List<IReadOnlyList<string>> rows = [];
        var reader = new RuntimeLogReader(log);
        while (rows.Count < Shown && reader.TryRead(out RuntimeEntry entry))
        {
            bool isFile = entry.TryReadFile(out RuntimeFile file);
            rows.Add(
            [
                rows.Count.ToString(CultureInfo.InvariantCulture), Encoding.ASCII.GetString(entry.TemplateName),
                entry.IsViolation ? "violation" : isFile
                    ? $"{Encoding.ASCII.GetString(file.Algorithm)}:{Convert.ToHexStringLower(file.Digest)}" : "",
                isFile ? Encoding.UTF8.GetString(file.Path) : "",
            ]);
        }

        return rows;
    }
}
