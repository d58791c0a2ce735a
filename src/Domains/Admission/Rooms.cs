using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>The hosts that some domains accept, all of them alike.</summary>
/// <param name="signature">Of each kind of host whether it is accepted: equal for equal sets.</param>
internal sealed class HostSet(string signature)
{
    public string Signature => signature;

    /// <summary>What the set's hosts have free together.</summary>
    public Room Free { get; set; }

    /// <summary>What domains that accept nothing outside the set have reserved and not yet used.</summary>
    public Room Kept { get; set; }

    /// <summary>The sets that have all of these hosts, itself among them.</summary>
    public List<HostSet> Around { get; } = [];

    /// <summary>Whether it has all hosts of another.</summary>
    public bool Contains(HostSet other) =>
        !other.Signature.Where((accepts, kind) => accepts == '1' && Signature[kind] == '0').Any();
}

/// <summary>What a domain reserves.</summary>
internal sealed class KeptClaim(DomainModel domain, HostSet hosts, Room reserved)
{
    private Room _used;

    public DomainModel Domain => domain;

    public HostSet Hosts => hosts;

    /// <summary>What of it is not yet used.</summary>
    public Room Kept => new(
        Math.Max(0, reserved.Cpus - _used.Cpus), Math.Max(0, reserved.MemoryMib - _used.MemoryMib));

    /// <summary>Whether something is kept, and for none of these.</summary>
    public bool IsForOthers(ImmutableArray<DomainModel> own) =>
        Kept != default && own.All(one => one.Ref != domain.Ref);

    /// <summary>Counts a member, and takes what it uses from what is kept.</summary>
    public void Use(Room room)
    {
        var before = Kept;
        _used += room;
        foreach (var set in hosts.Around)
        {
            set.Kept -= before - Kept;
        }
    }
}

/// <summary>What each host has free, and what of it is kept for domains that reserved it.</summary>
/// <remarks>
/// A reservation is a tenant's own word, so no tenant may use it to shut others out: it is honoured up to the tenant's
/// equal share of the hosts its domain accepts. Which these are follows from three of their properties, so hosts are
/// counted by kind, and domains that accept the same kinds share one sum.
/// </remarks>
internal sealed class Rooms
{
    private readonly Dictionary<HostRef, Room> _free = [];
    private readonly Dictionary<HostRef, ImmutableArray<HostSet>> _setsOf = [];
    private readonly Dictionary<DomainRef, KeptClaim> _claimOf = [];

    public Rooms(AdmissionGround ground)
    {
        var hosts = ground.Datacentre.Inventory.Hosts.Values
            .Where(host => ground.Host(host.Ref) is not null).ToArray();
        foreach (var host in hosts)
        {
            _free[host.Ref] = Capacity.Whole(host);
        }

        if (ground.Datacentre.Datacentre is { } operated)
        {
            Claims = Made(ground, operated, hosts);
        }
    }

    /// <summary>What is reserved, by domain.</summary>
    public ImmutableArray<KeptClaim> Claims { get; } = [];

    /// <summary>What a host has free.</summary>
    public Room Free(HostRef host) => _free.GetValueOrDefault(host);

    /// <summary>The sets of hosts, for which something is reserved, that a host is in.</summary>
    public ImmutableArray<HostSet> SetsOf(HostRef host) => _setsOf.GetValueOrDefault(host, []);

    /// <summary>The claim of a domain, if it has one.</summary>
    public KeptClaim? Of(DomainModel domain) => _claimOf.GetValueOrDefault(domain.Ref);

    /// <summary>What is kept in a set for other domains: a domain's own machine uses what is kept for it.</summary>
    public Room KeptForOthers(HostSet set, ImmutableArray<DomainModel> own) => set.Kept - Capacity.Sum(
        own.Select(Of).OfType<KeptClaim>().Where(claim => set.Contains(claim.Hosts)).Select(claim => claim.Kept));

    /// <summary>Counts an admitted machine.</summary>
    public void Take(CompartmentModel machine, HostModel host)
    {
        var room = Capacity.Needed(machine);
        _free[host.Ref] -= room;
        foreach (var set in SetsOf(host.Ref))
        {
            set.Free -= room;
        }

        foreach (var name in _claimOf.Count == 0 ? [] : Standing.Names(machine))
        {
            _claimOf.GetValueOrDefault(new DomainRef(machine.Ref.Tenant, name))?.Use(room);
        }
    }

    private ImmutableArray<KeptClaim> Made(AdmissionGround ground, DatacentreModel operated, HostModel[] hosts)
    {
        var kinds = hosts.GroupBy(host => (host.Ref.Operator, host.Assurance, host.Jurisdiction))
            .Select(group => (Example: group.First(), All: group.ToArray())).ToArray();
        var sets = new Dictionary<string, HostSet>(StringComparer.Ordinal);
        var siblings = ground.Datacentre.Domains.Values.CountBy(domain => domain.Ref.Tenant).ToDictionary();
        var tenants = operated.Tenants.ToHashSet();
        var claims = ImmutableArray.CreateBuilder<KeptClaim>();
        foreach (var domain in ground.Datacentre.Domains.Values)
        {
            if (domain.Reservation is { Cpus: 0, MemoryMib: 0 } || ground.Now >= domain.Expires
                || !tenants.Contains(domain.Ref.Tenant))
            {
                continue;
            }

            var signature = string.Concat(kinds.Select(kind => HostChecks.Accepts(domain, kind.Example) ? '1' : '0'));
            if (!sets.TryGetValue(signature, out var set))
            {
                var free = kinds.Where((_, kind) => signature[kind] == '1').SelectMany(kind => kind.All)
                    .Aggregate(default(Room), (sum, host) => sum + Capacity.Whole(host));
                sets[signature] = set = new HostSet(signature) { Free = free };
            }

            // Nothing is taken yet: what is free is all there is.
            var shares = (long)operated.Tenants.Length * siblings[domain.Ref.Tenant];
            var claim = new KeptClaim(domain, set, new Room(
                Math.Min(domain.Reservation.Cpus, set.Free.Cpus / shares),
                Math.Min(domain.Reservation.MemoryMib, set.Free.MemoryMib / shares)));
            claims.Add(claim);
            _claimOf[domain.Ref] = claim;
        }

        Join(claims, [.. sets.Values]);
        for (var kind = 0; kind < kinds.Length; kind++)
        {
            ImmutableArray<HostSet> around = [.. sets.Values.Where(set => set.Signature[kind] == '1')];
            foreach (var host in kinds[kind].All)
            {
                _setsOf[host.Ref] = around;
            }
        }

        return claims.ToImmutable();
    }

    private static void Join(IEnumerable<KeptClaim> claims, HostSet[] sets)
    {
        foreach (var set in sets)
        {
            set.Around.AddRange(sets.Where(other => other.Contains(set)));
        }

        foreach (var claim in claims)
        {
            foreach (var set in claim.Hosts.Around)
            {
                set.Kept += claim.Kept;
            }
        }
    }
}
