using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// The whole datacentre as every host sees it alike: who is admitted where, and which pairs have passages.
/// </summary>
internal sealed class Scene
{
    private readonly Dictionary<HostRef, List<CompartmentModel>> _machines = [];
    private readonly Dictionary<DomainRef, PlacedDomain> _members;
    private readonly ILookup<DomainRef, FlowPair> _pairs;
    private readonly ILookup<DomainRef, (FlowPair Pair, Reason Why)> _closed;
    private readonly ILookup<DomainRef, FlowConflict> _conflicts;
    private readonly Dictionary<CompartmentRef, AdmissionVerdict.Admitted> _admitted;
    private readonly ILookup<HostRef, AdmissionVerdict.Refused> _refused;
    private readonly Dictionary<FlowPair, int> _order = new(ReferenceEqualityComparer.Instance);
    // Asked for by several hosts' plans at once; whoever is first makes it.
    private readonly ConcurrentDictionary<FlowPair, LaidPair> _laid =
        new(ReferenceEqualityComparer.Instance);
    private readonly ConcurrentDictionary<DomainRef, LaidDomain> _laidDomains = [];
    private readonly ConcurrentDictionary<(DomainRef, ImmutableArray<CompartmentRef>), PlacedDomain> _named = [];

    private Scene(AdmissionGround ground, ImmutableArray<AdmissionVerdict> verdicts, FlowPairs pairs)
    {
        Ground = ground;
        Numbers = NetworkNumbers.Of(ground.Datacentre, pairs.Open);
        Vlans = Vlans.Of(ground.Datacentre);
        Links = new HostLinks(ground.Datacentre);
        var members = new Dictionary<DomainRef, ImmutableArray<PlacedMember>.Builder>();
        foreach (var (machine, host) in Standing.After(ground, verdicts).Admitted)
        {
            Add(machine, host, members);
        }

        _members = members.ToDictionary(pair => pair.Key, pair => PlacedDomain.Of(pair.Value.ToImmutable()));
        _pairs = pairs.Open.SelectMany(pair => pair.Both.Select(domain => (domain.Ref, pair)))
            .ToLookup(one => one.Ref, one => one.pair);
        foreach (var pair in pairs.Open)
        {
            _order.Add(pair, _order.Count);
        }

        _closed = pairs.Closed.SelectMany(closed => closed.Pair.Both.Select(domain => (domain.Ref, closed)))
            .ToLookup(one => one.Ref, one => one.closed);
        _conflicts = ground.Flows.Conflicts
            .SelectMany(one => new[] { one.Judge.Domain.Ref, one.Peer.Ref }.Select(domain => (domain, one)))
            .ToLookup(one => one.domain, one => one.one);
        _admitted = verdicts.OfType<AdmissionVerdict.Admitted>().ToDictionary(verdict => verdict.Compartment);
        _refused = verdicts.OfType<AdmissionVerdict.Refused>().ToLookup(verdict => verdict.Host);
    }

    /// <summary>The policies, and what every admission is decided against.</summary>
    public AdmissionGround Ground { get; }

    /// <summary>Who has which network number.</summary>
    public NetworkNumbers Numbers { get; }

    /// <summary>Who has which VLAN.</summary>
    public Vlans Vlans { get; }

    /// <summary>Which links join hosts.</summary>
    public HostLinks Links { get; }

    /// <summary>
    /// Of machines' ports and gateways' legs: 1500 on the underlay less 50 of VXLAN over IPv4 (RFC 7348); where a
    /// domain may demand ciphertext, less 60 of WireGuard and 70 of VXLAN over IPv6 instead. It follows from the
    /// domain's own statement alone, so that it stays when a link becomes another.
    /// </summary>
    public static int Mtu(DomainModel domain) =>
        domain.Network.Confidentiality == NetworkConfidentiality.None ? 1450 : 1370;

    /// <summary>The smallest of several domains'.</summary>
    public static int Mtu(IEnumerable<DomainModel> domains) => domains.Min(Mtu);

    public static Scene Of(
        CheckedDatacentre datacentre, IReadOnlyList<PlacementProposal> proposals, DateTimeOffset now)
    {
        var ground = AdmissionGround.Of(datacentre, now);
        return new Scene(ground, AdmissionControl.Review(ground, proposals), FlowPairs.Of(ground));
    }

