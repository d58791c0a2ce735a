using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Factory;

/// <summary>Makes the units of this host from its managers.</summary>
public sealed class UnitMaker(
    PlanKeeper plans, HostNetwork network, CompartmentManager compartments, VirtualStorageManager storage,
    TimeProvider time) : IUnitMaker
{
    /// <inheritdoc/>
    public IReconciled Host() => new HostUnit(plans, network, time);

    /// <inheritdoc/>
    public IReconciled Machines() => new MachineUnit(plans, network, compartments, time);

    /// <inheritdoc/>
    public IReconciled Domain(DomainRef domain) => new TvdProxy(domain, plans, network.Domains, compartments, time);

    /// <inheritdoc/>
    public IReconciled Passage(string name) => new PassageUnit(name, plans, network.Passages, time);

    /// <inheritdoc/>
    public IReconciled Returns(PartyId tenant) => new ReturnUnit(tenant, plans, storage, time);

    /// <inheritdoc/>
    public IEnumerable<PartyId> Tenants(EnforcedPlan plan)
    {
        IEnumerable<PartyId> now = plan.Plan.Domains.Select(d => d.Domain.Tenant);
        IEnumerable<PartyId> held = storage.Held
            .Select(v => PartyId.TryParse(v.Volume.Split('/')[0], out PartyId? tenant) ? tenant : null)
            .OfType<PartyId>();
        return now.Concat(held).Distinct();
    }
}
