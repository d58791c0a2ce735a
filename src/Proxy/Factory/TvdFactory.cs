using System.Collections.Immutable;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Proxy.Factory;

/// <summary>
/// Makes one <see cref="TvdProxy"/> for each domain of the plan, one unit for each passage and for each tenant's
/// returns, and retires those whose subject has left the plan.
/// </summary>
public sealed class TvdFactory : IAsyncDisposable
{
    private readonly PlanKeeper _plans;
    private readonly IUnitMaker _maker;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Running> _units = new(StringComparer.Ordinal);
    private readonly List<Task> _retiring = [];
    private bool _closed;

    /// <summary>A factory that has made nothing yet.</summary>
    public TvdFactory(PlanKeeper plans, IUnitMaker maker, TimeProvider time)
    {
        _plans = plans;
        _maker = maker;
        _time = time;
    }

    /// <summary>How every unit is doing, by name.</summary>
    public ImmutableArray<UnitStatus> Statuses
    {
        get
        {
            lock (_lock)
            {
                return [.. _units.OrderBy(u => u.Key, StringComparer.Ordinal).Select(u => u.Value.Unit.Status)];
            }
        }
    }

    /// <summary>Begins to follow the plan.</summary>
    public void Start()
    {
        _plans.Changed += Follow;
        Follow();
    }

    /// <summary>Wakes every unit: something happened in the world.</summary>
    public void WakeAll()
    {
        lock (_lock)
        {
            foreach (Running unit in _units.Values)
            {
                unit.Loop.Wake();
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _plans.Changed -= Follow;
        Task[] all;
        lock (_lock)
        {
            _closed = true;
            all = [.. _retiring, .. _units.Values.Select(u => u.Loop.DisposeAsync().AsTask())];
            _units.Clear();
        }

        await Task.WhenAll(all).ConfigureAwait(false);
    }

    private void Follow()
    {
        EnforcedPlan plan = _plans.Current;
        Dictionary<string, Func<IReconciled>> wanted = new(StringComparer.Ordinal)
        {
            ["host"] = _maker.Host, ["machines"] = _maker.Machines,
        };
        foreach (var domain in plan.Plan.Domains)
        {
            wanted[$"domain {domain.Domain}"] = () => _maker.Domain(domain.Domain);
        }

        foreach (var passage in plan.Plan.Passages)
        {
            wanted[$"passage {passage.Name}"] = () => _maker.Passage(passage.Name);
        }

        foreach (PartyId tenant in _maker.Tenants(plan))
        {
            wanted[$"returns {tenant}"] = () => _maker.Returns(tenant);
        }

        lock (_lock)
        {
            if (_closed)
            {
                return;
            }

            _retiring.RemoveAll(t => t.IsCompleted);
            foreach (string name in _units.Keys.Where(n => !wanted.ContainsKey(n)).ToList())
            {
                _retiring.Add(_units[name].Loop.DisposeAsync().AsTask());
                _units.Remove(name);
            }

            foreach ((string name, Func<IReconciled> make) in wanted)
            {
                if (_units.TryGetValue(name, out Running? running))
                {
                    running.Loop.Wake();
                    continue;
                }

                IReconciled unit = make();
                ReconcileLoop loop = new(unit, _time);
                _units[name] = new Running(unit, loop);
                loop.Start();
            }
        }
    }

    private sealed record Running(IReconciled Unit, ReconcileLoop Loop);
}

/// <summary>Makes the units of a host.</summary>
public interface IUnitMaker
{
    /// <summary>The host's own unit.</summary>
    IReconciled Host();

    /// <summary>The unit that lets go of machines.</summary>
    IReconciled Machines();

    /// <summary>A domain's unit.</summary>
    IReconciled Domain(Domains.Policy.DomainRef domain);

    /// <summary>A passage's unit.</summary>
    IReconciled Passage(string name);

    /// <summary>A tenant's returns.</summary>
    IReconciled Returns(PartyId tenant);

    /// <summary>The tenants that have, or may still have, volumes to give back.</summary>
    IEnumerable<PartyId> Tenants(EnforcedPlan plan);
}
