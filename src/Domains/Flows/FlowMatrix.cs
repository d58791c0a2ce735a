using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>
/// Every open flow of a datacentre: the intersections of what one domain grants and its peer accepts. Whatever is not
/// in it is closed. Its size and cost grow with the number of terms; two domains' terms about one resource meet
/// pairwise.
/// </summary>
public sealed class FlowMatrix
{
    private readonly ImmutableArray<DomainFlows> _inOrder;
    private readonly Dictionary<DomainRef, DomainFlows> _byDomain;
    private readonly FlowConflicts _conflicts;
    private readonly Dictionary<DomainRef, ImmutableArray<OpenFlow>> _byGranter = [];
    private readonly Dictionary<DomainRef, ImmutableArray<FlowSide>> _unmetAccepts = [];
    // Domains that do not grant all that their terms meet.
    private readonly HashSet<DomainRef> _narrowed;
    // What one check finds, and the one that it went on from: so many are asked for.
    private readonly ImmutableArray<(object Mark, ImmutableHashSet<DomainRef> Granters)> _since;

    private FlowMatrix(CheckedDatacentre datacentre, FlowMatrix? before, IReadOnlySet<DomainRef>? changed)
    {
        Datacentre = datacentre;
        _inOrder = InOrder(datacentre, before, changed);
        _byDomain = _inOrder.ToDictionary(one => one.Terms.Domain.Ref);
        var others = before is null ? null : ChangedSince(before);
        bool IsTouched(DomainTerms terms) => others is null || others.Contains(terms.Domain.Ref)
            || (others.Count > 0 && terms.Peers.Any(others.Contains));
        var crowd = FlowCrowd.Of(_inOrder, _byDomain);
        _conflicts = FlowConflicts.Of(_inOrder, _byDomain, crowd, before?._conflicts, IsTouched);
        ImmutableArray<FlowConflict> conflicts = [.. crowd.Conflicts, .. _conflicts.All];
        var cut = conflicts.Select(one => Pair(one.Judge.Domain.Ref, one.Peer.Ref)).ToHashSet();
        var wanted = new List<OpenFlow>();
        foreach (var one in _inOrder)
        {
            var flows = cut.Count == 0 ? one.Granted.Open : one.Granted.Open.RemoveAll(flow =>
                flow.Resource is FlowResource.Network && cut.Contains(Pair(flow.From, flow.To)));
            _byGranter[one.Terms.Domain.Ref] = flows;
            wanted.AddRange(flows);
        }

        Information = InformationControl.Of(datacentre, wanted);
        Conflicts = [.. conflicts, .. Information.Conflicts];
        Open = [.. wanted.Where(flow => !Information.Closes(flow))];
        foreach (var granter in wanted.Where(Information.Closes).Select(flow => flow.From).Distinct())
        {
            _byGranter[granter] = _byGranter[granter].RemoveAll(Information.Closes);
        }

        foreach (var (terms, _) in _inOrder)
        {
            var domain = terms.Domain.Ref;
            _unmetAccepts[domain] = before is not null && !IsTouched(terms)
                ? before._unmetAccepts[domain] : [.. UnmetBy(terms)];
        }

        _narrowed =
        [
            .. cut.SelectMany(pair => new[] { pair.Item1, pair.Item2 }),
            .. wanted.Where(Information.Closes).Select(flow => flow.From),
        ];
        _since = before is null || others is null ? [] : Since(before, others);
        Unmet =
        [
            .. _inOrder.SelectMany(one => one.Granted.Unmet).Where(grant => !crowd.IsOf(grant)),
            .. _inOrder.SelectMany(one => _unmetAccepts[one.Terms.Domain.Ref]).Where(accept => !crowd.IsOf(accept)),
        ];
    }

    /// <summary>The open flows, by granting domain and the order of its terms, then of the peer's.</summary>
    public ImmutableArray<OpenFlow> Open { get; }

    /// <summary>Network flows that both sides want and that are closed all the same.</summary>
    public ImmutableArray<FlowConflict> Conflicts { get; }

    /// <summary>Terms that no term of the peer's meets; a peer that is not known meets nothing.</summary>
    public ImmutableArray<FlowSide> Unmet { get; }

    /// <summary>What it is of.</summary>
    internal CheckedDatacentre Datacentre { get; }

    /// <summary>What the demands on information close.</summary>
    internal InformationControl Information { get; }

