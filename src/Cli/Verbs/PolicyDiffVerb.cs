using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Output;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick policy diff</c>: in words, what opens and what closes.</summary>
internal static class PolicyDiffVerb
{
    internal static Command Create(Terminal terminal)
    {
        Argument<string> old = PolicyFolder.Argument("OLD"), next = PolicyFolder.Argument("NEW");
        var command = new Command("diff",
            "Say what opens and what closes between two directories of policies.\n"
            + "Example: bailiwick policy diff examples/three-tenants .lab/policies") { old, next };
        command.SetAction(parsed =>
        {
            string first = parsed.GetRequiredValue(old), second = parsed.GetRequiredValue(next);
            // Names, not ids, make two directories comparable when only one of them is signed.
            PolicyFolder before = PolicyFolder.ReadByName(first);
            PolicyFolder after = PolicyFolder.ReadByName(second);
            var changes = PolicyDiff.Describe(before.Datacentre, after.Datacentre);
            ExitCode code = Warn(terminal, first, before) | Warn(terminal, second, after);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonArray([.. changes.Select(c => new JsonObject
                {
                    ["effect"] = WireText.Of(c.Effect), ["code"] = WireText.Of(c.Code),
                    ["sentence"] = c.Sentence,
                })]));
                return (int)code;
            }

            foreach (var change in changes)
            {
                terminal.Say($"{WireText.Of(change.Effect),-8} {change.Sentence}");
            }

            terminal.Say(changes.Length == 0
                ? "Nothing opens and nothing closes." : Terminal.Count(changes.Length, "change") + ".");
            return (int)code;
        });
        return command;
    }

    /// <summary>What has findings is left out of the comparison, and must not look as if it were closed on purpose.
    /// </summary>
    private static ExitCode Warn(Terminal terminal, string directory, PolicyFolder folder)
    {
        if (folder.Findings.IsEmpty)
        {
            return ExitCode.Done;
        }

        terminal.Complain($"{directory} has {Terminal.Count(folder.Findings.Length, "finding")}; what they concern is "
            + $"left out here. `bailiwick policy check {directory}` lists them.");
        return ExitCode.No;
    }
}
