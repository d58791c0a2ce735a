using System.Diagnostics;
using Bailiwick.Attestation;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>What evidence is worth to one domain; vendors are the owner's choice, so levels differ.</summary>
internal static class PlatformLevel
{
    /// <summary>The level of evidence for a domain.</summary>
    public static AssuranceLevel Of(VerifiedEvidence evidence, DomainModel domain) => evidence.Assurance switch
    {
        EvidenceAssurance.Software => AssuranceLevel.Software,
        EvidenceAssurance.SoftwareTpm => AssuranceLevel.SoftwareTpm,
        EvidenceAssurance.Tpm when domain.Hosts.Vendors is { } chosen && evidence.Vendors?.Hex == chosen =>
            AssuranceLevel.Tpm,
        EvidenceAssurance.Tpm => AssuranceLevel.SoftwareTpm,
        _ => throw new UnreachableException(),
    };
}
