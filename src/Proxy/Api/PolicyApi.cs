using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.Explaining;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Api;

/// <summary>What a tenant may ask of the policies that this host enforces.</summary>
public sealed class PolicyApi(PlanKeeper plans, TimeProvider time)
{
    /// <summary>Adds the handlers.</summary>
    public RouteMap AddTo(RouteMap routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        return routes.Handle<AskedWhy, Explanation>(
            ProxyRoutes.Why, (call, asked) => Task.FromResult(Why(call, asked)));
    }

    private RouteAnswer<Explanation> Why(RouteCall call, AskedWhy asked)
    {
        if (asked.Read() is not { } question)
        {
            return new RouteAnswer<Explanation>.Refused(new RouteProblem(
                400, "bad-question", "It is asked why a machine reaches another, has a volume, or runs on a host.",
                "Name two references, and of a flow the service too."));
        }

        EnforcedPlan plan = plans.Current;
        return call.Caller is { Kind: PrincipalKind.TenantAdmin or PrincipalKind.TenantAuditor, Party: { } reader }
            && PolicyWhy.Answer(plan.Datacentre, question, plan.Proposals, reader, time.GetUtcNow()) is { } told
                ? new RouteAnswer<Explanation>.Ok(told)
                : new RouteAnswer<Explanation>.Refused(new RouteProblem(
                    403, "not-yours", "Nothing in the question is of the caller's tenant.",
                    "Name a machine or a volume of your own."));
    }
}
