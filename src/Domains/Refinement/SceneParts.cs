using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// What a scene is made of. None of it ever changes: what it is after a change takes of it what is as it was.
/// </summary>
internal sealed record SceneParts
{
    public required AdmissionGround Ground { get; init; }

    public required NetworkNumbers Numbers { get; init; }

    public required Vlans Vlans { get; init; }

    public required HostLinks Links { get; init; }

    /// <summary>Machines admitted on a host, by reference.</summary>
    public required Layered<HostRef, Listed<CompartmentModel>> Machines { get; init; }

    public required Layered<DomainRef, PlacedDomain> Members { get; init; }

    public required DomainPairs Pairs { get; init; }

    public required ILookup<DomainRef, FlowConflict> Conflicts { get; init; }

    public required Layered<CompartmentRef, AdmissionVerdict.Admitted> Admitted { get; init; }

    public required ILookup<HostRef, AdmissionVerdict.Refused> Refused { get; init; }

    /// <summary>Found when first asked for, since not every scene is gone on from.</summary>
    public required Lazy<KnownReview> Review { get; init; }

    /// <summary>
    /// Asked for by several hosts' plans at once; whoever is first makes it. It is one for all scenes that go on from
    /// each other: who the members of a pair's domains are is part of the key.
    /// </summary>
    public required ConcurrentDictionary<LaidKey, LaidPair> Laid { get; init; }

    /// <summary>By the domains' very statements.</summary>
    public required ConcurrentDictionary<DomainModel, LaidDomain> LaidDomains { get; init; }

    /// <summary>Finds all of it.</summary>
    public static SceneParts Of(AdmissionGround ground, ImmutableArray<AdmissionVerdict> verdicts, FlowPairs pairs)
    {
        var standing = Standing.After(ground, verdicts).Admitted;
        return new SceneParts
        {
            Ground = ground,
            Numbers = NetworkNumbers.Of(ground.Datacentre, pairs.Open),
            Vlans = Vlans.Of(ground.Datacentre),
            Links = new HostLinks(ground.Datacentre),
            Machines = Layered<HostRef, Listed<CompartmentModel>>.Of(standing
                .GroupBy(place => place.Host.Ref, place => place.Machine)
                .ToDictionary(group => group.Key, group => new Listed<CompartmentModel>([.. group]))),
            Members = Layered<DomainRef, PlacedDomain>.Of(standing
                .SelectMany(place => Ports(place.Machine, place.Host))
                .GroupBy(port => port.Domain, port => port.Member)
                .ToDictionary(group => group.Key, group => PlacedDomain.Of([.. group]))),
            Pairs = DomainPairs.Of(pairs),
            Conflicts = ConflictsOf(ground),
            Admitted = Layered<CompartmentRef, AdmissionVerdict.Admitted>.Of(
                verdicts.OfType<AdmissionVerdict.Admitted>().ToDictionary(verdict => verdict.Compartment)),
            Refused = verdicts.OfType<AdmissionVerdict.Refused>().ToLookup(verdict => verdict.Host),
            Review = new Lazy<KnownReview>(() => KnownReview.Of(ground, verdicts)),
            Laid = new ConcurrentDictionary<LaidKey, LaidPair>(),
            LaidDomains = new ConcurrentDictionary<DomainModel, LaidDomain>(ReferenceEqualityComparer.Instance),
        };
    }

    /// <summary>A machine's ports and the domains that they are in.</summary>
    public static IEnumerable<(DomainRef Domain, PlacedMember Member)> Ports(
        CompartmentModel machine, HostModel host) => machine.Nics.Select((nic, index) => (
            new DomainRef(machine.Ref.Tenant, nic.Domain), new PlacedMember(machine, host, index)));

    /// <summary>The flows that both sides want and that are closed all the same, by either of the two.</summary>
    public static ILookup<DomainRef, FlowConflict> ConflictsOf(AdmissionGround ground) => ground.Flows.Conflicts
        .SelectMany(one => new[] { one.Judge.Domain.Ref, one.Peer.Ref }.Select(domain => (domain, one)))
        .ToLookup(one => one.domain, one => one.one);
}

/// <summary>A pair and the members of its domains: these very ones.</summary>
internal readonly record struct LaidKey(FlowPair Pair, PlacedDomain First, PlacedDomain Second)
{
    public bool Equals(LaidKey other) => ReferenceEquals(Pair, other.Pair) && ReferenceEquals(First, other.First)
        && ReferenceEquals(Second, other.Second);

    public override int GetHashCode() => HashCode.Combine(
        RuntimeHelpers.GetHashCode(Pair), RuntimeHelpers.GetHashCode(First), RuntimeHelpers.GetHashCode(Second));
}
