using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Explaining;

/// <summary>One link of the chain from the statements to an answer.</summary>
/// <param name="Holds">Whether it holds; one that does not is why the answer is no.</param>
/// <param name="Sentence">What is said, or what would have to be.</param>
/// <param name="Because">The statement that says it, or would have to; null where nobody's statement does.</param>
public sealed record WhyLink(bool Holds, string Sentence, StatementOrigin? Because)
{
    /// <summary>The domain whose owner alone sees it; null where it is about nobody's domain.</summary>
    internal DomainRef? Domain { get; init; }
}

/// <summary>The chain of statements behind an answer, or the missing ones.</summary>
/// <param name="Question">What was asked, for people.</param>
/// <param name="Yes">True if every link holds, and there is one.</param>
/// <param name="Chain">From the first statement to the last.</param>
/// <param name="Aside">What else whoever asks should know.</param>
public sealed record Explanation(
    string Question, bool Yes, ImmutableArray<ExplainedLink> Chain, ImmutableArray<string> Aside);

/// <summary>A link as a reader sees it.</summary>
/// <param name="Holds">Whether it holds.</param>
/// <param name="Sentence">What is said, or what would have to be.</param>
/// <param name="Statement"><c>Domain bank/web r3</c>; empty where nobody's statement says it.</param>
/// <param name="File">The authored file; empty where it was read from a signed statement.</param>
/// <param name="Line">The line in that file where the statement starts; 0 without one.</param>
public sealed record ExplainedLink(bool Holds, string Sentence, string Statement, string File, int Line);
