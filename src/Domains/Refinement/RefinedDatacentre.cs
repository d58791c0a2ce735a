using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// What all hosts' plans have in common, found once: who is admitted where, which pairs of domains have passages, who
/// has which number. Made only by <see cref="Refine"/>. Several threads may ask for plans at the same time.
/// </summary>
public sealed class RefinedDatacentre
{
    private readonly Scene _scene;

    internal RefinedDatacentre(Scene scene) => _scene = scene;

    /// <summary>The plan of one host: equal to that of <see cref="Refine.ForHost"/>.</summary>
    /// <param name="host">The host. One that is unknown gets an empty plan.</param>
    public HostPlan ForHost(HostRef host)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (_scene.Ground.Host(host) is not { } model)
        {
            return new HostPlan(host, new UnderlayPlan("", []), [], [], [.. _scene.Refused(host)], []);
        }

        var withheld = new SortedDictionary<string, Reason>(StringComparer.Ordinal);
        ImmutableArray<DomainModel> here = [.. _scene.DomainsOn(host)];
        var passages = Passages.On(_scene, model, here, withheld);
        var of = passages.SelectMany(passage => passage.Pair.Both.Select(domain => (domain.Ref, passage)))
            .ToLookup(one => one.Ref, one => one.passage);
        var machines = _scene.MachinesOn(host)
            .ToLookup(machine => new DomainRef(machine.Ref.Tenant, machine.Nics[0].Domain));
        var domains = here.Select(domain => Domain(
            model, domain, [.. of[domain.Ref]], machines[domain.Ref], withheld)).ToImmutableArray();
        ImmutableArray<PassagePlan> ordered =
            [.. passages.Select(passage => passage.Plan).OrderBy(passage => passage.Name, StringComparer.Ordinal)];
        var uplink = Uplinks.Of(_scene.Datacentre, model, domains, ordered, withheld);
        return new HostPlan(
            host, Underlay.Of(model, domains, [.. passages.Select(passage => passage.Plan)]), domains,
            ordered, [.. _scene.Refused(host)], [.. withheld.Values])
        {
            Uplink = uplink,
        };
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
