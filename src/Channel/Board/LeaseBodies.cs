using System.Collections.Immutable;

namespace Bailiwick.Channel.Board;

/// <summary>
/// How hosts stand with a tenant's key service, for the Master to propose other places. It decides nothing: the key
/// service gives no key to a host without a lease, whatever the Master proposes.
/// </summary>
/// <param name="Leases">Every standing; of the tenant's own domains only.</param>
/// <param name="Holders">Who holds the keys of which volumes; of the tenant's own volumes only.</param>
/// <param name="Restarts">Which hosts may restart machines without asking; of the tenant's own machines only.</param>
public sealed record LeaseReport(
    ImmutableArray<ReportedLease> Leases, ImmutableArray<ReportedHolder> Holders,
    ImmutableArray<ReportedRestart> Restarts);

/// <summary>That a host may restart a machine without asking.</summary>
/// <param name="Compartment">`tenant id/name`.</param>
/// <param name="Host">`operator id/name`.</param>
/// <param name="Until">Until when, by the key service's clock.</param>
public sealed record ReportedRestart(string Compartment, string Host, DateTimeOffset Until);

/// <summary>How a host stands for a domain.</summary>
/// <param name="Host">`operator id/name`.</param>
/// <param name="Domain">`tenant id/name`.</param>
/// <param name="Standing">`held`, `refused` or `silent`.</param>
/// <param name="Because">Why it is not trusted; empty while it is.</param>
public sealed record ReportedLease(string Host, string Domain, string Standing, string Because);

/// <summary>Who holds a volume's key.</summary>
/// <param name="Volume">`tenant id/name`.</param>
/// <param name="Host">`operator id/name`.</param>
/// <param name="Compartment">The machine that uses it: `tenant id/name`.</param>
public sealed record ReportedHolder(string Volume, string Host, string Compartment);

/// <summary>How a verifier says that a host stands for a domain.</summary>
/// <param name="Domain">`tenant id/name`.</param>
/// <param name="By">Who says so: `key service`, or another host as `operator id/name`.</param>
/// <param name="Standing">`held`, `refused` or `silent`.</param>
/// <param name="Because">Why it is not trusted; empty while it is.</param>
public sealed record HostStanding(string Domain, string By, string Standing, string Because);
