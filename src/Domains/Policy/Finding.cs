namespace Bailiwick.Domains.Policy;

/// <summary>One problem in a policy, with its place and one sentence that says what to change.</summary>
/// <param name="Code">The kind of problem; tests and programs match on this.</param>
/// <param name="File">The authored file, or the statement's text form when it was signed.</param>
/// <param name="Line">1-based line in <paramref name="File"/>; 0 when there is none.</param>
/// <param name="Pointer">JSON pointer (RFC 6901) into the document.</param>
/// <param name="Sentence">What is wrong and what to do.</param>
public sealed record Finding(FindingCode Code, string File, int Line, string Pointer, string Sentence);
