using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Evidence;
using Bailiwick.Cli.Output;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick policy check</c>: every problem at once, each with its place and one sentence.</summary>
internal static class PolicyCheckVerb
{
    internal static Command Create(Terminal terminal)
    {
        Argument<string> directory = PolicyFolder.Argument();
        var at = new Option<string?>("--at")
        {
            Description = "ask for this time (2026-11-21T10:00:00Z) instead of now",
        };
        var command = new Command("check",
            "Check policies, and what follows from them together: exit 0 and no findings, or 1 and all findings.\n"
            + "Example: bailiwick policy check examples/three-tenants --at 2026-11-21T10:00:00Z") { directory, at };
        command.SetAction(parsed =>
        {
            DateTimeOffset time = parsed.GetValue(at) is { } text
                ? BundleOptions.Time(text) : TimeProvider.System.GetUtcNow();
            ImmutableArray<Finding> findings =
                PolicyFolder.Read(parsed.GetRequiredValue(directory)).WithConsequences(time);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(Json(findings));
            }
            else
            {
                Print(terminal, findings);
            }

            return (int)(findings.All(finding => finding.IsNote) ? ExitCode.Done : ExitCode.No);
        });
        return command;
    }

    internal static JsonArray Json(IEnumerable<Finding> findings) => new([.. findings.Select(f => new JsonObject
    {
        ["code"] = WireText.Of(f.Code), ["file"] = f.File, ["line"] = f.Line, ["pointer"] = f.Pointer,
        ["note"] = f.IsNote, ["sentence"] = f.Sentence,
    })]);

    internal static void Print(Terminal terminal, IReadOnlyCollection<Finding> findings)
    {
        foreach (Finding finding in findings)
        {
            terminal.Say($"{finding.File}:{finding.Line}: {(finding.IsNote ? "note: " : "")}"
                + $"{WireText.Of(finding.Code)}: {finding.Sentence}");
        }

        int notes = findings.Count(finding => finding.IsNote);
        terminal.Say((findings.Count == notes ? "No findings" : Terminal.Count(findings.Count - notes, "finding"))
            + (notes == 0 ? "." : $", {Terminal.Count(notes, "note")}."));
    }
}
