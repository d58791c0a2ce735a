using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Flows;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// What is looked up in a datacentre by something else than its reference, each found once for all who ask: admission
/// and refinement ask for every machine and every host.
/// </summary>
internal sealed class DatacentreIndex
{
    private readonly CheckedDatacentre _datacentre;
    private readonly Lazy<FrozenDictionary<PartyId, int>> _ranks;
    private readonly Lazy<Layered<(DomainRef, IPAddress), CompartmentModel>> _holders;
    private readonly Lazy<ILookup<DomainRef, (VolumeRef, long)>> _overQuota;
    private readonly Lazy<ILookup<HostRef, LinkModel>> _links;
    private readonly Lock _lock = new();
    private readonly DatacentreChange? _change;
    private DatacentreIndex? _before;
    private DomainMembers? _members;
    private FlowMatrix? _flows;

    /// <summary>Begins it.</summary>
    /// <param name="datacentre">The datacentre.</param>
    /// <param name="before">That of the datacentre before a change; what is as it was then is not found again.</param>
    /// <param name="change">What may be otherwise than then; null where nobody knows.</param>
    public DatacentreIndex(CheckedDatacentre datacentre, DatacentreIndex? before, DatacentreChange? change)
    {
        _datacentre = datacentre;
        (_before, _change) = (before, change);
        if (before is not null && change is not null)
        {
            // Such a change is of tenants' statements alone.
            (_ranks, _links) = (before._ranks, before._links);
            _holders = before._holders.IsValueCreated ? Known(HoldersAfter(before, change)) : new(Holders);
            _overQuota = change.Volumes.IsEmpty && change.Domains.All(domain => StorageOf(datacentre, domain)
                == StorageOf(before._datacentre, domain)) ? before._overQuota : new(OverQuotas);
            return;
        }

        _ranks = new(Ranks);
        _holders = new(Holders);
        _overQuota = new(OverQuotas);
        _links = new(() => datacentre.Inventory.Links
            .Where(link => link.Operator == datacentre.Datacentre?.Id).OrderBy(link => link.Name)
            .SelectMany(link => link.Hosts.Distinct().Select(host => (host, link)))
            .ToLookup(pair => pair.host, pair => pair.link));
    }

    /// <summary>Who is a member of which domain.</summary>
    public DomainMembers Members
    {
        get
        {
            lock (_lock)
            {
                return _members ??= _before is not null && _change is not null
                    ? _before.Members.With(_before._datacentre, _datacentre, _change.Machines)
                    : DomainMembers.Made(_datacentre, _before?.Members);
            }
        }
    }

    /// <summary>The open flows.</summary>
    public FlowMatrix Flows
    {
        get
        {
            lock (_lock)
            {
                _flows ??= FlowMatrix.Made(_datacentre, _before?.Flows, Changed());
                // Nothing else comes from it, and it would keep all that there ever were.
                _before = null;
                return _flows;
            }
        }
    }

    /// <summary>Position of a tenant in the operator's list; those not listed come last.</summary>
    public int Rank(PartyId tenant) => _ranks.Value.GetValueOrDefault(tenant, int.MaxValue);

    /// <summary>The operator's links that join a host to others, by name.</summary>
    public IEnumerable<LinkModel> Links(HostRef host) => _links.Value[host];

    /// <summary>The first machine of the domain, by reference, with this address; null for none.</summary>
    public CompartmentModel? Holder(DomainRef domain, IPAddress address) =>
        _holders.Value.Find((domain, address));

    /// <summary>
    /// The volumes with which a domain's quota is exceeded, in the order of their names, and the MiB up to each.
    /// </summary>
    public IEnumerable<(VolumeRef Volume, long Used)> OverQuota(DomainRef domain) => _overQuota.Value[domain];

    /// <summary>The domains whose statement or members are others than before.</summary>
    private HashSet<DomainRef>? Changed() => _before is null || _change is null ? null :
    [
        .. _change.Domains.Where(domain => !ReferenceEquals(
            _datacentre.Domains.GetValueOrDefault(domain.ToString()),
            _before._datacentre.Domains.GetValueOrDefault(domain.ToString()))),
        .. Members.ChangedSince(_before.Members),
    ];

    private static int? StorageOf(CheckedDatacentre datacentre, DomainRef domain) =>
        datacentre.Domains.GetValueOrDefault(domain.ToString())?.Quota.StorageMib;

    private FrozenDictionary<PartyId, int> Ranks()
    {
        var ranks = new Dictionary<PartyId, int>();
        var tenants = _datacentre.Datacentre?.Tenants ?? [];
        for (var i = 0; i < tenants.Length; i++)
        {
            ranks.TryAdd(tenants[i], i);
        }

        return ranks.ToFrozenDictionary();
    }

    private Layered<(DomainRef, IPAddress), CompartmentModel> Holders()
    {
        var holders = new Dictionary<(DomainRef, IPAddress), CompartmentModel>();
        foreach (var machine in _datacentre.Machinery.Compartments.Values)
        {
            foreach (var place in Addresses(machine))
            {
                holders.TryAdd(place, machine);
            }
        }

        return Layered<(DomainRef, IPAddress), CompartmentModel>.Of(holders);
    }

    /// <summary>Of machines that claim one address, a check leaves none: whoever has one alone has it.</summary>
    private Layered<(DomainRef, IPAddress), CompartmentModel> HoldersAfter(
        DatacentreIndex before, DatacentreChange change)
    {
        var next = new Dictionary<(DomainRef, IPAddress), CompartmentModel?>();
        foreach (var machine in change.Machines)
        {
            foreach (var place in Addresses(
                before._datacentre.Machinery.Compartments.GetValueOrDefault(machine.ToString())))
            {
                next.TryAdd(place, null);
            }
        }

        foreach (var machine in change.Machines
            .Select(machine => _datacentre.Machinery.Compartments.GetValueOrDefault(machine.ToString())))
        {
            foreach (var place in Addresses(machine))
            {
                next[place] = machine;
            }
        }

        return before._holders.Value.With(next);
    }

    private static IEnumerable<(DomainRef, IPAddress)> Addresses(CompartmentModel? machine) => machine is null ? [] :
        from nic in machine.Nics
        from address in new[] { nic.Ipv4, nic.Ipv6 }.OfType<IPAddress>()
        select (new DomainRef(machine.Ref.Tenant, nic.Domain), address);

    private static Lazy<T> Known<T>(T value)
    {
        var known = new Lazy<T>(() => value);
        _ = known.Value;
        return known;
    }

    private ILookup<DomainRef, (VolumeRef, long)> OverQuotas() =>
        OverQuota().ToLookup(over => over.Domain, over => (over.Volume, over.Used));

    private IEnumerable<(DomainRef Domain, VolumeRef Volume, long Used)> OverQuota()
    {
        var used = new Dictionary<DomainRef, long>();
        foreach (var volume in _datacentre.Machinery.Volumes.Values)
        {
            var sum = used[volume.Colour] = used.GetValueOrDefault(volume.Colour) + volume.SizeMib;
            if (_datacentre.Domains.GetValueOrDefault(volume.Colour.ToString()) is { } domain
                && sum > domain.Quota.StorageMib)
            {
                yield return (volume.Colour, volume.Ref, sum);
            }
        }
    }
}
