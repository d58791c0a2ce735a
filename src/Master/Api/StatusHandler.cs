using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Channel.Board;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.Policy;
using Bailiwick.Master.Log;
using Bailiwick.Master.Placing;
using Bailiwick.Master.Reading;
using Bailiwick.Master.Store;

namespace Bailiwick.Master.Api;

/// <summary>
/// What the board knows. Hosts are everybody's to see (their statements are public), but of a host's reports a tenant
/// sees only what concerns its own machines.
/// </summary>
internal sealed class StatusHandler(BoardLog log, PlacementDesk desk, ReportDesk reports, TrustDesk trust)
{
    public Task<RouteAnswer<PlacementList>> Placements(RouteCall call) =>
        Task.FromResult<RouteAnswer<PlacementList>>(
            new RouteAnswer<PlacementList>.Ok(new PlacementList(desk.RowsFor(call.Caller))));

    public Task<RouteAnswer<BoardStatus>> Status(RouteCall call)
    {
        var (state, placed) = (log.State, desk.Placed);
        var machines = desk.RowsFor(call.Caller).Select(Machine).ToImmutableArray();
        return Task.FromResult<RouteAnswer<BoardStatus>>(new RouteAnswer<BoardStatus>.Ok(new BoardStatus(
            state.Note,
            [.. placed.Datacentre.Inventory.Hosts.Values.Select(host => Host(host, state, call.Caller))],
            machines,
            [
                .. placed.Datacentre.Domains.Values
                    .Where(domain => ReadingRule.MaySee(call.Caller, domain.Ref.Tenant))
                    .Select(domain => Domain(domain, placed.Datacentre, machines)),
            ])));
    }

    private HostStatus Host(HostModel host, BoardState state, Principal caller)
    {
        var name = host.Ref.ToString();
        // Refused statements and problems name other tenants' subjects.
        var report = ReadingRule.MaySee(caller, host.Ref.Operator) ? reports.Find(name)?.Report : null;
        return new HostStatus(
            name, WireText.Of(host.Assurance), reports.StateOf(name),
            state.Ordered(OrderKind.Drain, name, otherwise: false), reports.Find(name)?.Report.Checkpoint,
            [.. trust.Of(name).Where(standing => ReadingRule.MaySee(caller, PlacementDesk.PartyOf(standing.Domain)))],
            report?.RefusedStatements ?? [], report?.Problems ?? []);
    }

    private CompartmentStatus Machine(PlacementRow row)
    {
        // Only the host where it is suggested is asked: no other host should run it.
        var report = row.Host is null
            ? null
            : reports.Find(row.Host)?.Report.Compartments.FirstOrDefault(machine => machine.Ref == row.Compartment);
        return new CompartmentStatus(
            row.Compartment, row.Host, row.Running, row.Reason, report?.State ?? "unknown", report?.Refusals ?? [],
            trust.RestartsOf(row.Compartment));
    }

    private static DomainStatus Domain(
        DomainModel domain, CheckedDatacentre datacentre, ImmutableArray<CompartmentStatus> machines)
    {
        var members = datacentre.Machinery.Compartments.Values
            .Where(machine => machine.Ref.Tenant == domain.Ref.Tenant
                && machine.Nics.Any(nic => nic.Domain == domain.Ref.Name))
            .Select(machine => machine.Ref.ToString()).ToHashSet(StringComparer.Ordinal);
        var rows = machines.Where(machine => members.Contains(machine.Compartment)).ToArray();
        var wanted = rows.Count(machine => machine.Running);
        var running = rows.Count(machine => machine.State == "running");
        return new DomainStatus(
            domain.Ref.ToString(), running >= wanted ? "whole" : running == 0 ? "down" : "partial", members.Count,
            running, [.. rows.Select(row => row.Host).OfType<string>().Distinct().Order(StringComparer.Ordinal)],
            domain.Expires.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
    }
}
