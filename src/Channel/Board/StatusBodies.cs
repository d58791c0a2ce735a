using System.Collections.Immutable;

namespace Bailiwick.Channel.Board;

/// <summary>What the board knows, as far as the caller may see it.</summary>
/// <param name="Checkpoint">The newest checkpoint's note.</param>
/// <param name="Hosts">Hosts with their last reports.</param>
/// <param name="Compartments">Machines.</param>
/// <param name="Domains">Trusted virtual domains.</param>
public sealed record BoardStatus(
    string Checkpoint,
    ImmutableArray<HostStatus> Hosts,
    ImmutableArray<CompartmentStatus> Compartments,
    ImmutableArray<DomainStatus> Domains);

/// <summary>One host.</summary>
/// <param name="Host">`operator id/name`.</param>
/// <param name="Assurance">The best assurance its statement claims.</param>
/// <param name="State">`silent` (no report since the board's start), `reporting`, or `late` (none for 30 s).</param>
/// <param name="Draining">Whether it should be emptied.</param>
/// <param name="Checkpoint">The signed note it last reported; null when silent.</param>
/// <param name="Standings">How verifiers say that it stands for domains. Not verified here.</param>
/// <param name="RefusedStatements">Statements it refuses.</param>
/// <param name="Problems">Its problems, in sentences.</param>
public sealed record HostStatus(
    string Host, string Assurance, string State, bool Draining, string? Checkpoint,
    ImmutableArray<HostStanding> Standings, ImmutableArray<ReportedReason> RefusedStatements,
    ImmutableArray<string> Problems);

/// <summary>One machine.</summary>
/// <param name="Compartment">`tenant id/name`.</param>
/// <param name="Host">Where it is suggested, or null.</param>
/// <param name="Running">Whether it should run.</param>
/// <param name="Reason">Why there, or why nowhere.</param>
/// <param name="State">What its host last reported of it; `unknown` if nothing.</param>
/// <param name="Refusals">Why its host refuses it.</param>
/// <param name="Restarts">Which hosts may restart it without asking, as its tenant's key service says.</param>
public sealed record CompartmentStatus(
    string Compartment, string? Host, bool Running, string Reason, string State,
    ImmutableArray<ReportedReason> Refusals, ImmutableArray<ReportedRestart> Restarts);

/// <summary>One trusted virtual domain.</summary>
/// <param name="Domain">`tenant id/name`.</param>
/// <param name="State">`whole`, `partial` or `down`: how many of the machines that should run do.</param>
/// <param name="Machines">Machines that are members.</param>
/// <param name="Running">Members that their hosts report as running.</param>
/// <param name="Hosts">Hosts on which members are suggested.</param>
/// <param name="Expires">When the policy expires, as the statement writes it.</param>
public sealed record DomainStatus(
    string Domain, string State, int Machines, int Running, ImmutableArray<string> Hosts, string Expires);
