using System.Collections.Immutable;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Domains.Policy.Reading;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// Demands on the measured state of a host, read from a file on their own: a list as it stands under
/// <c>hosts.evidence</c> of a domain, in YAML or JSON, or the file of a domain itself.
/// </summary>
/// <param name="Predicates">The demands; none when there is a finding.</param>
/// <param name="Findings">Everything that is wrong with the file.</param>
public sealed record DemandList(ImmutableArray<Predicate> Predicates, ImmutableArray<Finding> Findings)
{
    /// <summary>Reads a file, strictly.</summary>
    /// <param name="file">Its name, for findings.</param>
    /// <param name="utf8">Its content.</param>
    public static DemandList Read(string file, ReadOnlySpan<byte> utf8)
    {
        var faults = new DocumentFindings(file);
        ImmutableArray<YamlDocument> documents = YamlReader.Read(utf8, faults);
        foreach (YamlDocument document in documents)
        {
            faults.AddRange(document.Findings);
        }

        PolicyNode[] lists = [.. documents.Select(document => ListOf(document.Root)).OfType<PolicyNode>()];
        ImmutableArray<Predicate> predicates = [];
        if (lists is [var list])
        {
            predicates = Value.Of(list, faults).Predicates();
        }
        else if (!faults.Any)
        {
            faults.Add(
                FindingCode.WrongType, 1, "",
                $"The file has {lists.Length} lists of demands, and not one: write a list, or name the file of one "
                + "domain that has hosts.evidence.");
        }

        return new DemandList(faults.Any ? [] : predicates, [.. faults.All]);
    }

    private static PolicyNode? ListOf(PolicyNode root) => root switch
    {
        PolicyNode.Items => root,
        PolicyNode.Members members when members.Find("kind") is PolicyNode.Text { Value: "Domain" } =>
            (members.Find("hosts") as PolicyNode.Members)?.Find("evidence"),
        _ => null,
    };
}
