using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>Two domains with at least one open network flow, in either direction.</summary>
internal sealed record FlowPair(DomainModel First, DomainModel Second, ImmutableArray<OpenFlow> Flows)
{
    /// <summary>Ten digits.</summary>
    public string Name { get; } = DeviceNames.Passage(First.Ref, Second.Ref);

    public string Reference { get; } = DeviceNames.PassageReference(First.Ref, Second.Ref);

    /// <summary>The VXLAN number of the passage.</summary>
    public int Number { get; } = DerivedNames.NetworkNumber(DeviceNames.PassageReference(First.Ref, Second.Ref));

    public ImmutableArray<DomainModel> Both { get; } = [First, Second];

    public DomainModel Of(DomainRef domain) => First.Ref == domain ? First : Second;

    public DomainModel Other(DomainModel domain) => First.Ref == domain.Ref ? Second : First;
}

/// <summary>The pairs of domains that can have a passage, and those that cannot, the same on every host.</summary>
/// <remarks>
/// A gateway routes by address, so the domains that meet at it must have different addresses; flows that would break
/// this are closed in the <see cref="FlowMatrix"/> already, which says why.
/// </remarks>
internal sealed record FlowPairs(ImmutableArray<FlowPair> Open, ImmutableArray<(FlowPair Pair, Reason Why)> Closed)
{
    public static FlowPairs Of(AdmissionGround ground)
    {
        var open = ImmutableArray.CreateBuilder<FlowPair>();
        var closed = ImmutableArray.CreateBuilder<(FlowPair, Reason)>();
        foreach (var pair in All(ground))
        {
            if (Objection(ground, pair) is { } objection)
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

    /// <summary>The pair of two domains; null where no network flow is open between them.</summary>
    public static FlowPair? Between(AdmissionGround ground, DomainRef one, DomainRef other)
    {
        var (first, second) = FlowMatrix.Pair(one, other);
        ImmutableArray<OpenFlow> flows = [.. ground.Flows.Joining(first, second)];
        return flows.IsEmpty ? null : Pair(ground, flows);
    }

    /// <summary>In the order that all pairs have.</summary>
    public static IOrderedEnumerable<FlowPair> InOrder(AdmissionGround ground, IEnumerable<FlowPair> pairs) => pairs
        .OrderBy(pair => Rank(ground, pair)).ThenBy(pair => pair.Reference, StringComparer.Ordinal);

    /// <summary>The place of the later of its two tenants.</summary>
    public static int Rank(AdmissionGround ground, FlowPair pair) => Math.Max(
        NetworkNumbers.Rank(ground.Datacentre, pair.First.Ref),
        NetworkNumbers.Rank(ground.Datacentre, pair.Second.Ref));

    private static IEnumerable<FlowPair> All(AdmissionGround ground) => InOrder(
        ground, ground.Flows.Open.Where(flow => flow.Resource is FlowResource.Network)
            .GroupBy(flow => DeviceNames.PassageReference(flow.From, flow.To), StringComparer.Ordinal)
            .Select(group => Pair(ground, [.. group])));

    private static FlowPair Pair(AdmissionGround ground, ImmutableArray<OpenFlow> flows)
    {
        var from = ground.Datacentre.Domains[flows[0].From.ToString()];
        var to = ground.Datacentre.Domains[flows[0].To.ToString()];
        return string.CompareOrdinal(from.Ref.ToString(), to.Ref.ToString()) < 0
            ? new FlowPair(from, to, flows)
            : new FlowPair(to, from, flows);
    }

    /// <summary>Why a pair cannot have a passage; null when it can.</summary>
    public static Reason? Objection(AdmissionGround ground, FlowPair pair)
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

        return null;
    }
}
