using System.Collections.Immutable;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Flows;

/// <summary>Which machines are members of which domain, and whom a flow term means.</summary>
internal sealed class DomainMembers
{
    private readonly ILookup<DomainRef, CompartmentRef> _machines;

    private DomainMembers(ILookup<DomainRef, CompartmentRef> machines) => _machines = machines;

    /// <summary>Takes the machines' own word, which is their tenant's.</summary>
    public static DomainMembers Of(CheckedDatacentre datacentre) => new(
        datacentre.Machinery.Compartments.Values
            .SelectMany(machine => FlowMatrix.Domains(machine).Select(domain => (domain, machine.Ref)))
            .ToLookup(pair => pair.domain, pair => pair.Ref));

    /// <summary>All members of a domain, by name.</summary>
    public IEnumerable<CompartmentRef> All(DomainRef domain) => _machines[domain];

    /// <summary>
    /// The members a term names. A name that is neither a group nor a member, or both, is nobody; so is an empty group.
    /// </summary>
    public ImmutableArray<CompartmentRef> Named(DomainModel domain, FlowTerm term)
    {
        if (term.Machines is not { } names)
        {
            return [.. All(domain.Ref)];
        }

        var wanted = new HashSet<StatementName>();
        foreach (var name in names)
        {
            wanted.UnionWith(Meaning(domain, name));
        }

        return [.. All(domain.Ref).Where(machine => wanted.Contains(machine.Name))];
    }

    private ImmutableArray<StatementName> Meaning(DomainModel domain, string name)
    {
        var isGroup = domain.Groups.TryGetValue(name, out var group);
        var machine = All(domain.Ref).Select(member => member.Name).FirstOrDefault(member => member.Text == name);
        return (isGroup, machine) switch
        {
            (true, null) => group,
            (false, not null) => [machine],
            (true, not null) or (false, null) => [],
        };
    }
}
