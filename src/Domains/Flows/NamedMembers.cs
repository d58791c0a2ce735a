using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>Whom flow terms mean. What many terms of a domain name is looked up once.</summary>
internal sealed class NamedMembers(DomainMembers members)
{
    private readonly Dictionary<(DomainRef, string), ImmutableArray<CompartmentRef>> _ofOneName = [];

    /// <summary>The members of a domain.</summary>
    public DomainCrew Crew(DomainRef domain) => members.Crew(domain);

    /// <summary>
    /// The members a term names. A name that is neither a group nor a member, or both, is nobody; so is an empty group.
    /// </summary>
    public ImmutableArray<CompartmentRef> Named(DomainModel domain, FlowTerm term)
    {
        if (term.Machines is not { } names)
        {
            return members.All(domain.Ref);
        }

        if (names is not [var only])
        {
            return Those(domain, names);
        }

        var key = (domain.Ref, only);
        if (!_ofOneName.TryGetValue(key, out var found))
        {
            _ofOneName[key] = found = Those(domain, names);
        }

        return found;
    }

    private ImmutableArray<CompartmentRef> Those(DomainModel domain, ImmutableArray<string> names)
    {
        var wanted = names.SelectMany(name => Meaning(domain, name)).ToHashSet(StringComparer.Ordinal);
        return [.. members.All(domain.Ref).Where(machine => wanted.Contains(machine.Name.Text))];
    }

    private IEnumerable<string> Meaning(DomainModel domain, string name)
    {
        var isGroup = domain.Groups.TryGetValue(name, out var group);
        return (isGroup, members.Has(domain.Ref, name)) switch
        {
            (true, false) => group.Select(machine => machine.Text),
            (false, true) => [name],
            (true, true) or (false, false) => [],
        };
    }
}
