using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Proxy.Factory;

/// <summary>
/// Lets go of machines: ends those that are in no plan, and pauses those with which this host is not trusted. In a loop
/// of its own, for what the other units do takes long on a host that has just begun, and until then would run what must
/// not.
/// </summary>
public sealed class MachineUnit(
    PlanKeeper plans, HostNetwork network, CompartmentManager compartments, TimeProvider time) : IReconciled
{
    /// <inheritdoc/>
    public UnitStatus Status { get; } = new("machines", time);

    /// <inheritdoc/>
    public Task ReconcileAsync(CancellationToken stop)
    {
        EnforcedPlan plan = plans.Current;
        Apply apply = new(Status);
        foreach (CompartmentPlan machine in plan.Machines.Where(one => plan.Lost.ContainsKey(one.Ref)))
        {
            apply.Try($"hold {machine.DisplayName}", () => compartments.Hold(plans, machine));
        }

        apply.Try("dead ports", () => network.Sweep.KillStrayPorts(plan.Plan, plans.Names.Has));
        apply.Try("stray machines", () => compartments.EndStrays(plan, plans));
        apply.End();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task CloseAsync()
    {
        network.Guard.KillAll("The unit that lets go of machines was stopped by a bug.");
        return Task.CompletedTask;
    }
}
