using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>
/// Holds each domain's demands on where its information may come. A demand that would be violated closes flows of the
/// domain that makes it, on the first step of every way that violates it, and nothing of anybody else's: so nobody can
/// close a stranger's flows, and each demand holds whatever the others do.
/// </summary>
/// <remarks>
/// All demands are judged by the flows that are wanted, in one pass. What one demand closes could make another's
/// closing needless; to open that again would let the result depend on an order between strangers. Whatever is closed
/// only takes ways away, so one pass is enough.
/// </remarks>
internal sealed class InformationControl
{
    private readonly Dictionary<OpenFlow, DomainModel> _closed = new(ReferenceEqualityComparer.Instance);
    private readonly List<(InformationCase Case, OpenFlow[] Closed)> _violated = [];

    private InformationControl(IReadOnlyList<OpenFlow> wanted) => Wanted = wanted;

    /// <summary>The flows that are open but for the demands.</summary>
    public IReadOnlyList<OpenFlow> Wanted { get; }

    /// <summary>The pairs of domains between which a network flow is closed, and by whose demand.</summary>
    public ImmutableArray<FlowConflict> Conflicts =>
    [
        .. _closed.Where(one => one.Key.Resource is FlowResource.Network)
            .Select(one => (By: one.Value, Own: Side(one.Key, one.Value), Peer: Peer(one.Key, one.Value)))
            .DistinctBy(one => (one.By.Ref, one.Peer.Ref))
            .Select(one => new FlowConflict(one.Own, one.Peer, Sentence(one.By, one.Peer))
            {
                Code = FindingCode.InformationReaches,
            }),
    ];

    /// <summary>Judges all demands.</summary>
    /// <param name="datacentre">The policies.</param>
    /// <param name="wanted">The flows that are open but for the demands.</param>
    public static InformationControl Of(CheckedDatacentre datacentre, IReadOnlyList<OpenFlow> wanted)
    {
        var control = new InformationControl(wanted);
        DomainModel[] demanding = [.. datacentre.Domains.Values.Where(domain => !domain.Information.IsNone)];
        if (demanding.Length == 0)
        {
            return control;
        }

        var graph = InformationFlow.Of(datacentre, wanted);
        var flows = wanted.SelectMany(flow => new[] { (Domain: flow.From, flow), (Domain: flow.To, flow) })
            .ToLookup(pair => pair.Domain, pair => pair.flow);
        foreach (var domain in demanding)
        {
            var demand = InformationCase.Of(graph, domain, domain.Information);
            if (!demand.IsViolated)
            {
                continue;
            }

            OpenFlow[] closed = [.. flows[domain.Ref].Where(demand.Closes)];
            control._violated.Add((demand, closed));
            foreach (var flow in closed)
            {
                control._closed.TryAdd(flow, domain);
            }
        }

        return control;
    }

    /// <summary>Whether a flow is closed by anybody's demand.</summary>
    public bool Closes(OpenFlow flow) => _closed.ContainsKey(flow);

    /// <summary>Why a volume's flow to a domain's machine is closed; null where no demand closes it.</summary>
    public string? WhyNotLent(VolumeRef volume, CompartmentRef machine) => _closed
        .Where(one => one.Key.Resource is FlowResource.Volume lent && one.Key.From.Tenant == volume.Tenant
            && lent.Name == volume.Name && one.Key.Receivers.Contains(machine))
        .Select(one => Sentence(one.Value, Peer(one.Key, one.Value))).FirstOrDefault();

    /// <summary>
    /// Every demand that would be violated, each with a smallest way: of each domain the first
    /// <see cref="PolicyLimits.InformationViolations"/>.
    /// </summary>
    public IEnumerable<InformationViolation> Violations() => _violated.SelectMany(one =>
        one.Case.Violations().Take(PolicyLimits.InformationViolations).Select((found, i) => found with
        {
            Closed = [.. one.Closed.Where(found.Case.Closes).Select(flow => Side(flow, found.By))
                .DistinctBy(side => side.Term.Pointer)],
            Keeper = i == 0 ? found.Case.SufficientKeeper(found) : null,
        }));

    private static FlowSide Side(OpenFlow flow, DomainModel of) =>
        flow.From == of.Ref ? flow.Sides.Grant : flow.Sides.Accept;

    private static DomainModel Peer(OpenFlow flow, DomainModel of) =>
        (flow.From == of.Ref ? flow.Sides.Accept : flow.Sides.Grant).Domain;

    // It is read by the peer too, who may not know the third domains.
    private static string Sentence(DomainModel by, DomainModel peer) =>
        $"What {FlowMatrix.Display(by)} demands of where its information may come keeps flows between it and "
        + $"{FlowMatrix.Display(peer)} closed; policy check tells its owner by which way it would come elsewhere.";
}
