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
            // Names, not ids, make two directories comparable when only one of them is signed.
            PolicyFolder before = PolicyFolder.ReadByName(parsed.GetRequiredValue(old));
            PolicyFolder after = PolicyFolder.ReadByName(parsed.GetRequiredValue(next));
            var changes = PolicyDiff.Describe(before.Datacentre, after.Datacentre);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                terminal.Json(new JsonArray([.. changes.Select(c => new JsonObject
                {
                    ["effect"] = WireText.Of(c.Effect), ["code"] = WireText.Of(c.Code),
                    ["sentence"] = c.Sentence,
                })]));
                return (int)ExitCode.Done;
            }

            foreach (var change in changes)
            {
                terminal.Say($"{WireText.Of(change.Effect),-8} {change.Sentence}");
            }

            terminal.Say(changes.Length == 0 ? "Nothing opens and nothing closes." : $"{changes.Length} changes.");
            return (int)ExitCode.Done;
        });
        return command;
    }
}
