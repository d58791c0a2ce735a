using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>What one domain demands of where its information may come, and what of it the wanted flows violate.
/// </summary>
internal sealed class InformationCase
{
    /// <summary>Domains of a way that are tried as keepers.</summary>
    private const int TriedKeepers = 4;

    private readonly InformationFlow _flow;
    private readonly InformationDemand _demand;
    private readonly HashSet<int> _keepers;
    private readonly HashSet<int> _ruledOut;
    private readonly InformationSearch _rivals;
    private readonly bool[] _leads;

    private InformationCase(InformationFlow flow, DomainModel domain, int self, InformationDemand demand)
    {
        (_flow, Domain, Self, _demand) = (flow, domain, self, demand);
        _keepers = Numbers(demand.Keepers);
        _ruledOut = Numbers(demand.NotTo);
        if (demand.Jurisdictions is not null)
        {
            _ruledOut.UnionWith(Enumerable.Range(0, flow.Domains.Length).Where(number =>
                number != self && !demand.IsWithin(flow.Domains[number])));
        }

        _rivals = flow.Search(Numbers(demand.Conflicts.SelectMany(one => one.With)), _keepers, without: self);
        _leads = flow.LeadingTo(_rivals.Reached.Where(Meets).Concat(_ruledOut), _keepers, without: self);
    }

    /// <summary>Whose demand it is.</summary>
    public DomainModel Domain { get; }

    /// <summary>Whether any way violates it; each begins, or for what comes from rivals ends, at the domain.</summary>
    public bool IsViolated =>
        _flow.Next(Self).Any(peer => _leads[peer]) || _flow.Previous(Self).Any(Meets);

    private int Self { get; }

    /// <summary>Takes up a demand, or a part of it.</summary>
    public static InformationCase Of(InformationFlow flow, DomainModel domain, InformationDemand demand) => new(
        flow, domain,
        flow.Number(domain.Ref) ?? throw new ArgumentException("a domain of another datacentre", nameof(domain)),
        demand);

    /// <summary>Whether a flow of the domain is the first step of a way that violates the demand, or the last from a
    /// rival.</summary>
    public bool Closes(OpenFlow flow) => InformationEdge.Of(flow).Any(edge =>
        edge.From.Ref == Domain.Ref
            ? _flow.Number(edge.To.Ref) is { } to && _leads[to]
            : edge.To.Ref == Domain.Ref && _flow.Number(edge.From.Ref) is { } from && Meets(from));

    /// <summary>Each part of the demand that is violated, in the order of the statement, by a smallest way.</summary>
    public IEnumerable<InformationViolation> Violations()
    {
        var none = InformationDemand.None with { Keepers = _demand.Keepers };
        var parts = _demand.NotTo.Select((domain, i) => (
                FindingCode.InformationReaches, Pointer("notTo", i), none with { NotTo = [domain] }))
            .Append((
                FindingCode.JurisdictionReached, "/information/jurisdictions",
                none with { Jurisdictions = _demand.Jurisdictions }))
            .Concat(_demand.Conflicts.Select((one, i) => (
                FindingCode.ConflictOfInterest, Pointer("conflicts", i), none with { Conflicts = [one] })));
        var reach = _flow.Search([Self], _keepers);
        foreach (var (code, pointer, demand) in parts.Where(part => !part.Item3.IsNone))
        {
            var part = Of(_flow, Domain, demand);
            if (part.Smallest(reach) is { } way)
            {
                yield return new InformationViolation(code, pointer, part, way.At, way.Own, way.Rival);
            }
        }
    }

    /// <summary>
    /// A domain of the violating way that would end this violation, were it among the keepers; null where no single one
    /// of the first would.
    /// </summary>
    public DomainModel? SufficientKeeper(InformationViolation violation)
    {
        var named = _demand.NotTo.Concat(_demand.Conflicts.SelectMany(one => one.With)).Append(Domain.Ref).ToHashSet();
        return violation.Own.Select(edge => edge.To).Concat(violation.Rival.Select(edge => edge.From))
            .Where(domain => !named.Contains(domain.Ref) && !_demand.Keepers.Contains(domain.Ref)
                && _demand.IsWithin(domain))
            .DistinctBy(domain => domain.Ref).Take(TriedKeepers)
            .FirstOrDefault(domain =>
                !Of(_flow, Domain, _demand with { Keepers = _demand.Keepers.Add(domain.Ref) }).IsViolated);
    }

    /// <summary>The shortest way to whatever is ruled out; with rivals, the two that are shortest together.</summary>
    private (DomainModel At, ImmutableArray<InformationEdge> Own, ImmutableArray<InformationEdge> Rival)? Smallest(
        InformationSearch reach)
    {
        var (at, least) = (-1, int.MaxValue);
        foreach (int node in reach.Reached.Where(node => node != Self))
        {
            int length = reach.Distance(node) + (_ruledOut.Contains(node) ? 0 : _rivals.Distance(node));
            if ((_ruledOut.Contains(node) || Meets(node)) && length < least)
            {
                (at, least) = (node, length);
            }
        }

        int[] informing = [.. _flow.Previous(Self).Where(Meets).OrderBy(_rivals.Distance)];
        if (informing.Length > 0 && _rivals.Distance(informing[0]) + 1 < least)
        {
            return (Domain, [], [.. _rivals.Path(informing[0]), _flow.Edge(informing[0], Self)]);
        }

        return at < 0 ? null : (
            _flow.Domains[at], reach.Path(at), _ruledOut.Contains(at) ? [] : _rivals.Path(at));
    }

    /// <summary>Whether a domain has, or can have, what a rival knows, and is not trusted to keep it.</summary>
    private bool Meets(int node) => _rivals.Has(node) && (_rivals.Distance(node) == 0 || !_keepers.Contains(node));

    private HashSet<int> Numbers(IEnumerable<DomainRef> domains) =>
        [.. domains.Select(_flow.Number).OfType<int>()];

    private static string Pointer(string list, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"/information/{list}/{index}");
}
