using Bailiwick.Attestation.Quotes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Attestation.Enrolment;

/// <summary>
/// An attestation key that a tenant's key service found to be in the same TPM as an endorsement key, and that
/// endorsement key to be the one the operator stated for the host. Made by the challenge after the
/// TPM answered, or by <see cref="EnrolmentDocument"/> from what the key service signed then; holding one is the proof.
/// </summary>
public sealed class EnrolledKey
{
    internal EnrolledKey(
        PartyId tenant, string host, Digest32 endorsementKey, QuoteKey attestationKey, Digest32? vendors)
    {
        Tenant = tenant;
        Host = host;
        EndorsementKey = endorsementKey;
        AttestationKey = attestationKey;
        Vendors = vendors;
    }

    /// <summary>The tenant whose key service vouches.</summary>
    public PartyId Tenant { get; }

    /// <summary>The host, `operator id/name`.</summary>
    public string Host { get; }

    /// <summary>SHA-256 of the endorsement key's SubjectPublicKeyInfo.</summary>
    public Digest32 EndorsementKey { get; }

    /// <summary>The key that quotes.</summary>
    public QuoteKey AttestationKey { get; }

    /// <summary>
    /// SHA-256 of the file of vendors' root certificates to which the endorsement certificate leads; null when it leads
    /// to none that the tenant chose.
    /// </summary>
    public Digest32? Vendors { get; }

    /// <summary>What quotes of this key prove at most.</summary>
    public EvidenceAssurance Assurance =>
        Vendors is null ? EvidenceAssurance.SoftwareTpm : EvidenceAssurance.Tpm;
}
