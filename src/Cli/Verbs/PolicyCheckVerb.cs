using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Evidence;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
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
        var sarif = new Option<bool>("--sarif") { Description = "print SARIF 2.1.0, for code review" };
        var watch = new Option<bool>("--watch")
        {
            Description = "check again each time a file is written, until interrupted",
        };
        var reader = new Option<string?>("--reader")
        {
            Description = "tell only what this party may know: its own findings and its peers', no stranger's name",
        };
        var command = new Command("check",
            "Check policies, and what follows from them together: exit 0 and no findings, or 1 and all findings.\n"
            + "Example: bailiwick policy check examples/three-tenants --at 2026-11-21T10:00:00Z")
        { directory, at, sarif, watch, reader };
        command.SetAction(async (parsed, cancellation) =>
        {
            string folder = parsed.GetRequiredValue(directory);
            DateTimeOffset? time = parsed.GetValue(at) is { } text ? BundleOptions.Time(text) : null;
            string? party = parsed.GetValue(reader);
            bool isSarif = parsed.GetValue(sarif), isJson = parsed.GetValue(GlobalOptions.Json);
            if (isSarif && (isJson || parsed.GetValue(watch)))
            {
                throw new CustodyException("--sarif is one document of its own form: leave out --json and --watch.");
            }

            ImmutableArray<Finding> findings = [];
            if (!parsed.GetValue(watch))
            {
                findings = Look(folder, time, party);
                Show(terminal, findings, folder, isJson, isSarif);
                return Code(findings);
            }

            await PolicyWatch.Run(folder, () =>
            {
                findings = Look(folder, time, party);
                Follow(terminal, findings, isJson);
            }, cancellation).ConfigureAwait(false);
            return Code(findings);
        });
        return command;
    }

    private static ImmutableArray<Finding> Look(string directory, DateTimeOffset? time, string? reader)
    {
        PolicyFolder folder = PolicyFolder.Read(directory);
        return folder.For(reader, folder.WithConsequences(time ?? TimeProvider.System.GetUtcNow()));
    }

    private static int Code(ImmutableArray<Finding> findings) =>
        (int)(findings.All(finding => finding.IsNote) ? ExitCode.Done : ExitCode.No);

    private static void Show(
        Terminal terminal, ImmutableArray<Finding> findings, string folder, bool isJson, bool isSarif)
    {
        if (isSarif)
        {
            terminal.Json(Sarif.Log(findings, folder));
        }
        else if (isJson)
        {
            terminal.Json(Json(findings));
        }
        else
        {
            Print(terminal, findings);
        }
    }

    /// <summary>One of several looks: a line a look for programs, for people the list under its time.</summary>
    private static void Follow(Terminal terminal, ImmutableArray<Finding> findings, bool isJson)
    {
        if (isJson)
        {
            terminal.JsonLine(Json(findings));
            return;
        }

        terminal.Say(string.Create(
            CultureInfo.InvariantCulture, $"-- {TimeProvider.System.GetLocalNow():HH:mm:ss}"));
        Print(terminal, findings);
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
