using System.Collections.Immutable;

namespace Bailiwick.Channel.Keys;

/// <summary>Who could open a volume now.</summary>
/// <param name="Volume">`tenant id/name`.</param>
/// <param name="Rows">Each machine that names it, or a copy that is to be made of it, on each host.</param>
/// <param name="LeftOut">How many more rows there would be.</param>
public sealed record OpeningsBody(string Volume, ImmutableArray<OpeningRow> Rows, int LeftOut);

/// <summary>Whether a key would be released to a machine on a host now, if the host asked.</summary>
/// <param name="Compartment">`tenant id/name`.</param>
/// <param name="Host">`operator id/name`.</param>
/// <param name="Access">`read` or `write`: what the machine's statement asks.</param>
/// <param name="Copy">The volume that is to become a copy of it there, `tenant id/name`; empty mostly.</param>
/// <param name="Allowed">Whether it would be.</param>
/// <param name="Holds">Whether it has the key now.</param>
/// <param name="RestartUntil">Until when the host may open the key again without asking; null when it may not.</param>
/// <param name="Reasons">Everything against it; empty when it would be.</param>
public sealed record OpeningRow(
    string Compartment, string Host, string Access, string Copy, bool Allowed, bool Holds,
    DateTimeOffset? RestartUntil, ImmutableArray<OpeningReason> Reasons);

/// <summary>One reason against it, as a release would be refused.</summary>
/// <param name="Code">The kind of reason.</param>
/// <param name="Sentence">For people.</param>
public sealed record OpeningReason(string Code, string Sentence);
