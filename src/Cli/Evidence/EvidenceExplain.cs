using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Attestation.RuntimeLog;
using Bailiwick.Cli.Output;
using Bailiwick.Cli.Verbs;
using Bailiwick.Custody;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Cli.Evidence;

/// <summary>
/// <c>bailiwick evidence explain</c>: what a domain's demands say of a host's logs, demand by demand, without asking
/// anybody.
/// </summary>
internal static class EvidenceExplain
{
    private const int BootFileBytes = 2 * BootLogLimits.Bytes;
    private const int DemandFileBytes = 1024 * 1024;
    private const int ShownEvents = 8;

    internal static Command Create(Terminal terminal)
    {
        var demands = new Option<string>("--demands")
        {
            Description = "a list of demands as under hosts.evidence, in YAML or JSON, or the file of a domain",
            Required = true,
        };
        var boot = new Option<string>("--bootlog")
        {
            Description = "binary_bios_measurements, or the same in base64 (.b64)", Required = true,
        };
        var runtime = new Option<string?>("--runtime") { Description = "binary_runtime_measurements" };
        var quoted = new Option<string?>("--quote-pcrs")
        {
            Description = "the registers of a quote as tpm2_quote -o writes them; without, those that the logs give",
        };
        var command = new Command("explain",
            "Say of every demand whether it holds, by which events of the logs and why: exit 0 if all hold, else 1.\n"
            + "Example: bailiwick evidence explain --demands demands.yaml --bootlog "
            + "/sys/kernel/security/tpm0/binary_bios_measurements --json") { demands, boot, runtime, quoted };
        command.SetAction(parsed =>
        {
            ImmutableArray<Predicate> asked = Demands(parsed.GetRequiredValue(demands));
            string path = parsed.GetRequiredValue(boot);
            LogExplanation logs = LogExplanation.Of(
                LogFile.Unwrap(path, LogFile.Read(path, BootFileBytes)),
                parsed.GetValue(runtime) is { } list ? LogFile.Read(list, RuntimeLogLimits.Bytes) : null,
                parsed.GetValue(quoted) is { } file ? Registers(file) : null);
            AppraisalReport report = Appraisal.Judge(asked, logs.Boot, logs.Runtime);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(Json(report, logs));
            }
            else
            {
                Print(terminal, report, logs);
            }

            return (int)(Holds(report, logs) ? ExitCode.Done : ExitCode.No);
        });
        return command;
    }

    /// <summary>A log that is not whole or not explained is never passed over, even if no demand needs it.</summary>
    private static bool Holds(AppraisalReport report, LogExplanation logs) => report.Holds && logs.Faults.Count == 0;

    private static ImmutableArray<Predicate> Demands(string path)
    {
        DemandList read = DemandList.Read(path, LogFile.Read(path, DemandFileBytes));
        return read.Findings.IsEmpty ? read.Predicates : throw new CustodyException(string.Join('\n',
            read.Findings.Select(f => $"{f.File}:{f.Line}: {WireText.Of(f.Code)}: {f.Pointer}: {f.Sentence}")));
    }

    private static Attestation.Tpm.PcrValues Registers(string path) =>
        ToolPcrFile.Read(EvidenceFile.Read(path, ToolPcrFile.MaxBytes))?.Values ?? throw new CustodyException(
            $"{path} does not hold registers as `tpm2_quote -o FILE` writes them.");

    private static JsonObject Json(AppraisalReport report, LogExplanation logs) => new()
    {
        ["verdict"] = Holds(report, logs) ? "ok" : "reject",
        ["vouchedBy"] = logs.IsQuoted ? "registers" : "nobody",
        ["caution"] = logs.Caution,
        ["faults"] = EvidenceFile.Texts(logs.Faults.Concat(report.Reservations)),
        ["demands"] = new JsonArray([.. report.Outcomes.Select(outcome => new JsonObject
        {
            ["kind"] = Kind(outcome.Predicate),
            ["satisfied"] = outcome.Satisfied,
            ["log"] = Log(outcome.Source),
            ["events"] = new JsonArray([.. outcome.Events.Select(number => (JsonNode)number)]),
            ["sentence"] = outcome.Sentence,
        })]),
    };

    private static void Print(Terminal terminal, AppraisalReport report, LogExplanation logs)
    {
        terminal.Table(["demand", "holds", "by", "why"], report.Outcomes.Select(outcome => (IReadOnlyList<string>)
        [
            Kind(outcome.Predicate), outcome.Satisfied ? "yes" : "NO", Events(outcome), outcome.Sentence,
        ]));
        foreach (string sentence in logs.Faults.Concat(report.Reservations))
        {
            terminal.Complain(sentence);
        }

        int broken = report.Outcomes.Count(outcome => !outcome.Satisfied);
        terminal.Say(Holds(report, logs) ? $"All of {Terminal.Count(report.Outcomes.Length, "demand")} hold."
            : $"Refused: {broken} of {Terminal.Count(report.Outcomes.Length, "demand")} broken.");
        terminal.Say(logs.Caution);
    }

    internal static string Events(PredicateOutcome outcome)
    {
        string numbers = string.Join(", ", outcome.Events.Take(ShownEvents)
            .Select(number => number.ToString(CultureInfo.InvariantCulture)));
        string more = outcome.Events.Length > ShownEvents ? $" and {outcome.Events.Length - ShownEvents} more" : "";
        return outcome.Events.IsEmpty ? "-" : $"{Log(outcome.Source)} {numbers}{more}";
    }

    internal static string Kind(Predicate predicate) =>
        PredicateJson.ToNode(predicate)["kind"]?.GetValue<string>() ?? "";

    private static string Log(MeasurementSource source) => source switch
    {
        MeasurementSource.Boot => "boot",
        MeasurementSource.Runtime => "runtime",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
