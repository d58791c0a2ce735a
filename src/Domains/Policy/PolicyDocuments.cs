using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Bailiwick.Domains.Policy.Reading;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy;

/// <summary>What was read, and what was wrong with it.</summary>
/// <param name="Documents">The documents, those with findings of their own included.</param>
/// <param name="Findings">All findings so far, those of the documents included.</param>
public sealed record PolicyReading(ImmutableArray<PolicyDocument> Documents, ImmutableArray<Finding> Findings);

/// <summary>Reads statements into trees.</summary>
public static partial class PolicyDocuments
{
    /// <summary>
    /// Reads authored files. The directory a file lies in is its party; each YAML document in it is one statement with
    /// <c>kind</c> and <c>name</c>.
    /// </summary>
    /// <param name="files">Paths with slashes, and the files' bytes.</param>
    /// <param name="names">The parties.</param>
    public static PolicyReading ReadYaml(
        IEnumerable<(string Path, ReadOnlyMemory<byte> Text)> files, PartyNames names)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(names);
        var documents = ImmutableArray.CreateBuilder<PolicyDocument>();
        var findings = ImmutableArray.CreateBuilder<Finding>();
        var count = 0;
        foreach (var (path, text) in files.OrderBy(file => file.Path, StringComparer.Ordinal))
        {
            var faults = new DocumentFindings(PathForm().IsMatch(path) ? path : Quoted.Of(path));
            if (++count > PolicyLimits.Files)
            {
                faults.Add(FindingCode.TooManyFiles, 0, "", $"At most {PolicyLimits.Files} files are read at once.");
                findings.AddRange(faults.All);
                break;
            }

            documents.AddRange(ReadFile(path, text, names, faults));
            findings.AddRange(faults.All);
        }

        findings.AddRange(documents.SelectMany(document => document.Findings));
        return new PolicyReading(documents.ToImmutable(), findings.ToImmutable());
    }

    /// <summary>Takes verified statements, the newest of each subject.</summary>
    /// <param name="statements">Statements in any order; of several revisions of one subject the newest counts.
    /// What is no policy is passed over.</param>
    /// <param name="names">Display names; null takes those that the root statements claim.</param>
    /// <param name="before">What was taken before; a statement that is among it is not taken apart again.</param>
    public static PolicyReading FromStatements(
        IEnumerable<VerifiedStatement> statements, PartyNames? names = null, PolicyReading? before = null)
    {
        ArgumentNullException.ThrowIfNull(statements);
        var newest = statements
            .Where(statement => statement.Kind.IsPolicy())
            .GroupBy(statement => (statement.Kind, statement.Owner, statement.Name))
            .Select(group => group.MaxBy(statement => statement.Revision))
            .OfType<VerifiedStatement>()
            .ToArray();
        names ??= PartyNames.Of(newest.Where(statement => statement.Kind.IsRoot())
            .Select(root => KeyValuePair.Create(root.Name.Text, root.Owner)));
        // What a document is of has the digest of the signed payload: equal ones have equal bodies.
        var known = before?.Documents.Where(document => document.IsSigned)
            .DistinctBy(document => document.Origin).ToDictionary(document => document.Origin) ?? [];
        return new PolicyReading([.. newest.Select(statement => OfStatement(statement, names, known))], []);
    }

    /// <summary>
    /// Takes one body that <see cref="PolicyDocument.ToSignedBody"/> made, before it is signed: so that what would be
    /// signed can be checked as its readers will check it.
    /// </summary>
    /// <param name="authored">The document it was made from.</param>
    /// <param name="owner">The party that would sign it.</param>
    /// <param name="body">The body.</param>
    public static PolicyDocument OfSignedBody(PolicyDocument authored, PartyId owner, SignedBody.Ready body)
    {
        ArgumentNullException.ThrowIfNull(authored);
        ArgumentNullException.ThrowIfNull(body);
        return new PolicyDocument(
            authored.Origin with { Owner = owner },
            PolicyNode.Of(System.Text.Json.JsonElement.Parse(body.Canonical.Span)), null, []);
    }

    private static PolicyDocument OfStatement(
        VerifiedStatement statement, PartyNames names, Dictionary<StatementOrigin, PolicyDocument> known)
    {
        var origin = new StatementOrigin(
            statement.Kind, statement.Owner, names.NameOf(statement.Owner), statement.Name, statement.Revision,
            statement.Digest.Hex, null, 0);
        return known.GetValueOrDefault(origin)
            ?? new PolicyDocument(origin, PolicyNode.Of(statement.Body), null, []);
    }

    private static List<PolicyDocument> ReadFile(
        string path, ReadOnlyMemory<byte> text, PartyNames names, DocumentFindings file)
    {
        var documents = new List<PolicyDocument>();
        var party = PartyNames.PartyOfPath(path) ?? "";
        if (!PathForm().IsMatch(path) || path.Any(char.IsControl))
        {
            file.Add(
                FindingCode.BadPath, 0, "",
                "Policies lie in PARTY/FILE.yaml: PARTY is a party's name, FILE has letters, digits, dots, underscores "
                + "and hyphens.");
        }
        else if (names.Find(party) is not { } owner)
        {
            var near = Quoted.Nearest(party, names.Names);
            file.Add(
                FindingCode.UnknownParty, 0, "",
                $"The directory {Quoted.Of(party)} is no party" + (near is null ? "." : $"; did you mean {near}?"));
        }
        else
        {
            foreach (var yaml in YamlReader.Read(text.Span, file))
            {
                if (OfYaml(yaml, owner, names, path) is { } document)
                {
                    documents.Add(document);
                }
                else
                {
                    // Without a kind and a name it stands for nothing, but what is wrong with it is said.
                    file.AddRange(yaml.Findings);
                }
            }
        }

        return documents;
    }

    private static PolicyDocument? OfYaml(YamlDocument yaml, PartyId owner, PartyNames names, string path)
    {
        var head = Value.Of(yaml.Root, yaml.Findings);
        if (yaml.Root is not PolicyNode.Members members)
        {
            head.Only();
            return null;
        }

        var before = yaml.Findings.All.Count;
        var kind = head.Need("kind").Kind();
        var name = head.Need("name").Name();
        if (yaml.Findings.All.Count > before || kind is null)
        {
            return null;
        }

        var origin = new StatementOrigin(kind.Value, owner, names.NameOf(owner), name, 0, "", path, yaml.Line);
        return new PolicyDocument(origin, members.Without("kind", "name"), names, [.. yaml.Findings.All]);
    }

    [GeneratedRegex(@"\A([^/]*/)*[a-z][a-z0-9-]*/[A-Za-z0-9_][A-Za-z0-9._-]*\.ya?ml\z", RegexOptions.NonBacktracking)]
    private static partial Regex PathForm();
}
