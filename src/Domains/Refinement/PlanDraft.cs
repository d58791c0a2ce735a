using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// A host's plan in the making. Of the one before it takes each part that no change since has touched.
/// </summary>
internal sealed class PlanDraft
{
    private readonly Scene _scene;
    private readonly HostModel _host;
    private readonly PlanParts _known;
    private readonly TouchedPlans _touched;
    private readonly Dictionary<string, DomainPart?> _domains = new(StringComparer.Ordinal);
    // Null for a passage that is none any more.
    private readonly Dictionary<string, PassageOnHost?> _passages = new(StringComparer.Ordinal);

    private PlanDraft(Scene scene, HostModel host, PlanParts known, TouchedPlans touched) =>
        (_scene, _host, _known, _touched) = (scene, host, known, touched);

    /// <summary>Makes the plan of a host.</summary>
    /// <param name="scene">The datacentre.</param>
    /// <param name="host">The host.</param>
    /// <param name="before">The parts of its plan before; null where nobody knows.</param>
    /// <param name="touched">What changes since then have touched.</param>
    public static (HostPlan Plan, PlanParts Parts) Of(
        Scene scene, HostModel host, PlanParts? before, TouchedPlans touched)
    {
        var draft = new PlanDraft(scene, host, before ?? PlanParts.None, touched);
        return draft.Made(before is null
            ? scene.DomainsOn(host.Ref).Select(domain => new TouchedDomain(domain.Ref, Inside: true))
            : touched.Domains.Values);
    }

    private (HostPlan Plan, PlanParts Parts) Made(IEnumerable<TouchedDomain> changed)
    {
        foreach (var one in changed)
        {
            var reference = one.Ref.ToString();
            _domains[reference] = _scene.Datacentre.Domains.TryGetValue(reference, out var domain)
                && _scene.Members(domain).At(_host.Ref) is { } members ? Part(domain, members, one.Inside) : null;
        }

        foreach (var name in _touched.Passages)
        {
            _passages.TryAdd(name, null);
        }

        var parts = _known.With(_domains, _passages);
        var withheld = new SortedDictionary<string, Reason>(StringComparer.Ordinal);
        var passages = ImmutableArray.CreateBuilder<PassagePlan>(parts.Passages.Length);
        var domains = ImmutableArray.CreateBuilder<DomainPlan>(parts.Domains.Length);
        foreach (var part in parts.Passages)
        {
            part.Withheld.AddTo(withheld);
            passages.Add(part.Plan);
        }

        foreach (var part in parts.Domains)
        {
            part.Withheld.AddTo(withheld);
            part.Inside.Withheld.AddTo(withheld);
            domains.Add(part.Plan);
        }

        return (Plan(parts, domains.MoveToImmutable(), passages.MoveToImmutable(), withheld), parts);
    }

    private HostPlan Plan(
        PlanParts parts, ImmutableArray<DomainPlan> domains, ImmutableArray<PassagePlan> passages,
        SortedDictionary<string, Reason> withheld)
    {
        var uplink = Uplinks.Of(_host, parts.Domains, passages, withheld);
        return new HostPlan(
            _host.Ref, new UnderlayPlan(_host.UnderlayIpv4, AcceptedSenders.Of(domains, passages)), domains, passages,
            [.. _scene.Refused(_host.Ref)], [.. withheld.Values]) { Uplink = uplink };
    }

    private PassageOnHost? Passage(FlowPair pair)
    {
        if (_passages.TryGetValue(pair.Name, out var made))
        {
            return made;
        }

        return !_touched.Passages.Contains(pair.Name) && _known.Passage(pair.Name) is { } known
            ? known : _passages[pair.Name] = Passages.Of(_scene, _host, pair);
    }

    private DomainPart Part(DomainModel domain, HostMembers members, bool isInside)
    {
        var withheld = new WithheldPart();
        foreach (var (pair, why) in _scene.PairsOf(domain).Closed)
        {
            withheld.Add(pair.Reference, why);
        }

        foreach (var conflict in _scene.ConflictsOf(domain))
        {
            withheld.Add(conflict.Sentence, new Reason(
                conflict.Sentence, [conflict.Judge.Domain.Origin, conflict.Peer.Origin]));
        }

        var reference = domain.Ref.ToString();
        var known = isInside ? null : _known.Domain(reference);
        var passages = _scene.PairsOf(domain).ByName.Select(Passage).OfType<PassageOnHost>().ToImmutableArray();
        var inside = known?.Inside ?? Inside(domain, members);
        var gateway = Gateways.Of(_scene, _host, domain, passages);
        return new DomainPart(
            reference, domain, inside,
            new DomainPlan(
                domain.Ref, Display.Of(domain), inside.Network, gateway, inside.Machines, inside.Reason)
            {
                ServicePoint = ServicePoints.Of(_scene, _host, domain, gateway, passages),
                AddressServer = ServicePoints.AddressServer(_scene, domain),
                NamesAddressServer = domain.Services.Addresses is AddressService.Machine,
            },
            withheld);
    }

    private InsidePart Inside(DomainModel domain, HostMembers members)
    {
        var withheld = new WithheldPart();
        return new InsidePart(
            Networks.Of(_scene, _host, domain, withheld),
            [
                .. members.All.Where(member => member.Index == 0)
                    .Select(member => Machines.Of(_scene, _host, member.Machine)),
            ],
            new Reason(
                $"{Display.Of(_host)} runs members of {Display.Of(domain)}: "
                + Display.List(members.All.Select(member => member.Machine.Ref.Name).Distinct()) + ".",
                [domain.Origin, _host.Origin]),
            withheld);
    }
}
