using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Peers;
using Bailiwick.Channel.Wire;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Custody.Signing;
using Bailiwick.Domains.DryRuns;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Cli.Verbs;

/// <summary>
/// <c>bailiwick policy diff</c>: in words, what opens and what closes; against a running datacentre also whose
/// signature is missing, and which machines stop or move.
/// </summary>
internal static class PolicyDiffVerb
{
    internal static Command Create(Terminal terminal)
    {
        var old = new Argument<string>("OLD")
        {
            Description = "directory of policies: one subdirectory a party; alone, a party's folder of signed "
                + "statements, to be compared with the running datacentre",
        };
        var next = new Argument<string?>("NEW")
        {
            Description = "directory of policies to compare with", Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("diff",
            "Say what opens and what closes between two directories of policies; or, with a folder of signed\n"
            + "statements alone, what publishing it would do to the running datacentre: what opens, what closes,\n"
            + "which machines stop or move, and whose signature is missing.\n"
            + "Example: bailiwick policy diff examples/three-tenants .lab/policies\n"
            + "Example: bailiwick policy diff .lab/signed/bank --as bank") { old, next };
        command.SetAction(async (parsed, cancellation) =>
        {
            string first = parsed.GetRequiredValue(old);
            return (int)(parsed.GetValue(next) is { } second
                ? Compare(terminal, first, second, parsed.GetValue(GlobalOptions.Json))
                : await DryRun(terminal, parsed, first, cancellation).ConfigureAwait(false));
        });
        return command;
    }

    private static ExitCode Compare(Terminal terminal, string first, string second, bool isJson)
    {
        // Names, not ids, make two directories comparable when only one of them is signed.
        PolicyFolder before = PolicyFolder.ReadByName(first);
        PolicyFolder after = PolicyFolder.ReadByName(second);
        var changes = PolicyDiff.Describe(before.Datacentre, after.Datacentre);
        ExitCode code = Warn(terminal, first, before) | Warn(terminal, second, after);
        if (isJson)
        {
            terminal.Json(Json(changes));
        }
        else
        {
            Say(terminal, changes);
        }

        return code;
    }

    /// <summary>
    /// What is signed is considered as the board would, on top of what it has: the answer is about exactly what would
    /// be published.
    /// </summary>
    private static async Task<ExitCode> DryRun(
        Terminal terminal, ParseResult parsed, string path, CancellationToken cancellation)
    {
        if (!Directory.Exists(path))
        {
            throw new CustodyException($"There is no folder {path}; `bailiwick policy sign` makes one.");
        }

        using var signed = new StatementFolder(path);
        using BoardDesk desk = Desk.Open(parsed);
        RunningDatacentre running = await RunningDatacentre.Read(desk, cancellation).ConfigureAwait(false);
        IReadOnlyList<byte[]> changed = running.NotPublished(signed.Envelopes);
        PolicyDryRun? told = running.SeesAll
            ? null : await OfHost(desk, running, changed, cancellation).ConfigureAwait(false);
        PolicyDryRun run = told ?? PolicyDryRun.Of(
            running.Policies, running.With(changed), running.Proposals, TimeProvider.System.GetUtcNow());
        bool isWhole = running.SeesAll || told is not null;
        if (parsed.GetValue(GlobalOptions.Json))
        {
            JsonNode json = JsonNode.Parse(StrictJson.Write(run)) ?? new JsonObject();
            json["whole"] = isWhole;
            terminal.Json(json);
            return ExitCode.Done;
        }

        foreach (string sentence in run.Signatures)
        {
            terminal.Say($"between tenants: {sentence}");
        }

        Say(terminal, run.Changes);
        foreach (MachineChange change in run.Machines)
        {
            terminal.Say($"{WireText.Of(change.Effect),-8} {change.Machine}: {change.Because}");
        }

        if (run.Machines.IsEmpty)
        {
            terminal.Say("No machine stops, moves or starts.");
        }

        if (!isWhole)
        {
            terminal.Say("No host could be asked: other tenants' statements are not yours to read, so what they accept "
                + "or grant is not in it.");
        }

        return ExitCode.Done;
    }

    /// <summary>
    /// A tenant asks a host that runs a machine of its own: the host knows the statements of all. Null where none does,
    /// or the change is larger than a host takes.
    /// </summary>
    private static async Task<PolicyDryRun?> OfHost(
        BoardDesk desk, RunningDatacentre running, IReadOnlyList<byte[]> changed, CancellationToken cancellation)
    {
        var asked = new AskedDryRun([.. changed.Select(one => JsonElement.Parse(one))]);
        if (StrictJson.Write(asked).Length > AskedDryRun.MaxBytes
            || running.AnyHost() is not { } host)
        {
            return null;
        }

        using HttpClient client = desk.Host(host);
        return await new PeerClient(client).Ask<AskedDryRun, PolicyDryRun>(
            "/v1/policy/diff", asked, cancellation).ConfigureAwait(false);
    }

    private static JsonArray Json(IEnumerable<PolicyChange> changes) => new([.. changes.Select(c => new JsonObject
    {
        ["effect"] = WireText.Of(c.Effect), ["code"] = WireText.Of(c.Code), ["sentence"] = c.Sentence,
    })]);

    private static void Say(Terminal terminal, IReadOnlyCollection<PolicyChange> changes)
    {
        foreach (var change in changes)
        {
            terminal.Say($"{WireText.Of(change.Effect),-8} {change.Sentence}");
        }

        terminal.Say(changes.Count == 0
            ? "Nothing opens and nothing closes." : Terminal.Count(changes.Count, "change") + ".");
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
