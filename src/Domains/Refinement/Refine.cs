using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// Refines the policies of all tenants, the operator's inventory and the Master's proposals to what one host must
/// enforce. Pure: equal inputs, in whatever order, give equal plans, and every host computes the others' part alike.
/// </summary>
/// <remarks>
/// Proposals are not believed. Only machines that <see cref="AdmissionControl"/> admits where they are proposed are
/// members or peers, so a Master that lies can keep a domain's machines apart but cannot bring its frames to a host
/// that the domain does not accept.
/// </remarks>
public static class Refine
{
    /// <summary>The plan of one host.</summary>
    /// <param name="datacentre">The checked policies and inventory.</param>
    /// <param name="proposals">What should run where, by the Master's word.</param>
    /// <param name="host">The host. One that is unknown gets an empty plan.</param>
    /// <param name="now">The moment against which policies expire.</param>
    public static HostPlan ForHost(
        CheckedDatacentre datacentre, IReadOnlyList<PlacementProposal> proposals, HostRef host, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(proposals);
        ArgumentNullException.ThrowIfNull(host);
        var scene = Scene.Of(datacentre, proposals, now);
        if (scene.Ground.Host(host) is not { } model)
        {
            return new HostPlan(host, new UnderlayPlan("", []), [], [], Refused(scene, host), []);
        }

        var withheld = new SortedDictionary<string, Reason>(StringComparer.Ordinal);
        var passages = Passages.On(scene, model, withheld);
        var domains = datacentre.Domains.Values
            .Where(domain => scene.Members(domain).Any(member => member.Host.Ref == host))
            .Select(domain => Domain(scene, model, domain, passages, withheld))
            .ToImmutableArray();
        ImmutableArray<PassagePlan> ordered =
            [.. passages.Select(passage => passage.Plan).OrderBy(passage => passage.Name, StringComparer.Ordinal)];
        var uplink = Uplinks.Of(datacentre, model, domains, ordered, withheld);
        return new HostPlan(
            host, Underlay.Of(model, domains, [.. passages.Select(passage => passage.Plan)]), domains,
            ordered, Refused(scene, host), [.. withheld.Values])
        {
            Uplink = uplink,
        };
    }

    private static DomainPlan Domain(
        Scene scene, HostModel host, DomainModel domain, ImmutableArray<PassageOnHost> passages,
        SortedDictionary<string, Reason> withheld)
    {
        var here = scene.Members(domain).Where(member => member.Host.Ref == host.Ref).ToList();
        foreach (var (pair, why) in scene.Pairs.Closed.Where(closed => closed.Pair.Has(domain)))
        {
            withheld.TryAdd(pair.Reference, why);
        }

        foreach (var conflict in scene.Ground.Flows.Conflicts.Where(conflict =>
            conflict.Judge.Domain.Ref == domain.Ref || conflict.Peer.Ref == domain.Ref))
        {
            withheld.TryAdd(conflict.Sentence, new Reason(
                conflict.Sentence, [conflict.Judge.Domain.Origin, conflict.Peer.Origin]));
        }

        var gateway = Gateways.Of(scene, host, domain, passages);
        return new DomainPlan(
            domain.Ref, Display.Of(domain), Networks.Of(scene, host, domain, withheld), gateway,
            [.. scene.MachinesOn(host.Ref)
                .Where(machine => machine.Ref.Tenant == domain.Ref.Tenant && machine.Nics[0].Domain == domain.Ref.Name)
                .Select(machine => Machines.Of(scene, host, machine))],
            new Reason(
                $"{Display.Of(host)} runs members of {Display.Of(domain)}: "
                + Display.List(here.Select(member => member.Machine.Ref.Name).Distinct()) + ".",
                [domain.Origin, host.Origin]))
        {
            ServicePoint = ServicePoints.Of(scene, host, domain, gateway, passages),
            AddressServer = ServicePoints.AddressServer(scene, domain),
        };
    }

    private static ImmutableArray<AdmissionVerdict.Refused> Refused(Scene scene, HostRef host) =>
        [.. scene.Verdicts.OfType<AdmissionVerdict.Refused>().Where(verdict => verdict.Host == host)];
}
