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

    /// <summary>The same where machines came, went or changed.</summary>
    /// <param name="before">The machines before.</param>
    /// <param name="now">The machines now.</param>
    /// <param name="changed">Those that may be others.</param>
    internal DomainMembers With(
        CheckedDatacentre before, CheckedDatacentre now, ImmutableHashSet<CompartmentRef> changed)
    {
        var crews = new Dictionary<DomainRef, DomainCrew>(_crews);
        var come = changed.Select(machine => now.Machinery.Compartments.GetValueOrDefault(machine.ToString()))
            .OfType<CompartmentModel>()
            .SelectMany(machine => FlowMatrix.Domains(machine).Select(domain => (domain, machine.Ref)))
            .ToLookup(pair => pair.domain, pair => pair.Ref);
        var gone = changed.Select(machine => before.Machinery.Compartments.GetValueOrDefault(machine.ToString()))
            .OfType<CompartmentModel>().SelectMany(FlowMatrix.Domains);
        foreach (var domain in come.Select(group => group.Key).Concat(gone).Distinct())
        {
            var crew = Crew(domain);
            // By reference, as all machines are: those of one domain are of one tenant.
            ImmutableArray<CompartmentRef> members =
            [
                .. crew.All.Where(machine => !changed.Contains(machine)).Concat(come[domain])
                    .OrderBy(machine => machine.Name),
            ];
            if (members.IsEmpty)
            {
                crews.Remove(domain);
            }
            else
            {
                crews[domain] = Crew(members, crew);
            }
        }

        return new DomainMembers(crews);
    }

    /// <summary>The domains whose crews differ from those before.</summary>
    internal IEnumerable<DomainRef> ChangedSince(DomainMembers before) => _crews.Keys.Concat(before._crews.Keys)
        .Where(domain => !ReferenceEquals(Crew(domain), before.Crew(domain)));

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
