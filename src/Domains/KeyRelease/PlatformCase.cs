using Bailiwick.Attestation;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>What a domain's owner has against a host: who runs it, where it stands, and what it proved.</summary>
internal static class PlatformCase
{
    /// <summary>Every reason; what evidence alone shows is judged only where evidence was verified.</summary>
    public static IEnumerable<KeyRefusal> Against(DomainModel domain, HostModel host, VerifiedEvidence? evidence)
    {
        if (!domain.Hosts.Operators.Contains(host.Ref.Operator))
        {
            yield return new KeyRefusal(
                KeyRefusalCode.OperatorNotAccepted,
                $"{domain.Origin} does not accept hosts of the operator {host.Ref.Operator.Short}.", domain.Origin);
        }

        if (evidence is not null && PlatformLevel.Of(evidence, domain) is var given
            && !domain.Hosts.Assurance.Contains(given))
        {
            yield return new KeyRefusal(
                KeyRefusalCode.AssuranceNotAccepted,
                $"{domain.Origin} accepts the assurance "
                + $"{string.Join(", ", domain.Hosts.Assurance.Select(WireText.Of))}; "
                + $"the evidence gives {WireText.Of(given)}.", domain.Origin);
        }

        foreach (string sentence in evidence is null ? [] : PlatformJudge.Unmet(evidence, domain))
        {
            yield return new KeyRefusal(
                KeyRefusalCode.EvidenceDemand, $"{domain.Origin} demands more of the host: {sentence}", domain.Origin);
        }

        if (!domain.Hosts.Jurisdictions.Contains(host.Jurisdiction, StringComparer.Ordinal))
        {
            yield return new KeyRefusal(
                KeyRefusalCode.JurisdictionNotAccepted,
                $"{domain.Origin} does not accept hosts in {host.Jurisdiction}, where {host.Origin} stands.",
                domain.Origin);
        }
    }
}
