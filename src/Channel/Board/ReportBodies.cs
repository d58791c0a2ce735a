using System.Collections.Immutable;

namespace Bailiwick.Channel.Board;

/// <summary>What a host says of itself. The board stores and shows it; nobody is admitted because of it.</summary>
/// <param name="Checkpoint">The signed note of the newest checkpoint that the host follows.</param>
/// <param name="Compartments">Its machines.</param>
/// <param name="Peers">How it judges the other hosts of its domains.</param>
/// <param name="RefusedStatements">Statements that it refuses.</param>
/// <param name="Problems">Anything else that its operator should know, as sentences.</param>
public sealed record HostReport(
    string Checkpoint,
    ImmutableArray<CompartmentReport> Compartments,
    ImmutableArray<ReportedLease> Peers,
    ImmutableArray<ReportedReason> RefusedStatements,
    ImmutableArray<string> Problems);

/// <summary>One machine on a host.</summary>
/// <param name="Ref">`tenant id/name`.</param>
/// <param name="State">One word: running, paused, stopped, refused, starting, stopping, failed.</param>
/// <param name="Refusals">Why it is refused; empty if it is not.</param>
public sealed record CompartmentReport(string Ref, string State, ImmutableArray<ReportedReason> Refusals);

/// <summary>A reason in a report.</summary>
/// <param name="Code">The reason.</param>
/// <param name="Sentence">Why, in one sentence.</param>
public sealed record ReportedReason(string Code, string Sentence);
