using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>Two domains with at least one open network flow, in either direction.</summary>
internal sealed record FlowPair(DomainModel First, DomainModel Second, ImmutableArray<FlowBetween> Flows)
{
    public string Name => DeviceNames.Passage(First.Ref, Second.Ref);

    public string Reference => DeviceNames.PassageReference(First.Ref, Second.Ref);

    public ImmutableArray<DomainModel> Both => [First, Second];

    public bool Has(DomainModel domain) => First.Ref == domain.Ref || Second.Ref == domain.Ref;

    public DomainModel Other(DomainModel domain) => First.Ref == domain.Ref ? Second : First;
}

/// <summary>The pairs of domains that can have a passage, and those that cannot, the same on every host.</summary>
/// <remarks>
/// A gateway routes by address, so the domains that meet at it must have different addresses: of two peers of a domain
/// with overlapping subnets, only the first by the operator's list of tenants, then by reference, has a passage.
/// </remarks>
internal sealed record FlowPairs(ImmutableArray<FlowPair> Open, ImmutableArray<(FlowPair Pair, Reason Why)> Closed)
{
    public static FlowPairs Of(AdmissionGround ground)
    {
        var open = ImmutableArray.CreateBuilder<FlowPair>();
        var closed = ImmutableArray.CreateBuilder<(FlowPair, Reason)>();
        foreach (var pair in All(ground))
        {
            if (Objection(ground, pair, open) is { } objection)
            {
                closed.Add((pair, objection));
            }
            else
            {
                open.Add(pair);
            }
        }

        return new FlowPairs(open.ToImmutable(), closed.ToImmutable());
    }

    private static IEnumerable<FlowPair> All(AdmissionGround ground) => ground.Flows
        .Where(flow => flow.Resource is FlowResource.Network)
        .GroupBy(flow => DeviceNames.PassageReference(flow.From, flow.To), StringComparer.Ordinal)
        .Select(group => Pair(ground, [.. group]))
        .OrderBy(pair => Math.Max(
            NetworkNumbers.Rank(ground.Datacentre, pair.First.Ref),
            NetworkNumbers.Rank(ground.Datacentre, pair.Second.Ref)))
        .ThenBy(pair => pair.Reference, StringComparer.Ordinal);

    private static FlowPair Pair(AdmissionGround ground, ImmutableArray<FlowBetween> flows)
    {
        var from = ground.Datacentre.Domains[flows[0].From.ToString()];
        var to = ground.Datacentre.Domains[flows[0].To.ToString()];
        return string.CompareOrdinal(from.Ref.ToString(), to.Ref.ToString()) < 0
            ? new FlowPair(from, to, flows)
            : new FlowPair(to, from, flows);
    }

    private static Reason? Objection(AdmissionGround ground, FlowPair pair, IReadOnlyList<FlowPair> open)
    {
        var between = $"The flow between {Display.Of(pair.First)} and {Display.Of(pair.Second)} is not laid: ";
        foreach (var domain in pair.Both.Where(domain => ground.Now >= domain.Expires))
        {
            return new Reason($"{between}{domain.Origin} has expired.", [domain.Origin]);
        }

        foreach (var domain in pair.Both)
        {
            foreach (var special in domain.Network.Subnets.Select(Subnets.Clash).OfType<string>())
            {
                return new Reason(
                    $"{between}{domain.Origin} uses addresses of {special}, which is special.", [domain.Origin]);
            }
        }

        if (Overlap(pair.First, pair.Second))
        {
            return new Reason(
                $"{between}their subnets overlap, so no gateway can tell their machines apart. Renumber one of them.",
                [pair.First.Origin, pair.Second.Origin]);
        }

        foreach (var domain in pair.Both)
        {
            foreach (var earlier in open.Where(other => other.Has(domain)).Select(other => other.Other(domain)))
            {
                if (Overlap(earlier, pair.Other(domain)))
                {
                    return new Reason(
                        $"{between}the subnets of {Display.Of(pair.Other(domain))} overlap those of "
                        + $"{Display.Of(earlier)}, with which {Display.Of(domain)} has a flow already. Renumber one.",
                        [pair.Other(domain).Origin, earlier.Origin, domain.Origin]);
                }
            }
        }

        return null;
    }

    private static bool Overlap(DomainModel left, DomainModel right) =>
        left.Network.Subnets.Any(a => right.Network.Subnets.Any(b => Subnets.Overlap(a, b)));
}
