using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Channel.Board;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Master.Placing;

/// <summary>
/// What the verifiers say of hosts: each tenant's key service of its own domains, and hosts of each other. The Master
/// verifies nothing of it and could not be believed if it did; it shows it, and proposes other places by what the key
/// services say. What hosts say of each other only is shown: a host could else drive another's machines away. In memory
/// only: everybody says it again soon.
/// </summary>
public sealed class TrustDesk(ReportDesk reports, TimeProvider time)
{
    private const string Held = "held";
    private readonly ConcurrentDictionary<PartyId, Said> _said = [];
    private readonly ConcurrentDictionary<(string Host, string Domain), DateTimeOffset> _doubted = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when a key service says something else than before; ask for it before reading.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    /// <summary>Whether any host lacks a lease now, so that machines may be on their way.</summary>
    public bool AnyDoubt => Current().Any(said => said.Report.Leases.Any(lease => lease.Standing != Held));

    /// <summary>Takes what a tenant's key service says; of what is not the tenant's it says nothing.</summary>
    public void Put(PartyId tenant, LeaseReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        LeaseReport own = new(
            [.. report.Leases.Where(lease => IsOf(tenant, lease.Domain))],
            [.. report.Holders.Where(holder => IsOf(tenant, holder.Volume))],
            [.. report.Restarts.Where(restart => IsOf(tenant, restart.Compartment))]);
        DateTimeOffset now = time.GetUtcNow();
        HashSet<(string, string)> doubts =
            [.. own.Leases.Where(lease => lease.Standing != Held).Select(lease => (lease.Host, lease.Domain))];
        foreach (var gone in _doubted.Keys.Where(key => IsOf(tenant, key.Domain) && !doubts.Contains(key)))
        {
            _doubted.TryRemove(gone, out _);
        }

        foreach (var doubt in doubts)
        {
            _doubted.TryAdd(doubt, now);
        }

        bool same = _said.TryGetValue(tenant, out Said? before) && before.Report.Leases.SequenceEqual(own.Leases)
            && before.Report.Holders.SequenceEqual(own.Holders);
        _said[tenant] = new Said(own, now);
        if (!same)
        {
            Interlocked.Exchange(
                ref _changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        }
    }

    /// <summary>What everybody says of a host.</summary>
    public ImmutableArray<HostStanding> Of(string host) =>
    [
        .. Current().SelectMany(said => said.Report.Leases).Where(lease => lease.Host == host)
            .Select(lease => new HostStanding(lease.Domain, "key service", lease.Standing, lease.Because))
            .Concat(reports.Fresh().SelectMany(one => one.Report.Peers.Where(peer => peer.Host == host)
                .Select(peer => new HostStanding(peer.Domain, one.Host, peer.Standing, peer.Because))))
            .OrderBy(standing => standing.Domain, StringComparer.Ordinal)
            .ThenBy(standing => standing.By, StringComparer.Ordinal),
    ];

    /// <summary>Which hosts may restart a machine without asking, as its tenant's key service says.</summary>
    public ImmutableArray<ReportedRestart> RestartsOf(string compartment) =>
    [
        .. Current().SelectMany(said => said.Report.Restarts).Where(one => one.Compartment == compartment)
            .OrderBy(one => one.Host, StringComparer.Ordinal),
    ];

    /// <summary>What the planner is told now.</summary>
    public PlacementTrust View()
    {
        var doubts = Current().SelectMany(said => said.Report.Leases).Where(lease => lease.Standing != Held)
            .GroupBy(lease => (lease.Host, lease.Domain)).ToDictionary(group => group.Key, group => group.First());
        var holders = Current().SelectMany(said => said.Report.Holders)
            .ToHashSet();
        return new PlacementTrust(
            (host, domain) => doubts.GetValueOrDefault((host.ToString(), domain.ToString()))?.Because,
            (host, machine, volume) =>
                holders.Contains(new ReportedHolder(volume.ToString(), host.ToString(), machine.ToString())),
            RunsOn);
    }

    /// <summary>
    /// An honest host ends within seconds what it is not trusted with, and says so; one that says otherwise for longer
    /// is not waited for.
    /// </summary>
    private bool RunsOn(CompartmentRef machine, HostRef host)
    {
        string name = host.ToString();
        DateTimeOffset now = time.GetUtcNow();
        return reports.Fresh().Any(one => one.Host == name && one.Report.Compartments.Any(
                row => row.Ref == machine.ToString() && row.State is not ("stopped" or "refused")))
            && _doubted.Any(doubt => doubt.Key.Host == name && IsOf(machine.Tenant, doubt.Key.Domain)
                && now - doubt.Value < TimeSpan.FromSeconds(MasterLimits.LeavingSeconds));
    }

    private IEnumerable<Said> Current()
    {
        DateTimeOffset now = time.GetUtcNow();
        return _said.Values.Where(said => now - said.At < TimeSpan.FromSeconds(MasterLimits.LeaseReportSeconds));
    }

    private static bool IsOf(PartyId tenant, string reference) => reference.Split('/')[0] == tenant.ToString();

    private sealed record Said(LeaseReport Report, DateTimeOffset At);
}
