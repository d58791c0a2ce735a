using System.Collections.Immutable;

namespace Bailiwick.Domains.Policy;

/// <summary>What a host is asked: what is wrong with the policies it has, and what follows from them.</summary>
/// <param name="At">The moment for which it is asked.</param>
public sealed record AskedFindings(DateTimeOffset At);

/// <summary>What a host answers, as far as it is the caller's to know.</summary>
/// <param name="Findings">In order; notes are among them.</param>
public sealed record ToldFindings(ImmutableArray<ToldFinding> Findings)
{
    /// <summary>Findings in the form in which they are told.</summary>
    public static ToldFindings Of(IEnumerable<Finding> findings) => new(
        [.. findings.Select(one => new ToldFinding(one.Code, one.File, one.Pointer, one.Sentence))]);

    /// <summary>The findings that were told.</summary>
    public ImmutableArray<Finding> Read() =>
        [.. Findings.Select(one => new Finding(one.Code, one.Statement, 0, one.Pointer, one.Sentence))];
}

/// <summary>One finding in a signed statement, which has no lines.</summary>
/// <param name="Code">What kind of problem.</param>
/// <param name="Statement"><c>Domain bank/web r3</c>.</param>
/// <param name="Pointer">JSON pointer (RFC 6901) into it.</param>
/// <param name="Sentence">For people.</param>
public sealed record ToldFinding(FindingCode Code, string Statement, string Pointer, string Sentence);
