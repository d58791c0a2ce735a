using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Proxy.Factory;

/// <summary>
/// The delegate of one trusted virtual domain on this host: it brings the domain's network, machines and ports to the
/// plan, in its own loop, so that no other domain's trouble stops or delays it. The order within a run is: what must
/// not be is taken away; rules before bridges, bridges before machines, machines before live ports.
/// </summary>
public sealed class TvdProxy(
    DomainRef domain, PlanKeeper plans, VirtualNetworkManager network, CompartmentManager compartments,
    TimeProvider time) : IReconciled
{
    /// <inheritdoc/>
    public UnitStatus Status { get; } = new(domain.ToString(), time);

    /// <summary>The domain.</summary>
    public DomainRef Domain { get; } = domain;

    /// <inheritdoc/>
    public async Task ReconcileAsync(CancellationToken stop)
    {
        EnforcedPlan plan = plans.Current;
        if (plan.Domain(Domain) is not { } own)
        {
            // The domain has left the plan: the host's own unit sweeps what it leaves behind.
            return;
        }

        // Before the network, which takes longer and may fail: until then runs what the host is not trusted with.
        Apply apply = new(Status);
        foreach (CompartmentPlan machine in own.Compartments)
        {
            apply.Try($"check {machine.DisplayName}", () => compartments.Revoke(plan, machine));
            apply.Try($"hold {machine.DisplayName}", () => compartments.Hold(plans, machine));
        }

        if (!apply.Try("network", () => network.Bring(plan, own, apply)))
        {
            apply.Undo();
            apply.ThrowFirst();
        }

        apply.Try("services", () => network.Serve(own));
        foreach (CompartmentPlan machine in own.Compartments)
        {
            stop.ThrowIfCancellationRequested();
            if (!plans.Current.WantsRunning(machine))
            {
                // It was let go of since the round began.
                continue;
            }

            await apply.TryAsync(
                $"run {machine.DisplayName}", () => compartments.GrantAsync(plan, machine, Follow, stop))
                .ConfigureAwait(false);
        }

        apply.Try("ports", () => network.ConfirmPorts(
            plan, own, () => compartments.DeadPorts(plan, plans.Current)));
        apply.End();

        EnforcedPlan Follow()
        {
            if (plans.Current is var now && now.Digest != plan.Digest && now.Domain(Domain) is { } newest)
            {
                // From here on the run is under the newer plan, whatever becomes of it.
                (plan, own) = (now, newest);
                network.Bring(plan, own, apply);
            }

            return plan;
        }
    }

    /// <inheritdoc/>
    public Task CloseAsync()
    {
        EnforcedPlan plan = plans.Current;
        if (plan.Domain(Domain) is { } own)
        {
            network.KillPorts(plan, own, "The domain's unit was stopped by a bug.");
        }

        return Task.CompletedTask;
    }
}
