using System.Collections.Immutable;

namespace Bailiwick.Ledger.Documents;

/// <summary>
/// What a kind of signed document is: its media type in the envelope (so that a signature over one kind never counts
/// for another), the value of its member `bailiwick`, and its other members.
/// </summary>
/// <param name="MediaType">The payload type of the DSSE envelope.</param>
/// <param name="Version">The value of the member `bailiwick`.</param>
/// <param name="Members">The other members; all must be there and no more.</param>
public sealed record DocumentFormat(string MediaType, string Version, ImmutableArray<string> Members)
{
    internal string[] AllMembers { get; } = [.. Members, "bailiwick"];
}
