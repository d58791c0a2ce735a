using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// Where a domain's information may not come, directly or through others. Everybody named is named by the domain's own
/// owner: no stranger can put itself beside it, and so close its flows.
/// </summary>
/// <param name="NotTo">Domains that it must not reach.</param>
/// <param name="Jurisdictions">
/// Countries, ISO 3166-1 alpha-2: it must reach no domain that is of an owner elsewhere, or that accepts hosts
/// elsewhere; null for no such demand.
/// </param>
/// <param name="Keepers">
/// Domains that the owner trusts to keep it to themselves: they may be reached, and nothing goes on from there.
/// </param>
/// <param name="Conflicts">Classes of conflict of interest.</param>
public sealed record InformationDemand(
    ImmutableArray<DomainRef> NotTo, ImmutableArray<string>? Jurisdictions, ImmutableArray<DomainRef> Keepers,
    ImmutableArray<ConflictClass> Conflicts)
{
    /// <summary>Nothing is demanded.</summary>
    public static InformationDemand None { get; } = new([], null, [], []);

    /// <summary>Whether anything is demanded.</summary>
    public bool IsNone => NotTo.IsEmpty && Jurisdictions is null && Conflicts.IsEmpty;

    /// <summary>Whether a domain is, by its statement, within the countries that are named.</summary>
    public bool IsWithin(DomainModel domain)
    {
        ArgumentNullException.ThrowIfNull(domain);
        return Jurisdictions is not { } named
            || (named.Contains(domain.LegalOwner.Jurisdiction) && domain.Hosts.Jurisdictions.All(named.Contains));
    }

    /// <summary>Every domain that is named, with its JSON pointer in the statement.</summary>
    internal IEnumerable<(string Pointer, DomainRef Domain)> Named() =>
        NotTo.Select((domain, i) => (Place($"notTo/{i}"), domain))
            .Concat(Keepers.Select((domain, i) => (Place($"keepers/{i}"), domain)))
            .Concat(Conflicts.SelectMany((one, i) => one.With.Select((domain, j) =>
                (Place($"conflicts/{i}/with/{j}"), domain))));

    private static string Place(FormattableString place) =>
        $"/information/{place.ToString(CultureInfo.InvariantCulture)}";
}

/// <summary>
/// A Chinese Wall (D. F. C. Brewer, M. J. Nash, "The Chinese Wall security policy", IEEE S and P 1989), held over all
/// that could flow and not over what has: who can have the domain's information cannot have that of a domain named
/// here, nor can the domain itself.
/// </summary>
/// <param name="Name">What the owner calls it; only for people.</param>
/// <param name="With">The domains whose information must not meet the domain's own; at least one.</param>
public sealed record ConflictClass(StatementName Name, ImmutableArray<DomainRef> With);
