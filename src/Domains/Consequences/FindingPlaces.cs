using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Policy.Checking;

namespace Bailiwick.Domains.Consequences;

/// <summary>What is found, each at its place in the owner's document.</summary>
internal sealed class FindingPlaces
{
    private readonly Dictionary<Subject, PolicyDocument> _documents;
    private readonly List<Finding> _findings = [];

    public FindingPlaces(IEnumerable<PolicyDocument> documents) => _documents = documents
        .GroupBy(document => Subject.Of(document.Origin)).ToDictionary(group => group.Key, group => group.First());

    /// <summary>Everything found so far.</summary>
    public ImmutableArray<Finding> All => [.. _findings];

    /// <summary>Says what follows from a statement.</summary>
    public void Add(StatementOrigin about, FindingCode code, string pointer, string sentence) =>
        _findings.Add(_documents[Subject.Of(about)].Fault(code, pointer, sentence));

    /// <summary>Where a statement says something: <c>bank/web.yaml:8</c>, or the statement when it was signed.
    /// </summary>
    public string At(StatementOrigin origin, string pointer)
    {
        var document = _documents[Subject.Of(origin)];
        return document.IsSigned
            ? $"{origin} {pointer}"
            : string.Create(CultureInfo.InvariantCulture, $"{document.File}:{document.LineAt(pointer)}");
    }
}
