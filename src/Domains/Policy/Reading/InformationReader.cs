using System.Collections.Immutable;

namespace Bailiwick.Domains.Policy.Reading;

/// <summary>Reads where a domain's information may not come.</summary>
internal static class InformationReader
{
    /// <summary>Reads the member <c>information</c>, which may be absent.</summary>
    /// <param name="information">The member.</param>
    /// <param name="names">Ids of the parties that an authored document names.</param>
    /// <param name="self">The domain.</param>
    /// <param name="owner">The domain's legal owner.</param>
    /// <param name="hosts">The hosts that the domain accepts.</param>
    public static InformationDemand Information(
        Value information, PartyNames? names, DomainRef self, LegalOwner owner, HostDemand hosts)
    {
        information.Only("notTo", "jurisdictions", "keepers", "conflicts");
        var (notTo, countries, conflicts) =
            (information.May("notTo"), information.May("jurisdictions"), information.May("conflicts"));
        var keepers = Domains(information.May("keepers"), names, self, []);
        var demand = new InformationDemand(
            Domains(notTo, names, self, keepers),
            countries.IsPresent ? countries.Distinct(1, PolicyLimits.Names, item => item.Country()) : null,
            keepers, Conflicts(conflicts, names, self, keepers));
        if (information.HasMembers && !notTo.IsPresent && !countries.IsPresent && !conflicts.IsPresent)
        {
            information.Fault(
                FindingCode.MissingMember,
                "Nothing is demanded. Add notTo, jurisdictions or conflicts, or remove the member.");
        }

        var outside = hosts.Jurisdictions.Prepend(owner.Jurisdiction).Distinct().Where(country =>
            demand.Jurisdictions is { IsEmpty: false } named && !named.Contains(country)).ToArray();
        if (outside.Length > 0)
        {
            countries.Fault(
                FindingCode.InformationDoesNotFit,
                $"The domain itself is in {string.Join(", ", outside)}, by legalOwner or by hosts.jurisdictions, which "
                + "this leaves out. Name it here, or accept no hosts there.");
        }

        return demand;
    }

    private static ImmutableArray<ConflictClass> Conflicts(
        Value list, PartyNames? names, DomainRef self, ImmutableArray<DomainRef> keepers)
    {
        var classes = ImmutableArray.CreateBuilder<ConflictClass>();
        foreach (var item in list.Items(1, PolicyLimits.ConflictClasses))
        {
            item.Only("class", "with");
            var read = new ConflictClass(
                item.Need("class").Name(), Domains(item.Need("with"), names, self, keepers));
            if (classes.Any(one => one.Name == read.Name))
            {
                item.Fault(
                    FindingCode.InformationDoesNotFit,
                    $"The class {read.Name} is there twice. Give it another name, or write one list.");
            }

            classes.Add(read);
        }

        return classes.ToImmutable();
    }

    private static ImmutableArray<DomainRef> Domains(
        Value list, PartyNames? names, DomainRef self, ImmutableArray<DomainRef> keepers) => list.Distinct(
            1, PolicyLimits.InformationNames, item =>
            {
                var domain = item.Domain(names);
                if (domain == self)
                {
                    item.Fault(FindingCode.InformationDoesNotFit, "This is the domain itself. Remove it.");
                }
                else if (keepers.Contains(domain))
                {
                    item.Fault(
                        FindingCode.InformationDoesNotFit,
                        "The domain is named among the keepers too, who may have the information. Keep one.");
                }

                return domain;
            });
}