    /// <summary>The open flows of a datacentre.</summary>
    public static FlowMatrix Of(CheckedDatacentre datacentre)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        return datacentre.Index.Flows;
    }

    /// <summary>
    /// Finds them; of domains whose statements, peers and members are as before, what was found before is taken.
    /// </summary>
    /// <param name="datacentre">The policies.</param>
    /// <param name="before">What was found before.</param>
    /// <param name="changed">The domains whose statement or members are others than then; null where nobody knows.
    /// </param>
    internal static FlowMatrix Made(
        CheckedDatacentre datacentre, FlowMatrix? before, IReadOnlySet<DomainRef>? changed) =>
        new(datacentre, before, changed);

    /// <summary>A domain as its statement describes it; null where none does.</summary>
    internal DomainModel? Described(DomainRef domain) => _byDomain.GetValueOrDefault(domain)?.Terms.Domain;

    /// <summary>Stands for it with those that come after, which do not keep it.</summary>
    private object Mark { get; } = new();

    /// <summary>The domains that grant other flows than before, and perhaps some that do not.</summary>
    internal IReadOnlyCollection<DomainRef> GrantersSince(FlowMatrix before) => ReferenceEquals(before, this) ? []
        : _since.FirstOrDefault(one => ReferenceEquals(one.Mark, before.Mark)).Granters
            ?? [.. _byGranter.Keys.Concat(before._byGranter.Keys).Where(domain => IsOther(before, domain))];

    private bool IsOther(FlowMatrix before, DomainRef domain) =>
        !From(domain).AsSpan().SequenceEqual(before.From(domain).AsSpan(), ReferenceEqualityComparer.Instance);

    private ImmutableArray<(object, ImmutableHashSet<DomainRef>)> Since(FlowMatrix before, HashSet<DomainRef> others)
    {
        ImmutableHashSet<DomainRef> granters =
        [
            .. others.Concat(_narrowed).Concat(before._narrowed).Distinct().Where(domain => IsOther(before, domain)),
        ];
        return
        [
            (before.Mark, granters),
            .. before._since.Take(1).Select(one => (one.Mark, one.Granters.Union(granters))),
        ];
    }

    /// <summary>The open flows that a domain grants.</summary>
    internal ImmutableArray<OpenFlow> From(DomainRef domain) => _byGranter.GetValueOrDefault(domain, []);

    /// <summary>True if an open network flow goes from one to the other, either way.</summary>
    public bool Joins(DomainRef one, DomainRef other) => Joining(one, other).Any();

    /// <summary>The open network flows between two domains, either way.</summary>
    internal IEnumerable<OpenFlow> Joining(DomainRef one, DomainRef other) =>
        From(one).Where(flow => flow.To == other).Concat(From(other).Where(flow => flow.To == one))
            .Where(flow => flow.Resource is FlowResource.Network);

    /// <summary>The open flow that lends a volume to a domain's machine, or null.</summary>
    public OpenFlow? Lending(VolumeModel volume, CompartmentRef machine, VolumeAccess access)
    {
        ArgumentNullException.ThrowIfNull(volume);
        return From(volume.Colour).FirstOrDefault(flow => flow.Receivers.Contains(machine)
            && flow.Resource is FlowResource.Volume lent && lent.Name == volume.Ref.Name && lent.Access >= access);
    }

    /// <summary>
    /// What may pass from a client in one machine to servers in another: the cell of the matrix the policies promise.
    /// </summary>
    public FlowExpectation Expect(CompartmentRef from, CompartmentRef to)
    {
        var machines = Datacentre.Machinery.Compartments;
        if (!machines.TryGetValue(from.ToString(), out var client)
            || !machines.TryGetValue(to.ToString(), out var server))
        {
            return new FlowExpectation.Nothing("One of the machines is described by no statement.");
        }

        var clientDomains = Domains(client).ToArray();
        var serverDomains = Domains(server).ToArray();
        if (clientDomains.Intersect(serverDomains).FirstOrDefault() is { } shared)
        {
            return new FlowExpectation.Everything(shared);
        }

        var granting = clientDomains.Distinct().OrderBy(domain => domain.ToString(), StringComparer.Ordinal);
        var flows = granting.SelectMany(domain => From(domain)).Where(flow => flow.Resource is FlowResource.Network
            && serverDomains.Contains(flow.To)
            && flow.Senders.Contains(from) && flow.Receivers.Contains(to)).ToImmutableArray();
        if (flows.Length > 0)
        {
            return new FlowExpectation.Only(flows);
        }

        return new FlowExpectation.Nothing(string.Join(
            " ", clientDomains.SelectMany(_ => serverDomains, WhyClosed).Distinct(StringComparer.Ordinal)));
    }

    /// <summary>The domains a machine is a member of.</summary>
    internal static IEnumerable<DomainRef> Domains(CompartmentModel machine) =>
        machine.Nics.Select(nic => new DomainRef(machine.Ref.Tenant, nic.Domain));

    /// <summary>Two domains in an order of their own.</summary>
    internal static (DomainRef, DomainRef) Pair(DomainRef one, DomainRef other) =>
        string.CompareOrdinal(one.ToString(), other.ToString()) <= 0 ? (one, other) : (other, one);

    /// <summary><c>bank/ledger</c>.</summary>
    internal static string Display(DomainModel domain) => $"{domain.Origin.OwnerName}/{domain.Ref.Name}";

    private string WhyClosed(DomainRef from, DomainRef to)
    {
        if (!Datacentre.Domains.TryGetValue(from.ToString(), out var client)
            || !Datacentre.Domains.TryGetValue(to.ToString(), out var server))
        {
            return "One of the domains is described by no statement.";
        }

        var grants = client.Grants.Any(term => term.Peer == to && term.Resource is FlowResource.Network);
        var accepts = server.Accepts.Any(term => term.Peer == from && term.Resource is FlowResource.Network);
        if (Conflicts.FirstOrDefault(one => one.IsBetween(from, to)) is { } conflict)
        {
            return conflict.Sentence;
        }

        return (grants, accepts) switch
        {
            (false, false) => $"{Display(client)} grants nothing to {Display(server)}, which accepts nothing from it.",
            (false, true) => $"{Display(client)} grants nothing to {Display(server)}.",
            (true, false) => $"{Display(server)} does not accept anything from {Display(client)}.",
            (true, true) => $"{Display(client)} and {Display(server)} agree on no flow between these machines.",
        };
    }

    /// <summary>The acceptances that no grant of the domain's peers meets.</summary>
    private IEnumerable<FlowSide> UnmetBy(DomainTerms terms)
    {
        GrantedFlows?[] granted = [.. terms.Peers.Select(peer => _byDomain.GetValueOrDefault(peer)?.Granted)];
        return terms.Accepts.Where(accept => granted[accept.Peer]?.Met(accept.Side) != true)
            .Select(accept => accept.Side);
    }

    /// <summary>The domains of which what they say, or what their grants meet, is not what it was.</summary>
    private HashSet<DomainRef> ChangedSince(FlowMatrix before) =>
    [
        .. _inOrder.Where(one => !ReferenceEquals(before._byDomain.GetValueOrDefault(one.Terms.Domain.Ref), one))
            .Select(one => one.Terms.Domain.Ref),
        .. before._inOrder.Select(one => one.Terms.Domain.Ref).Where(domain => !_byDomain.ContainsKey(domain)),
    ];

    private static ImmutableArray<DomainFlows> InOrder(
        CheckedDatacentre datacentre, FlowMatrix? before, IReadOnlySet<DomainRef>? changed)
    {
        var terms = new Dictionary<DomainRef, DomainTerms>();
        foreach (var domain in datacentre.Domains.Values)
        {
            terms[domain.Ref] = before?._byDomain.GetValueOrDefault(domain.Ref)?.Terms is { } known
                && ReferenceEquals(known.Domain, domain) ? known : new DomainTerms(domain);
        }

        var members = new NamedMembers(datacentre.Index.Members);
        var flows = ImmutableArray.CreateBuilder<DomainFlows>(terms.Count);
        foreach (var domain in datacentre.Domains.Values)
        {
            var (own, known) = (terms[domain.Ref], before?._byDomain.GetValueOrDefault(domain.Ref));
            if (known is not null && changed is not null && !changed.Contains(domain.Ref) && !changed.Any(own.Names))
            {
                flows.Add(known);
                continue;
            }

            var granted = GrantedFlows.Of(own, peer => terms.GetValueOrDefault(peer), members, known?.Granted);
            flows.Add(ReferenceEquals(granted, known?.Granted) && ReferenceEquals(own, known?.Terms)
                ? known : new DomainFlows(own, granted));
        }

        return flows.MoveToImmutable();
    }
}
