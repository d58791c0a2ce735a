using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>
/// The checks that depend on the machine's domains and the host: does each domain accept the platform?
/// </summary>
internal static class HostChecks
{
    public static void Add(List<AdmissionRefusal> refusals, AdmissionCase admission) => refusals.AddRange(
        HostTerm.Of(admission).Where(term => !term.Holds(admission.Host))
            .Select(term => new AdmissionRefusal(term.Code, term.Refusal(admission.Host), term.Because)));

    /// <summary>True if the domain's policy accepts the host's operator, level and country.</summary>
    public static bool Accepts(DomainModel domain, HostModel host) =>
        HostTerm.Operator.Takes(domain, host) && HostTerm.Assurance.Takes(domain, host)
        && HostTerm.Country.Takes(domain, host);

    /// <summary>True if two policies say the same of the hosts that they accept.</summary>
    public static bool AcceptAlike(DomainModel one, DomainModel other) =>
        one.Hosts.Operators.SequenceEqual(other.Hosts.Operators)
        && one.Hosts.Assurance.SequenceEqual(other.Hosts.Assurance)
        && one.Hosts.Jurisdictions.SequenceEqual(other.Hosts.Jurisdictions, StringComparer.Ordinal);
}
