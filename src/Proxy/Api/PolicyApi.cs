using Bailiwick.Channel.Principals;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.DryRuns;
using Bailiwick.Domains.Explaining;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Api;

/// <summary>What a tenant may ask of the policies that this host enforces.</summary>
public sealed class PolicyApi(PlanKeeper plans, TimeProvider time)
{
    private readonly Lock _turn = new();

    /// <summary>Adds the handlers.</summary>
    public RouteMap AddTo(RouteMap routes)
    {
        ArgumentNullException.ThrowIfNull(routes);
        return routes
            .Handle<AskedWhy, Explanation>(ProxyRoutes.Why, (call, asked) => Task.FromResult(Why(call, asked)))
            .Handle<AskedFindings, ToldFindings>(
                ProxyRoutes.Findings, (call, asked) => Task.Run(() => Findings(call, asked)))
            .Handle<AskedDryRun, PolicyDryRun>(
                ProxyRoutes.DryRun, (call, asked) => Task.Run(() => DryRun(call, asked)));
    }

    private static RouteProblem OnlyTenants { get; } = new(
        403, "not-yours", "Only a tenant asks a host about its policies.",
        "Ask the board, which shows an operator all of them.");

    private static PartyId? ReaderOf(RouteCall call) =>
        call.Caller is { Kind: PrincipalKind.TenantAdmin or PrincipalKind.TenantAuditor, Party: { } reader }
            ? reader : null;

    private RouteAnswer<ToldFindings> Findings(RouteCall call, AskedFindings asked)
    {
        if (ReaderOf(call) is not { } reader)
        {
            return new RouteAnswer<ToldFindings>.Refused(OnlyTenants);
        }

        lock (_turn)
        {
            return new RouteAnswer<ToldFindings>.Ok(ToldFindings.Of(plans.FindingsFor(reader, asked.At)));
        }
    }

    private RouteAnswer<PolicyDryRun> DryRun(RouteCall call, AskedDryRun asked)
    {
        if (ReaderOf(call) is not { } reader)
        {
            return new RouteAnswer<PolicyDryRun>.Refused(OnlyTenants);
        }

        // All machines are placed anew in thought: one question at a time, or they take the host's processors.
        lock (_turn)
        {
            EnforcedPlan plan = plans.Current;
            return plans.With(asked.Envelopes.Select(CanonicalJson.Write), reader, out string? refused) is { } after
                ? new RouteAnswer<PolicyDryRun>.Ok(
                    PolicyDryRun.Of(plan.Datacentre, after, plan.Proposals, time.GetUtcNow(), reader))
                : new RouteAnswer<PolicyDryRun>.Refused(new RouteProblem(
                    409, "refused", refused ?? "", "Sign them on top of what the board has, and ask again."));
        }
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
        return ReaderOf(call) is { } reader
            && PolicyWhy.Answer(plan.Datacentre, question, plan.Proposals, reader, time.GetUtcNow()) is { } told
                ? new RouteAnswer<Explanation>.Ok(told)
                : new RouteAnswer<Explanation>.Refused(new RouteProblem(
                    403, "not-yours", "Nothing in the question is of the caller's tenant.",
                    "Name a machine or a volume of your own."));
    }
}
