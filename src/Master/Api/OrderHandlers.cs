using Bailiwick.Channel.Board;
using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Ledger.Statements;
using Bailiwick.Master.Log;
using Bailiwick.Master.Placing;
using Bailiwick.Master.Store;

namespace Bailiwick.Master.Api;

/// <summary>Power, drain, and the reports of hosts and key services.</summary>
internal sealed class OrderHandlers(BoardLog log, BoardWriter writer, ReportDesk reports, TrustDesk trust)
{
    public Task<RouteAnswer<Nothing>> Power(RouteCall call, PowerOrder order)
    {
        if (call.Caller.Kind == PrincipalKind.Operator && order.Running)
        {
            return Refuse(MasterProblems.OnlyStop);
        }

        return Subject(call, "tenant", StatementKind.Compartment) is { } machine
            ? Record(call, OrderKind.Power, machine, order.Running)
            : Refuse(MasterProblems.NotFound);
    }

    public Task<RouteAnswer<Nothing>> Drain(RouteCall call, DrainOrder order) =>
        Subject(call, "operator", StatementKind.Host) is { } host
            ? Record(call, OrderKind.Drain, host, order.Draining)
            : Refuse(MasterProblems.NotFound);

    public Task<RouteAnswer<Nothing>> Report(RouteCall call, HostReport report)
    {
        if (Subject(call, "operator", StatementKind.Host) is not { } host)
        {
            return Refuse(MasterProblems.NotFound);
        }

        reports.Put(host, report);
        return Task.FromResult<RouteAnswer<Nothing>>(new RouteAnswer<Nothing>.Ok(Nothing.Value));
    }

    public Task<RouteAnswer<Nothing>> Leases(RouteCall call, LeaseReport report)
    {
        if (call.Caller.Party is { } tenant)
        {
            trust.Put(tenant, report);
        }

        return Task.FromResult<RouteAnswer<Nothing>>(new RouteAnswer<Nothing>.Ok(Nothing.Value));
    }

    private async Task<RouteAnswer<Nothing>> Record(RouteCall call, OrderKind kind, string subject, bool value)
    {
        try
        {
            var position = await writer.Order(kind, subject, value, call.Caller.Key, call.Cancel);
            return new RouteAnswer<Nothing>.Recorded(Nothing.Value, new RouteReceipt("orders", position));
        }
        catch (BoardBusyException)
        {
            return new RouteAnswer<Nothing>.Refused(MasterProblems.Busy);
        }
        catch (BoardFailedException)
        {
            return new RouteAnswer<Nothing>.Refused(MasterProblems.StoreFailed);
        }
    }

    /// <summary>`party/name` of a subject that the log holds; null if it holds none.</summary>
    private string? Subject(RouteCall call, string party, StatementKind kind) =>
        call.Values.Party(party) is { } owner && call.Values.Name("name") is { } name
        && log.State.Book.Find(owner, kind, name) is not null
            ? $"{owner}/{name}"
            : null;

    private static Task<RouteAnswer<Nothing>> Refuse(RouteProblem problem) =>
        Task.FromResult<RouteAnswer<Nothing>>(new RouteAnswer<Nothing>.Refused(problem));
}
