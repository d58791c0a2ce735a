using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>The pairs of one domain, in the order of all pairs: those with a passage, and those that cannot have one.
/// </summary>
internal sealed record PairsOfDomain(
    ImmutableArray<FlowPair> Open, ImmutableArray<(FlowPair Pair, Reason Why)> Closed)
{
    private ImmutableArray<FlowPair> _byName;
    private Reason? _reason;

    public static PairsOfDomain None { get; } = new([], []);

    /// <summary>Those with a passage, by name: every host with a member of the domain has all of them.</summary>
    public ImmutableArray<FlowPair> ByName => _byName.IsDefault
        ? _byName = [.. Open.OrderBy(pair => pair.Name, StringComparer.Ordinal)] : _byName;

    public IEnumerable<FlowPair> All => Open.Concat(Closed.Select(one => one.Pair));

    /// <summary>Why the domain whose pairs they are has a gateway.</summary>
    public Reason Reason(DomainModel domain) => _reason ??= new Reason(
        $"{Display.Of(domain)} has open flows with "
        + Display.List(ByName.Select(pair => Display.Of(pair.Other(domain)))) + ".",
        [domain.Origin, .. ByName.Select(pair => pair.Other(domain).Origin)]);

    /// <summary>Without the pair of two domains, and with another.</summary>
    public PairsOfDomain With(AdmissionGround ground, FlowPair? gone, FlowPair? come, Reason? against)
    {
        var closed = Closed.Where(one => !ReferenceEquals(one.Pair, gone));
        if (come is not null && against is not null)
        {
            closed = closed.Append((come, against));
        }

        var whys = closed.ToDictionary(one => one.Pair.Reference, StringComparer.Ordinal);
        return new PairsOfDomain(
            [
                .. FlowPairs.InOrder(ground, Open.Where(pair => !ReferenceEquals(pair, gone))
                    .Concat(come is not null && against is null ? [come] : [])),
            ],
            [.. FlowPairs.InOrder(ground, whys.Values.Select(one => one.Pair)).Select(pair => whys[pair.Reference])]);
    }
}

/// <summary>The pairs of all domains.</summary>
internal sealed class DomainPairs
{
    private readonly Layered<DomainRef, PairsOfDomain> _of;

    private DomainPairs(Layered<DomainRef, PairsOfDomain> of) => _of = of;

    /// <summary>Those of a domain.</summary>
    public PairsOfDomain this[DomainRef domain] => _of.Find(domain) ?? PairsOfDomain.None;

    /// <summary>Finds all.</summary>
    public static DomainPairs Of(FlowPairs pairs)
    {
        var open = pairs.Open.SelectMany(pair => pair.Both.Select(domain => (domain.Ref, pair)))
            .ToLookup(one => one.Ref, one => one.pair);
        var closed = pairs.Closed.SelectMany(one => one.Pair.Both.Select(domain => (domain.Ref, one)))
            .ToLookup(one => one.Ref, one => one.one);
        return new DomainPairs(Layered<DomainRef, PairsOfDomain>.Of(open.Select(group => group.Key)
            .Union(closed.Select(group => group.Key))
            .ToDictionary(domain => domain, domain => new PairsOfDomain([.. open[domain]], [.. closed[domain]]))));
    }

    /// <summary>The same after a change.</summary>
    /// <param name="then">The policies before it.</param>
    /// <param name="now">The policies after it.</param>
    /// <param name="domains">The domains whose statement is another.</param>
    /// <param name="gone">Gets the pairs that are no more, or others.</param>
    /// <param name="come">Gets those with a passage that are new, or others.</param>
    /// <param name="touched">Gets the domains of all these pairs.</param>
    public DomainPairs With(
        AdmissionGround then, AdmissionGround now, IReadOnlyCollection<DomainRef> domains, List<FlowPair> gone,
        List<FlowPair> come, HashSet<DomainRef> touched)
    {
        var changed = domains.SelectMany(domain => Pairs(now, domain))
            .Concat(now.Flows.GrantersSince(then.Flows).SelectMany(granter => Changed(then, now, granter))).ToHashSet();
        var next = new Dictionary<DomainRef, PairsOfDomain?>();
        foreach (var (one, other) in changed)
        {
            var known = this[one].All.FirstOrDefault(pair => pair.First.Ref == other || pair.Second.Ref == other);
            var made = FlowPairs.Between(now, one, other);
            var against = made is null ? null : FlowPairs.Objection(now, made);
            foreach (var domain in new[] { one, other })
            {
                next[domain] = (next.GetValueOrDefault(domain) ?? this[domain]).With(now, known, made, against);
            }

            gone.AddRange(new[] { known }.OfType<FlowPair>());
            come.AddRange(against is null ? new[] { made }.OfType<FlowPair>() : []);
            touched.UnionWith(known is null && made is null ? [] : [one, other]);
        }

        return new DomainPairs(_of.With(next));
    }

    /// <summary>All pairs that a domain had or has.</summary>
    private IEnumerable<(DomainRef, DomainRef)> Pairs(AdmissionGround now, DomainRef domain) =>
        this[domain].All.Select(pair => (pair.First.Ref, pair.Second.Ref)).Concat(
            now.Datacentre.Domains.TryGetValue(domain.ToString(), out var model)
                ? model.Grants.Concat(model.Accepts).Where(term => term.Resource is FlowResource.Network)
                    .Select(term => FlowMatrix.Pair(domain, term.Peer))
                : []);

    /// <summary>The pairs with those to whom a domain grants other flows than before.</summary>
    private static IEnumerable<(DomainRef, DomainRef)> Changed(
        AdmissionGround then, AdmissionGround now, DomainRef granter)
    {
        var (before, after) = (ByPeer(then), ByPeer(now));
        return before.Concat(after).Select(group => group.Key).Distinct()
            .Where(peer => !before[peer].SequenceEqual(after[peer], ReferenceEqualityComparer.Instance))
            .Select(peer => FlowMatrix.Pair(granter, peer));

        ILookup<DomainRef, OpenFlow> ByPeer(AdmissionGround ground) => ground.Flows.From(granter)
            .Where(flow => flow.Resource is FlowResource.Network).ToLookup(flow => flow.To);
    }
}
