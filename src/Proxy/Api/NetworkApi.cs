using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Tracing;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Api;

/// <summary>What a tenant may see of its networks on this host.</summary>
public sealed class NetworkApi(PlanKeeper plans, TimeProvider time)
{
    /// <summary>Adds the handlers.</summary>
    public RouteMap AddTo(RouteMap routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        return routes.Handle<AskedTrace, TraceReport>(
            ProxyRoutes.Trace, (call, asked) => Task.FromResult(Trace(call, asked)));
    }

    /// <summary>
    /// Follows the packet through this host's plan as it is in force, and through the others' as they follow from the
    /// same statements and proposals.
    /// </summary>
    private RouteAnswer<TraceReport> Trace(RouteCall call, AskedTrace asked)
    {
        if (!asked.TryRead(out TraceQuestion? question))
        {
            return new RouteAnswer<TraceReport>.Refused(new RouteProblem(
                400, "bad-question", "A trace goes from a machine's reference to another's, to tcp/N, udp/N or icmp.",
                "Name two machines and a service."));
        }

        EnforcedPlan plan = plans.Current;
        DateTimeOffset now = time.GetUtcNow();
        HostRef[] others =
        [
            .. plan.Proposals.Where(p => p.Compartment == question.From || p.Compartment == question.To)
                .Select(p => p.Host).Where(host => host != plan.Plan.Host).Distinct(),
        ];
        PacketTrace trace = Tracer.Run(
            others.Select(host => Refine.ForHost(plan.Datacentre, plan.Proposals, host, now)).Prepend(plan.Plan),
            question);
        return call.Caller is { Kind: PrincipalKind.TenantAdmin or PrincipalKind.TenantAuditor, Party: { } reader }
            && TraceReport.For(trace, plan.Datacentre, reader, now) is { } report
                ? new RouteAnswer<TraceReport>.Ok(report)
                : new RouteAnswer<TraceReport>.Refused(new RouteProblem(
                    403, "not-yours", "Neither machine is of the caller's tenant.", "Name a machine of your own."));
    }
}
