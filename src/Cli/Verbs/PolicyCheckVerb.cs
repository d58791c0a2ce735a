using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Output;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick policy check</c>: every problem at once, each with its place and one sentence.</summary>
internal static class PolicyCheckVerb
{
    internal static Command Create(Terminal terminal)
    {
        Argument<string> directory = PolicyFolder.Argument();
        var command = new Command("check",
            "Check policies: exit 0 and no findings, or 1 and all findings.\n"
            + "Example: bailiwick policy check examples/three-tenants --json") { directory };
        command.SetAction(parsed =>
        {
            PolicyFolder folder = PolicyFolder.Read(parsed.GetRequiredValue(directory));
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(Json(folder.Findings));
            }
            else
            {
                Print(terminal, folder.Findings);
            }

            return (int)(folder.Findings.IsEmpty ? ExitCode.Done : ExitCode.No);
        });
        return command;
    }

    internal static JsonArray Json(IEnumerable<Finding> findings) => new([.. findings.Select(f => new JsonObject
    {
        ["code"] = WireText.Of(f.Code), ["file"] = f.File, ["line"] = f.Line, ["pointer"] = f.Pointer,
        ["sentence"] = f.Sentence,
    })]);

    internal static void Print(Terminal terminal, IReadOnlyCollection<Finding> findings)
    {
        foreach (Finding finding in findings)
        {
            terminal.Say($"{finding.File}:{finding.Line}: {WireText.Of(finding.Code)}: {finding.Sentence}");
        }

        terminal.Say(findings.Count == 0 ? "No findings." : Terminal.Count(findings.Count, "finding") + ".");
    }
}
