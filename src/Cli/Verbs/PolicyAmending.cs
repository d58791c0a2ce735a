using System.CommandLine;
using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Custody.Signing;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Spectre.Console;

namespace Bailiwick.Cli.Verbs;

/// <summary>What verbs share that write into a directory of policies.</summary>
internal sealed class PolicyAmending
{
    private readonly Option<string> _policies = new("--policies")
    {
        Description = "directory of policies: one subdirectory a party", Required = true,
    };

    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "show the change and write nothing" };

    /// <summary>The options of every such verb.</summary>
    internal Command AddTo(Command command)
    {
        command.Add(_policies);
        command.Add(_dryRun);
        return command;
    }

    /// <summary>Makes the changes, checks everything with them, shows them, and writes them unless they do harm.
    /// </summary>
    /// <param name="terminal">Who looks.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="change">Makes the changes in memory.</param>
    /// <param name="next">Said at the end, beside how to sign; null for nothing.</param>
    internal ExitCode Run(
        Terminal terminal, ParseResult parsed, Action<PolicyAmendment> change, string? next = null)
    {
        string directory = parsed.GetRequiredValue(_policies);
        var amendment = PolicyAmendment.Of(directory);
        change(amendment);
        ImmutableArray<Finding> findings = amendment.NewFindings(TimeProvider.System.GetUtcNow());
        bool harmless = findings.All(IsOtherHalf);
        bool written = harmless && !parsed.GetValue(_dryRun) && amendment.Hunks.Count > 0;
        if (written)
        {
            amendment.Write();
        }

        if (parsed.GetValue(GlobalOptions.Json))
        {
            terminal.Json(new JsonObject
            {
                ["written"] = written, ["changes"] = new JsonArray([.. amendment.Hunks.Select(Json)]),
                ["findings"] = PolicyCheckVerb.Json(findings),
            });
        }
        else
        {
            Show(terminal, directory, amendment.Hunks);
            Conclude(terminal, directory, findings, amendment.Hunks.Count, harmless, written, next);
        }

        return harmless ? ExitCode.Done : ExitCode.No;
    }

    /// <summary>One half of a flow opens nothing; the other is another's to write.</summary>
    private static bool IsOtherHalf(Finding finding) =>
        finding.Code is FindingCode.FlowNotAccepted or FindingCode.FlowNotGranted;

    /// <summary>Whose a thing is, and its name: <c>bank/ledger</c>, or <c>ledger</c> where one party is.</summary>
    internal static (string Party, StatementName Name) Reference(PolicyAmendment amendment, string text)
    {
        string[] parts = text.Split('/');
        string? party = parts.Length == 2 ? parts[0] : amendment.OnlyParty;
        return parts.Length > 2 || !StatementName.TryParse(parts[^1], out StatementName? name)
            ? throw new CustodyException($"'{text}' is no name; give something like bank/ledger-archive.")
            : party is null
            ? throw new CustodyException($"'{text}' does not say whose it is: write PARTY/{name}.")
            : (party, name);
    }

    /// <summary>The text by which a party's document names something: short for what is its own.</summary>
    internal static string Named(string by, (string Party, StatementName Name) thing) =>
        by == thing.Party ? thing.Name.Text : $"{thing.Party}/{thing.Name}";

    private static JsonObject Json(PolicyHunk hunk) => new()
    {
        ["file"] = hunk.File, ["line"] = hunk.Line,
        ["removed"] = new JsonArray([.. hunk.Removed.Select(l => JsonValue.Create(l))]),
        ["added"] = new JsonArray([.. hunk.Added.Select(l => JsonValue.Create(l))]),
    };

    private static void Show(Terminal terminal, string directory, IReadOnlyList<PolicyHunk> hunks)
    {
        foreach (PolicyHunk hunk in hunks)
        {
            terminal.Say($"{Path.Combine(directory, hunk.File)}:{hunk.Line}");
            Lines(terminal, "-", "red", hunk.Removed);
            Lines(terminal, "+", "green", hunk.Added);
        }
    }

    private static void Lines(Terminal terminal, string sign, string colour, ImmutableArray<string> lines)
    {
        foreach (string line in lines)
        {
            terminal.People.MarkupLine($"[{colour}]{Markup.Escape(Terminal.Plain($"{sign} {line}"))}[/]");
        }
    }

    private static void Conclude(
        Terminal terminal, string directory, ImmutableArray<Finding> findings, int changes, bool harmless, bool written,
        string? next)
    {
        if (!findings.IsEmpty)
        {
            PolicyCheckVerb.Print(terminal, findings);
        }

        if (!harmless)
        {
            terminal.Complain("Nothing was written: with this change the policies would not hold together.");
            return;
        }

        if (changes == 0)
        {
            terminal.Say("It is written so already.");
            return;
        }

        terminal.Say(written
            ? $"Written. It counts once it is signed and published: `bailiwick policy sign {directory} ...`, "
                + "`bailiwick policy apply`."
            : "Nothing was written.");
        if (next is not null)
        {
            terminal.Say(next);
        }
    }
}
