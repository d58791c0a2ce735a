using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>A demand on where information may come that the wanted flows would violate, with a smallest way.</summary>
/// <param name="Code">Which kind of demand.</param>
/// <param name="Pointer">JSON pointer of the demand in its domain's statement.</param>
/// <param name="Case">The demand.</param>
/// <param name="At">Where the information would come, or meet the rival's; the demanding domain itself where a rival's
/// would come to it.</param>
/// <param name="Own">The way from the demanding domain there; empty where it is that domain.</param>
/// <param name="Rival">The way from a rival there; empty where it is the rival, and where there are none.</param>
internal sealed record InformationViolation(
    FindingCode Code, string Pointer, InformationCase Case, DomainModel At, ImmutableArray<InformationEdge> Own,
    ImmutableArray<InformationEdge> Rival)
{
    /// <summary>Steps of a way that are told from its start, and from its end, where there are more.</summary>
    private const int ToldSteps = 8;

    /// <summary>Whose demand it is.</summary>
    public DomainModel By => Case.Domain;

    /// <summary>
    /// Terms of the demanding domain that are closed for it: the least that its owner would have to withdraw so that
    /// the demand holds without anybody else changing anything.
    /// </summary>
    public ImmutableArray<FlowSide> Closed { get; init; } = [];

    /// <summary>A domain that would end all violations of the demanding domain's, were it a keeper; null for none.
    /// </summary>
    public DomainModel? Keeper { get; init; }

    /// <summary>The sentence for a reader.</summary>
    /// <param name="sees">Whether the reader may know a domain; the others' names, terms and volumes are not told.
    /// </param>
    public string Sentence(Func<DomainModel, bool> sees) =>
        $"{Claim(sees)}: {string.Join("; and ", new[] { Own, Rival }.Where(way => way.Length > 0)
            .Select(way => Way(way, sees)))}. {Remedy(sees)}";

    /// <summary>A domain's name; of one that the reader may not know, only that there is one.</summary>
    public static string Name(DomainModel domain, Func<DomainModel, bool> sees) =>
        sees(domain) ? FlowMatrix.Display(domain) : Unseen;

    private const string Unseen = "a domain of another tenant";

    private string Claim(Func<DomainModel, bool> sees)
    {
        var (by, at) = (Name(By, sees), Name(At, sees));
        var rival = Rival.Length > 0 ? Name(Rival[0].From, sees) : at;
        return Code switch
        {
            FindingCode.InformationReaches => $"Information of {by} would come to {at}",
            FindingCode.JurisdictionReached => sees(At)
                ? $"Information of {by} would come to {at}, which is of an owner in {At.LegalOwner.Jurisdiction} and "
                    + $"accepts hosts in {string.Join(", ", At.Hosts.Jurisdictions)}"
                : $"Information of {by} would come to {at}, outside of the countries that are named",
            _ => Rival.Length == 0 ? $"Information of {by} would come to {at}, with which it is in conflict"
                : Own.Length == 0 ? $"Information of {rival}, with which {by} is in conflict, would come to it"
                : $"Information of {by} and of {rival}, which are in conflict, would meet in {at}",
        };
    }

    private static string Way(ImmutableArray<InformationEdge> way, Func<DomainModel, bool> sees)
    {
        var told = way.Select(edge => sees(edge.From) && sees(edge.To)
            ? edge.Sentence : $"{Name(edge.From, sees)} informs {Name(edge.To, sees)}").ToArray();
        return string.Join("; ", told.Length <= 2 * ToldSteps ? told : [
            .. told[..ToldSteps], $"{told.Length - (2 * ToldSteps)} steps more", .. told[^ToldSteps..],
        ]);
    }

    private string Remedy(Func<DomainModel, bool> sees)
    {
        var terms = Closed.Select(side => InformationEdge.Place(side.Term)).ToArray();
        var remedy = terms.Length == 0 ? "Leave the machine out of one of its domains"
            : $"So {Named(terms)} {(terms.Length == 1 ? "opens" : "open")} nothing. Withdraw "
                + (terms.Length == 1 ? "it" : "them");
        return Keeper is null || !sees(Keeper) ? remedy + "."
            : $"{remedy}, or name {FlowMatrix.Display(Keeper)} among information.keepers, if it keeps to itself what "
                + "it learns.";
    }

    private static string Named(string[] terms) => terms.Length <= 2 * ToldSteps ? string.Join(", ", terms)
        : $"{string.Join(", ", terms[..(2 * ToldSteps)])} and {terms.Length - (2 * ToldSteps)} terms more";
}
