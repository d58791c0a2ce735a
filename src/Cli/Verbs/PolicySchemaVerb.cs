using System.CommandLine;
using Bailiwick.Cli.Output;
using Bailiwick.Custody;
using Bailiwick.Domains.Policy.Schemas;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Cli.Verbs;

/// <summary><c>bailiwick policy schema</c>: JSON Schema of documents, for editors.</summary>
internal static class PolicySchemaVerb
{
    internal static Command Create(Terminal terminal)
    {
        var kind = new Argument<string?>("KIND")
        {
            Description = "Domain, Compartment, ...; without, all of them", Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("schema",
            "Print JSON Schema (draft 07) of the documents of policies, with which editors complete and check them.\n"
            + "Example: bailiwick policy schema > policies.schema.json\n"
            + "Then, as a file's first line: # yaml-language-server: $schema=policies.schema.json") { kind };
        command.SetAction(parsed =>
        {
            terminal.Json(parsed.GetValue(kind) is { } named ? PolicySchema.Of(Kind(named)) : PolicySchema.All());
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static StatementKind Kind(string text) =>
        StatementKinds.TryParse(text, out StatementKind kind) && PolicySchema.Kinds.Contains(kind)
            ? kind
            : throw new CustodyException(
                $"Nobody writes documents of the kind {text}; there are {string.Join(", ", PolicySchema.Kinds)}.");
}
