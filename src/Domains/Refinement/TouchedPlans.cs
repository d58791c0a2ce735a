using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>A domain of whose part of a plan some line may be another.</summary>
/// <param name="Ref">The domain.</param>
/// <param name="Inside">Whether more than what follows from its flows with others may be.</param>
internal sealed record TouchedDomain(DomainRef Ref, bool Inside);

/// <summary>Whose plans a change can touch; all others are as they were.</summary>
/// <param name="Domains">Domains of whose part of a plan some line may be another, by reference text.</param>
/// <param name="Passages">The names of the passages of which that is so.</param>
/// <param name="Hosts">Hosts of whose plans that is so.</param>
internal sealed record TouchedPlans(
    IReadOnlyDictionary<string, TouchedDomain> Domains, IReadOnlySet<string> Passages, HashSet<HostRef> Hosts)
{
    public static TouchedPlans None { get; } =
        new(new Dictionary<string, TouchedDomain>(), new HashSet<string>(), []);

    /// <summary>Those that two changes touch.</summary>
    public TouchedPlans And(TouchedPlans later)
    {
        var domains = new Dictionary<string, TouchedDomain>(Domains, StringComparer.Ordinal);
        foreach (var (reference, domain) in later.Domains)
        {
            domains[reference] = domain.Inside ? domain : domains.GetValueOrDefault(reference, domain);
        }

        return new TouchedPlans(
            domains, Passages.Concat(later.Passages).ToHashSet(StringComparer.Ordinal), [.. Hosts, .. later.Hosts]);
    }
}
