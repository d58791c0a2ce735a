using System.CommandLine;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Contexts;
using Bailiwick.Cli.Output;
using Bailiwick.Custody.Signing;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick policy apply</c>: carries signed statements to the board.</summary>
internal static class PolicyApplyVerb
{
    internal static Command Create(Terminal terminal)
    {
        var signed = new Argument<string>("SIGNED") { Description = "a party's folder of signed statements" };
        var command = new Command("apply",
            "Publish signed statements; what the board has already is left alone.\n"
            + "Example: bailiwick policy apply .lab/signed/bank --as bank") { signed };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var folder = new StatementFolder(parsed.GetRequiredValue(signed));
            using BoardDesk desk = Desk.Open(parsed);
            PostOutcome outcome = await desk.PublishFolder(
                [.. folder.Envelopes.Select(e => (ReadOnlyMemory<byte>)e)], cancellation).ConfigureAwait(false);
            return (int)Report(terminal, outcome, parsed.GetValue(GlobalOptions.Json));
        });
        return command;
    }

    private static ExitCode Report(Terminal terminal, PostOutcome outcome, bool json)
    {
        switch (outcome)
        {
            case PostOutcome.Published published when json:
                terminal.Json(new JsonArray([.. published.Receipts.Select(r =>
                    new JsonObject { ["digest"] = r.Digest, ["index"] = r.Index })]));
                return ExitCode.Done;
            case PostOutcome.Published published:
                terminal.Say($"The board has all {published.Receipts.Length} statements, durably; "
                    + $"the newest is leaf {published.Receipts.Max(r => r.Index)}.");
                return ExitCode.Done;
            case PostOutcome.Refused refused when json:
                terminal.Json(new JsonArray([.. refused.Refusals.Select(r => new JsonObject
                {
                    ["position"] = r.Position, ["code"] = r.Code, ["sentence"] = r.Sentence,
                })]));
                return ExitCode.No;
            case PostOutcome.Refused refused:
                terminal.Table(["position", "code", "sentence"], refused.Refusals.Select(r =>
                    (IReadOnlyList<string>)[$"{r.Position}", r.Code, r.Sentence]));
                return ExitCode.No;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }
}
