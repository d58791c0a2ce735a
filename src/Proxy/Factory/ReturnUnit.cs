using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Factory;

/// <summary>
/// Gives volumes of one tenant back after their machines have stopped. One unit per tenant, so that a key service that
/// does not answer holds up nobody else.
/// </summary>
public sealed class ReturnUnit(PartyId tenant, PlanKeeper plans, VirtualStorageManager storage, TimeProvider time)
    : IReconciled
{
    /// <inheritdoc/>
    public UnitStatus Status { get; } = new($"volumes of {tenant}", time);

    /// <inheritdoc/>
    public async Task ReconcileAsync(CancellationToken stop)
    {
        string own = $"{tenant}/";
        WorldException? first = null;
        foreach (HeldVolume volume in storage.Held.Where(v => v.Volume.StartsWith(own, StringComparison.Ordinal)))
        {
            string problem = await storage.ReturnAsync(plans.Current, volume, stop).ConfigureAwait(false);
            if (problem.Length > 0)
            {
                // One that cannot be given back must not keep the others here.
                first ??= new WorldException(["give back", volume.Volume], -1, problem);
            }
        }

        if (first is not null)
        {
            throw first;
        }

        Status.Turn(UnitHealth.Converged, "");
    }

    /// <inheritdoc/>
    public Task CloseAsync() => Task.CompletedTask;
}
