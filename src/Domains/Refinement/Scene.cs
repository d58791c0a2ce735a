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
    private readonly SceneParts _parts;
    // Those of this scene: found by the pair alone, which every host with a member of it asks for.
    private readonly ConcurrentDictionary<FlowPair, LaidPair> _laid = new(ReferenceEqualityComparer.Instance);

    private Scene(SceneParts parts) => _parts = parts;

    /// <summary>The policies, and what every admission is decided against.</summary>
    public AdmissionGround Ground => _parts.Ground;

    /// <summary>Who has which network number.</summary>
    public NetworkNumbers Numbers => _parts.Numbers;

    /// <summary>Who has which VLAN.</summary>
    public Vlans Vlans => _parts.Vlans;

    /// <summary>Which links join hosts.</summary>
    public HostLinks Links => _parts.Links;

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
        return new Scene(SceneParts.Of(ground, AdmissionControl.Review(ground, proposals), FlowPairs.Of(ground)));
    }

    /// <summary>The scene after a change; null where everything is to be looked at.</summary>
    /// <param name="next">The policies after it.</param>
    /// <param name="come">Proposals that are new.</param>
    /// <param name="gone">Proposals that are none any more.</param>
    /// <param name="now">The moment against which policies expire.</param>
    /// <param name="touched">Whose plans it can touch.</param>
    public Scene? After(
        CheckedDatacentre next, IReadOnlyCollection<PlacementProposal> come,
        IReadOnlyCollection<PlacementProposal> gone, DateTimeOffset now, out TouchedPlans touched)
    {
        var change = SceneChange.To(_parts, next, come, gone, now);
        touched = change?.Touched ?? TouchedPlans.None;
        return change is null ? null : new Scene(change.Parts);
    }

    /// <summary>All that is proposed to run.</summary>
    public IEnumerable<PlacementProposal> Proposals => _parts.Review.Value.Proposals;

    public CheckedDatacentre Datacentre => Ground.Datacentre;

    /// <summary>Machines admitted on a host, by reference.</summary>
    public IEnumerable<CompartmentModel> MachinesOn(HostRef host) => _parts.Machines.Find(host)?.All ?? [];

    /// <summary>The domains with a member on a host, by reference text.</summary>
    public IEnumerable<DomainModel> DomainsOn(HostRef host) => MachinesOn(host)
        .SelectMany(Standing.Domains)
        .Distinct().Select(domain => Datacentre.Domains.GetValueOrDefault(domain.ToString())).OfType<DomainModel>()
        .OrderBy(domain => domain.Ref.ToString(), StringComparer.Ordinal);

    /// <summary>The domain's ports anywhere.</summary>
    public PlacedDomain Members(DomainModel domain) =>
        Members(domain.Ref);

    /// <summary>Why a machine is admitted where it is.</summary>
    public ImmutableArray<StatementOrigin> WhyAdmitted(CompartmentRef machine) =>
        (_parts.Admitted.Find(machine) ?? throw new InvalidOperationException($"{machine} is not admitted.")).Because;

    /// <summary>Machines proposed for a host that are not admitted.</summary>
    public IEnumerable<AdmissionVerdict.Refused> Refused(HostRef host) => _parts.Refused[host];

    /// <summary>The pairs of a domain with an open network flow, with a passage and without.</summary>
    public PairsOfDomain PairsOf(DomainModel domain) => _parts.Pairs[domain.Ref];

    /// <summary>What all hosts' plans say alike of a pair's flows.</summary>
    public LaidPair Laid(FlowPair pair) => _laid.TryGetValue(pair, out var known) ? known
        : _laid.GetOrAdd(pair, _parts.Laid.GetOrAdd(
            new LaidKey(pair, Members(pair.First.Ref), Members(pair.Second.Ref)),
            static (key, links) => new LaidPair(key.Pair, key.First, key.Second, links), Links));

    /// <summary>What all hosts' plans say alike of a domain.</summary>
    public LaidDomain Laid(DomainModel domain) => _parts.LaidDomains.GetOrAdd(domain, one => new LaidDomain(one));

    /// <summary>The flows of a domain that both sides want and that are closed all the same.</summary>
    public IEnumerable<FlowConflict> ConflictsOf(DomainModel domain) => _parts.Conflicts[domain.Ref];

    /// <summary>
    /// True if the domain has an open network flow to or from a peer with which it can have a passage.
    /// </summary>
    public bool HasGateway(DomainModel domain) => !PairsOf(domain).Open.IsEmpty;

    private PlacedDomain Members(DomainRef domain) => _parts.Members.Find(domain) ?? PlacedDomain.Empty;
}
