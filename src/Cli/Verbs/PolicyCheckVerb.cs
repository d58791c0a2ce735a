using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Bailiwick.Channel.Contexts;
using Bailiwick.Channel.Peers;
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
        var directory = new Argument<string?>("DIR")
        {
            Description = "directory of policies: one subdirectory a party; without, what is published",
            Arity = ArgumentArity.ZeroOrOne,
        };
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
            + "Without a directory: those that are published, as far as they are the caller's to know.\n"
            + "Example: bailiwick policy check examples/three-tenants --at 2026-11-21T10:00:00Z\n"
            + "Example: bailiwick policy check --as bank")
        { directory, at, sarif, watch, reader };
        command.SetAction(async (parsed, cancellation) =>
        {
            DateTimeOffset? time = parsed.GetValue(at) is { } text ? BundleOptions.Time(text) : null;
            string? party = parsed.GetValue(reader);
            bool isSarif = parsed.GetValue(sarif), isJson = parsed.GetValue(GlobalOptions.Json);
            if (isSarif && (isJson || parsed.GetValue(watch)))
            {
                throw new CustodyException("--sarif is one document of its own form: leave out --json and --watch.");
            }

            if (parsed.GetValue(directory) is not { } folder)
            {
                if (isSarif || parsed.GetValue(watch))
                {
                    throw new CustodyException("--sarif and --watch are for files: name their directory.");
                }

                ImmutableArray<Finding> published = await Published(
                    parsed, time ?? TimeProvider.System.GetUtcNow(), party, cancellation).ConfigureAwait(false);
                Show(terminal, published, "", isJson, isSarif);
                return Code(published);
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

    /// <summary>A tenant asks a host, which knows all statements; the board shows them to the operator.</summary>
    private static async Task<ImmutableArray<Finding>> Published(
        ParseResult parsed, DateTimeOffset time, string? reader, CancellationToken cancellation)
    {
        using BoardDesk desk = Desk.Open(parsed);
        RunningDatacentre running = await RunningDatacentre.Read(desk, cancellation).ConfigureAwait(false);
        if (running.SeesAll)
        {
            return running.Findings(time, reader is null ? null : running.Policies.Names.Find(reader)
                ?? throw new CustodyException($"There is no party '{reader}' in the datacentre; --reader names one."));
        }

        if (reader is not null)
        {
            throw new CustodyException("--reader is for a directory and for the operator; leave it out.");
        }

        if (running.AnyHost() is not { } host)
        {
            throw new CustodyException("No host runs a machine of yours that could be asked; "
                + "`bailiwick policy check DIR` checks files.");
        }

        using HttpClient client = desk.Host(host);
        return (await new PeerClient(client).Ask<AskedFindings, ToldFindings>(
            "/v1/policy/check", new AskedFindings(time), cancellation).ConfigureAwait(false)).Read();
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
            string line = finding.Line > 0 ? string.Create(CultureInfo.InvariantCulture, $":{finding.Line}") : "";
            terminal.Say($"{finding.File}{line}: {(finding.IsNote ? "note: " : "")}"
                + $"{WireText.Of(finding.Code)}: {finding.Sentence}");
        }

        int notes = findings.Count(finding => finding.IsNote);
        terminal.Say((findings.Count == notes ? "No findings" : Terminal.Count(findings.Count - notes, "finding"))
            + (notes == 0 ? "." : $", {Terminal.Count(notes, "note")}."));
    }
}
