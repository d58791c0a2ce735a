using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Bailiwick.Domains.Consequences;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Policy.Editing;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Custody.Signing;

/// <summary>What one edit did to one file.</summary>
/// <param name="File">The file, below the directory.</param>
/// <param name="Line">1-based line at which it begins.</param>
/// <param name="Removed">Lines that are gone.</param>
/// <param name="Added">Lines that came in their place.</param>
public sealed record PolicyHunk(
    string File, int Line, ImmutableArray<string> Removed, ImmutableArray<string> Added);

/// <summary>
/// Changes to a directory of authored policies, made in memory, checked as a whole, and written only then. Nothing of
/// it is signed: what a tenant says is what its root keys sign.
/// </summary>
public sealed partial class PolicyAmendment
{
    private readonly string _directory;
    private readonly PartyNames _names;
    private readonly SortedDictionary<string, string> _before = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _texts;
    private readonly List<PolicyHunk> _hunks = [];

    private PolicyAmendment(string directory)
    {
        var desk = new PolicyDesk(directory);
        _directory = directory;
        _names = desk.Names();
        foreach (var (path, text) in desk.Files())
        {
            _before[path] = Encoding.UTF8.GetString(text.Span);
        }

        _texts = new SortedDictionary<string, string>(_before, StringComparer.Ordinal);
    }

    /// <summary>Reads a directory.</summary>
    /// <exception cref="CustodyException">It is not there, or something in it is no plain file.</exception>
    public static PolicyAmendment Of(string directory) => new(directory);

    /// <summary>What was changed so far, in the order in which it was.</summary>
    public IReadOnlyList<PolicyHunk> Hunks => _hunks;

    /// <summary>The one party that has a directory; null where there are several.</summary>
    public string? OnlyParty =>
        _before.Keys.Select(PartyNames.PartyOfPath).OfType<string>().Distinct().ToArray() is [var one] ? one : null;

    /// <summary>A document as it is now, with the changes so far.</summary>
    /// <exception cref="CustodyException">There is none, or it is written twice.</exception>
    public PolicyDocument Document(StatementKind kind, string party, StatementName name) =>
        Find(kind, party, name) ?? throw new CustodyException(
            $"There is no {kind} {party}/{name} in {_directory}; `bailiwick policy check {_directory}` says what is "
            + "there and what cannot be read.");

    /// <summary>The same, or null.</summary>
    /// <exception cref="CustodyException">It is written twice.</exception>
    public PolicyDocument? Find(StatementKind kind, string party, StatementName name)
    {
        PartyId owner = _names.Find(party) ?? throw new CustodyException(
            $"{party} is no party in {_directory}; there are {string.Join(", ", _names.Names)}.");
        PolicyDocument[] found = [.. Read(_texts).Documents.Where(d =>
            d.Origin.Owner == owner && d.Origin.Kind == kind && d.Origin.Name.Equals(name))];
        return found.Length <= 1 ? found.FirstOrDefault() : throw new CustodyException(
            $"{kind} {party}/{name} is written twice: {string.Join(" and ", found.Select(d => d.File))}. Keep one.");
    }

    /// <summary>Makes one change, in memory.</summary>
    /// <param name="file">The file, below the directory.</param>
    /// <param name="edit">The change.</param>
    /// <exception cref="CustodyException">The file's form does not allow it.</exception>
    public void Apply(string file, PolicyEdit edit)
    {
        string before = _texts[file];
        switch (PolicyEditor.Apply(before, edit))
        {
            case EditedText.Done done:
                _texts[file] = done.Text;
                _hunks.Add(Hunk(file, before, done.Text));
                break;
            case EditedText.Refused refused:
                throw new CustodyException($"{Path.Combine(_directory, file)}: {refused.Sentence}");
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    /// <summary>
    /// What would be wrong after the changes and was not before, in the statements and in what follows from them.
    /// </summary>
    /// <param name="at">The moment for which it is asked what follows.</param>
    public ImmutableArray<Finding> NewFindings(DateTimeOffset at)
    {
        var told = Everything(_before, at).Select(What).ToHashSet();
        return [.. Everything(_texts, at).Where(one => !told.Contains(What(one)))];
    }

    private IEnumerable<Finding> Everything(IEnumerable<KeyValuePair<string, string>> texts, DateTimeOffset at)
    {
        PolicyReading reading = Read(texts);
        PolicyCheckResult result = PolicyCheck.Run(reading);
        return result.Findings.Concat(PolicyConsequences.Of(reading.Documents, result.Datacentre, at)
            .Where(one => !one.IsNote));
    }

    /// <summary>Lines move with every change; what is wrong does not.</summary>
    private static (FindingCode, string, string, string) What(Finding one) =>
        (one.Code, one.File, one.Pointer, LineNumber().Replace(one.Sentence, ".yaml"));

    [GeneratedRegex("\\.yaml:[0-9]+")]
    private static partial Regex LineNumber();

    /// <summary>Writes the changed files, each as a whole: after a crash it is the old one or the new one.</summary>
    /// <exception cref="CustodyException">A file was changed by somebody else meanwhile; nothing more is written.
    /// </exception>
    public void Write()
    {
        foreach (var (file, text) in _texts.Where(one => one.Value != _before[one.Key]))
        {
            string path = Path.Combine(_directory, file);
            if (File.ReadAllText(path) != _before[file])
            {
                throw new CustodyException($"{path} was changed meanwhile. Nothing was written to it; try again.");
            }

            string beside = path + ".new";
            File.WriteAllText(beside, text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
            File.SetUnixFileMode(beside, File.GetUnixFileMode(path));
            File.Move(beside, path, overwrite: true);
        }
    }

    private PolicyReading Read(IEnumerable<KeyValuePair<string, string>> texts) => PolicyDocuments.ReadYaml(
        texts.Select(one => (one.Key, (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(one.Value))), _names);

    private static PolicyHunk Hunk(string file, string before, string after)
    {
        string[] old = Lines(before), now = Lines(after);
        int least = Math.Min(old.Length, now.Length);
        int head = Enumerable.Range(0, least).TakeWhile(i => old[i] == now[i]).Count();
        int tail = Enumerable.Range(1, least - head).TakeWhile(i => old[^i] == now[^i]).Count();
        return new PolicyHunk(file, head + 1, [.. old[head..^tail]], [.. now[head..^tail]]);
    }

    private static string[] Lines(string text) => text.TrimEnd('\n').Split('\n');
}
