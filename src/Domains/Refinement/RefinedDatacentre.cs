using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// What all hosts' plans have in common, found once: who is admitted where, which pairs of domains have passages, who
/// has which number. Made only by <see cref="Refine"/>. Several threads may ask for plans at the same time.
/// </summary>
public sealed class RefinedDatacentre
{
    private readonly Scene _scene;
    // Plans that somebody still has; what is made anew takes of them what no change since has touched.
    private readonly ConcurrentDictionary<HostRef, KnownPlan> _plans;

    internal RefinedDatacentre(Scene scene) => (_scene, _plans) = (scene, []);

    private RefinedDatacentre(RefinedDatacentre before, Scene scene, TouchedPlans touched)
    {
        _scene = scene;
        Touched = touched.Hosts;
        _plans = new ConcurrentDictionary<HostRef, KnownPlan>(before._plans.Where(one => one.Value.IsThere).Select(
            one => touched.Hosts.Contains(one.Key) ? KeyValuePair.Create(one.Key, one.Value.After(touched)) : one));
    }

    /// <summary>
    /// The hosts whose plans may differ from those before the change that this was made after; null where all may.
    /// </summary>
    public IReadOnlySet<HostRef>? Touched { get; }

    /// <summary>
    /// The same after a change: equal to <see cref="Refine.Of"/> of all that is proposed then. Found from this one as
    /// far as the change touches nothing else, which is so while every quota, host and reservation has room.
    /// </summary>
    /// <param name="next">
    /// What the check that went on from this one's datacentre found usable, or that datacentre itself.
    /// </param>
    /// <param name="come">Proposals that are new.</param>
    /// <param name="gone">Proposals that are none any more.</param>
    /// <param name="now">The moment against which policies expire.</param>
    public RefinedDatacentre After(
        CheckedDatacentre next, IReadOnlyCollection<PlacementProposal> come,
        IReadOnlyCollection<PlacementProposal> gone, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(next);
        ArgumentNullException.ThrowIfNull(come);
        ArgumentNullException.ThrowIfNull(gone);
        return _scene.After(next, come, gone, now, out var touched) is { } scene
            ? new RefinedDatacentre(this, scene, touched)
            : Refine.Of(next, [.. _scene.Proposals.Except(gone).Union(come)], now);
    }

    /// <summary>The plan of one host: equal to that of <see cref="Refine.ForHost"/>.</summary>
    /// <param name="host">The host. One that is unknown gets an empty plan.</param>
    public HostPlan ForHost(HostRef host)
    {
        ArgumentNullException.ThrowIfNull(host);
        var known = _plans.GetValueOrDefault(host);
        if (known?.Whole is { } plan)
        {
            return plan;
        }

        (plan, var parts) = Made(host, known?.Parts ?? PlanParts.None);
        _plans[host] = new KnownPlan(plan, parts);
        return plan;
    }

    private (HostPlan Plan, PlanParts Parts) Made(HostRef host, PlanParts known)
    {
        if (_scene.Ground.Host(host) is not { } model)
        {
            return (
                new HostPlan(host, new UnderlayPlan("", []), [], [], [.. _scene.Refused(host)], []), PlanParts.None);
        }

        var withheld = new SortedDictionary<string, Reason>(StringComparer.Ordinal);
        ImmutableArray<DomainModel> here = [.. _scene.DomainsOn(host)];
        var passages = Passages.On(
            _scene, model, [.. here.Where(domain => !known.Domains.ContainsKey(domain.Ref))],
            pair => known.Passages.GetValueOrDefault(pair.Name)?.Passage, withheld);
        var of = passages.SelectMany(passage => passage.Pair.Both.Select(domain => (domain.Ref, passage)))
            .ToLookup(one => one.Ref, one => one.passage);
        var machines = _scene.MachinesOn(host)
            .ToLookup(machine => new DomainRef(machine.Ref.Tenant, machine.Nics[0].Domain));
        var domains = here.Select(domain => known.Domains.GetValueOrDefault(domain.Ref) ?? DomainPart.Of(Domain(
            model, domain, [.. of[domain.Ref]], machines[domain.Ref], withheld))).ToImmutableArray();
        var all = known.Passages.ToDictionary(StringComparer.Ordinal);
        foreach (var passage in passages)
        {
            all.TryAdd(passage.Plan.Name, PassagePart.Of(passage));
        }

        ImmutableArray<PassagePlan> ordered =
        [
            .. all.Values.Select(part => part.Passage.Plan)
                .OrderBy(passage => passage.Name, StringComparer.Ordinal),
        ];
        ImmutableArray<DomainPlan> plans = [.. domains.Select(part => part.Plan)];
        var uplink = Uplinks.Of(_scene.Datacentre, model, plans, ordered, withheld);
        var underlay = Underlay.Of(
            model, domains.Select(part => part.Tunnels).Concat(all.Values.Select(part => part.Tunnels)));
        var plan = new HostPlan(
            host, underlay, plans, ordered, [.. _scene.Refused(host)], [.. withheld.Values]) { Uplink = uplink };
        return (plan, new PlanParts(domains.ToDictionary(part => part.Plan.Domain), all));
    }

    private DomainPlan Domain(
        HostModel host, DomainModel domain, ImmutableArray<PassageOnHost> passages,
        IEnumerable<CompartmentModel> machines, SortedDictionary<string, Reason> withheld)
    {
        var here = _scene.Members(domain).On(host.Ref);
        foreach (var (pair, why) in _scene.ClosedPairsOf(domain))
        {
            withheld.TryAdd(pair.Reference, why);
        }

        foreach (var conflict in _scene.ConflictsOf(domain))
        {
            withheld.TryAdd(conflict.Sentence, new Reason(
                conflict.Sentence, [conflict.Judge.Domain.Origin, conflict.Peer.Origin]));
        }

        var gateway = Gateways.Of(_scene, host, domain, passages);
        return new DomainPlan(
            domain.Ref, Display.Of(domain), Networks.Of(_scene, host, domain, withheld), gateway,
            [.. machines.Select(machine => Machines.Of(_scene, host, machine))],
            new Reason(
                $"{Display.Of(host)} runs members of {Display.Of(domain)}: "
                + Display.List(here.Select(member => member.Machine.Ref.Name).Distinct()) + ".",
                [domain.Origin, host.Origin]))
        {
            ServicePoint = ServicePoints.Of(_scene, host, domain, gateway, passages),
            AddressServer = ServicePoints.AddressServer(_scene, domain),
        };
    }
}
