using System.Collections.Immutable;

namespace Bailiwick.Domains.Policy;

/// <summary>One problem in a policy, with its place and one sentence that says what to change.</summary>
/// <param name="Code">The kind of problem; tests and programs match on this.</param>
/// <param name="File">The authored file, or the statement's text form when it was signed.</param>
/// <param name="Line">1-based line in <paramref name="File"/>; 0 when there is none.</param>
/// <param name="Pointer">JSON pointer (RFC 6901) into the document.</param>
/// <param name="Sentence">What is wrong and what to do.</param>
public sealed record Finding(FindingCode Code, string File, int Line, string Pointer, string Sentence)
{
    /// <summary>
    /// Whether nothing is wrong: what will be, or what the statements say and their owners may not have meant.
    /// </summary>
    public bool IsNote =>
        Code is FindingCode.ExpiresSoon or FindingCode.MeetElsewhere or FindingCode.FlowBesideMember;

    /// <summary>Each once, by file, line and pointer.</summary>
    internal static ImmutableArray<Finding> Sorted(IEnumerable<Finding> findings) =>
    [
        .. findings.Distinct().OrderBy(finding => finding.File, StringComparer.Ordinal).ThenBy(finding => finding.Line)
            .ThenBy(finding => finding.Pointer, StringComparer.Ordinal).ThenBy(finding => finding.Code)
            .ThenBy(finding => finding.Sentence, StringComparer.Ordinal),
    ];
}
