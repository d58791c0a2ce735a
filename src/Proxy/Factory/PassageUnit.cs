using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Proxy.Factory;

/// <summary>One passage between two domains on this host. It is neither's, so neither waits for it.</summary>
public sealed class PassageUnit(string name, PlanKeeper plans, PassageKeeper passages, TimeProvider time)
    : IReconciled
{
    /// <inheritdoc/>
    public UnitStatus Status { get; } = new($"passage {name}", time);

    /// <inheritdoc/>
    public Task ReconcileAsync(CancellationToken stop)
    {
        EnforcedPlan plan = plans.Current;
        if (plan.Plan.Passages.FirstOrDefault(p => p.Name == name) is not { } passage)
        {
            return Task.CompletedTask;
        }

        Apply apply = new(Status);
        if (!apply.Try("network", () => passages.Bring(plan, passage, apply)))
        {
            apply.Undo();
        }

        apply.End();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task CloseAsync()
    {
        EnforcedPlan plan = plans.Current;
        if (plan.Plan.Passages.FirstOrDefault(p => p.Name == name) is { } passage)
        {
            passages.Close(plan, passage, "The passage's unit was stopped by a bug.");
        }

        return Task.CompletedTask;
    }
}