    public CheckedDatacentre Datacentre => Ground.Datacentre;

    /// <summary>Machines admitted on a host, by reference.</summary>
    public IEnumerable<CompartmentModel> MachinesOn(HostRef host) => _machines.GetValueOrDefault(host, []);

    /// <summary>The domains with a member on a host, by reference text.</summary>
    public IEnumerable<DomainModel> DomainsOn(HostRef host) => MachinesOn(host)
        .SelectMany(machine => Standing.Names(machine).Select(name => new DomainRef(machine.Ref.Tenant, name)))
        .Distinct().Select(domain => Datacentre.Domains.GetValueOrDefault(domain.ToString())).OfType<DomainModel>()
        .OrderBy(domain => domain.Ref.ToString(), StringComparer.Ordinal);

    /// <summary>The domain's ports anywhere.</summary>
    public PlacedDomain Members(DomainModel domain) =>
        _members.GetValueOrDefault(domain.Ref, PlacedDomain.Empty);

    /// <summary>Why a machine is admitted where it is.</summary>
    public ImmutableArray<StatementOrigin> WhyAdmitted(CompartmentRef machine) => _admitted[machine].Because;

    /// <summary>Machines proposed for a host that are not admitted.</summary>
    public IEnumerable<AdmissionVerdict.Refused> Refused(HostRef host) => _refused[host];

    /// <summary>
    /// The pairs of domains with an open network flow and a passage, with one of these domains: in the order of all
    /// pairs.
    /// </summary>
    public IEnumerable<FlowPair> PairsOf(IEnumerable<DomainModel> domains) => domains
        .SelectMany(domain => _pairs[domain.Ref]).DistinctBy(pair => _order[pair]).OrderBy(pair => _order[pair]);

    /// <summary>What all hosts' plans say alike of a pair's flows.</summary>
    public LaidPair Laid(FlowPair pair) => _laid.GetOrAdd(
        pair, one => new LaidPair(one, new LegAddresses(one), Links, Named));

    /// <summary>What all hosts' plans say alike of a domain.</summary>
    public LaidDomain Laid(DomainModel domain) => _laidDomains.GetOrAdd(domain.Ref, _ => new LaidDomain(domain));

    /// <summary>The pairs of a domain that cannot have a passage.</summary>
    public IEnumerable<(FlowPair Pair, Reason Why)> ClosedPairsOf(DomainModel domain) => _closed[domain.Ref];

    /// <summary>The flows of a domain that both sides want and that are closed all the same.</summary>
    public IEnumerable<FlowConflict> ConflictsOf(DomainModel domain) => _conflicts[domain.Ref];

    /// <summary>
    /// True if the domain has an open network flow to or from a peer with which it can have a passage.
    /// </summary>
    public bool HasGateway(DomainModel domain) => _pairs[domain.Ref].Any();

    private PlacedDomain Named(DomainRef domain, ImmutableArray<CompartmentRef> machines) =>
        _named.GetOrAdd((domain, machines), Named);

    private PlacedDomain Named((DomainRef Domain, ImmutableArray<CompartmentRef> Machines) those)
    {
        var all = _members.GetValueOrDefault(those.Domain, PlacedDomain.Empty);
        var named = those.Machines.ToHashSet();
        return all.All.All(member => named.Contains(member.Machine.Ref)) ? all
            : PlacedDomain.Of([.. all.All.Where(member => named.Contains(member.Machine.Ref))]);
    }

    private void Add(
        CompartmentModel machine, HostModel host, Dictionary<DomainRef, ImmutableArray<PlacedMember>.Builder> members)
    {
        if (!_machines.TryGetValue(host.Ref, out var machines))
        {
            _machines[host.Ref] = machines = [];
        }

        machines.Add(machine);
        for (var index = 0; index < machine.Nics.Length; index++)
        {
            var domain = new DomainRef(machine.Ref.Tenant, machine.Nics[index].Domain);
            if (!members.TryGetValue(domain, out var those))
            {
                members[domain] = those = ImmutableArray.CreateBuilder<PlacedMember>();
            }

            those.Add(new PlacedMember(machine, host, index));
        }
    }
}
