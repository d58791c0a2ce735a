using System.Diagnostics;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Reading;

/// <summary>
/// Makes the model of a document's kind from its members, all findings at once. Null with at least one finding, or a
/// model with none; nothing between.
/// </summary>
internal static class BodyReader
{
    /// <summary>Reads a document; its earlier findings are not given again.</summary>
    public static BodyReading Read(PolicyDocument document)
    {
        var findings = new DocumentFindings(document.File);
        var body = Value.Of(document.Body, findings);
        var model = Model(document, body);
        return new BodyReading(
            findings.Any || document.Findings.Length > 0 ? null : model, [.. findings.All]);
    }

    /// <summary>Reads nothing, so that what would be read is drawn.</summary>
    public static void Draw(PolicyDocument document, Value drawing) => Model(document, drawing);

    private static object Model(PolicyDocument document, Value body) => document.Origin.Kind switch
    {
        StatementKind.Tenant => PartyReader.Tenant(document, body),
        StatementKind.Datacentre => PartyReader.Datacentre(document, body),
        StatementKind.Host => PartyReader.Host(document, body),
        StatementKind.Link => PartyReader.Link(document, body),
        StatementKind.Domain => DomainReader.Domain(document, body),
        StatementKind.Compartment => MachineReader.Compartment(document, body),
        StatementKind.Volume => MachineReader.Volume(document, body),
        StatementKind.Image => MachineReader.Image(document, body),
        StatementKind.KeyChange => throw new UnreachableException("it is no policy, and nobody reads it as one"),
        _ => throw new UnreachableException(),
    };
}

/// <summary>The model of one document, or null, and what is wrong with its members.</summary>
internal sealed record BodyReading(object? Model, IReadOnlyList<Finding> Findings);
