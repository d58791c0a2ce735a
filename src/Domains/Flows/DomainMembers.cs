using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>The members of one domain, by reference, and their names.</summary>
/// <param name="All">One that has two ports in the domain is there twice.</param>
/// <param name="Names">Their names.</param>
internal sealed record DomainCrew(ImmutableArray<CompartmentRef> All, HashSet<string> Names)
{
    public static DomainCrew Nobody { get; } = new([], []);
}

/// <summary>Which machines are members of which domain, as their tenants say.</summary>
internal sealed class DomainMembers
{
    private readonly Dictionary<DomainRef, DomainCrew> _crews;

    private DomainMembers(Dictionary<DomainRef, DomainCrew> crews) => _crews = crews;

    /// <summary>Takes the machines' own word, which is their tenant's.</summary>
    public static DomainMembers Of(CheckedDatacentre datacentre) => datacentre.Index.Members;

    /// <summary>Finds them; a crew that is as it was before is the same one.</summary>
    internal static DomainMembers Made(CheckedDatacentre datacentre, DomainMembers? before) => new(
        datacentre.Machinery.Compartments.Values
            .SelectMany(machine => FlowMatrix.Domains(machine).Select(domain => (domain, machine.Ref)))
            .GroupBy(pair => pair.domain, pair => pair.Ref)
            .ToDictionary(
                group => group.Key,
                group => Crew([.. group], before?._crews.GetValueOrDefault(group.Key))));

    /// <summary>The members of a domain.</summary>
    public DomainCrew Crew(DomainRef domain) => _crews.GetValueOrDefault(domain, DomainCrew.Nobody);

    /// <summary>All members of a domain, by name.</summary>
    public ImmutableArray<CompartmentRef> All(DomainRef domain) => Crew(domain).All;

    /// <summary>Whether a domain has a member of this name.</summary>
    public bool Has(DomainRef domain, string name) => Crew(domain).Names.Contains(name);

    private static DomainCrew Crew(ImmutableArray<CompartmentRef> members, DomainCrew? before) =>
        before is not null && before.All.SequenceEqual(members) ? before
            : new DomainCrew(members, members.Select(machine => machine.Name.Text).ToHashSet(StringComparer.Ordinal));
}
