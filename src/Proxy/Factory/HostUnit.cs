using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Proxy.Factory;

/// <summary>
/// What belongs to no single domain: the host's guard, its uplink, and devices, namespaces and tables left behind by a
/// domain that has gone or by a Proxy that died.
/// </summary>
public sealed class HostUnit(PlanKeeper plans, HostNetwork network, TimeProvider time) : IReconciled
{
    /// <inheritdoc/>
    public UnitStatus Status { get; } = new("host", time);

    /// <inheritdoc/>
    public Task ReconcileAsync(CancellationToken stop)
    {
        EnforcedPlan plan = plans.Current;
        Apply apply = new(Status);
        apply.Try("bridges apart", network.Guard.KeepBridgesApart);
        apply.Try("guard", () => network.Guard.Ensure(plan.Plan));
        apply.Try("leftovers", () => network.Sweep.RemoveLeftovers(plan.Plan, IsInForce));
        apply.Try("uplink", () => network.Uplink.Bring(plan.Plan));
        apply.End();
        return Task.CompletedTask;

        bool IsInForce() => ReferenceEquals(plan, plans.Current);
    }

    /// <inheritdoc/>
    public Task CloseAsync()
    {
        network.Guard.KillAll("The host's unit was stopped by a bug.");
        return Task.CompletedTask;
    }
}
