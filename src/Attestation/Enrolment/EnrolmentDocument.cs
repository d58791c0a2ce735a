using System.Text.Json.Nodes;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Attestation.Enrolment;

/// <summary>
/// What a tenant's key service signs of a host whose TPM it challenged. The host carries it, so that others who verify
/// for the same tenant need not challenge the TPM again.
/// </summary>
public static class EnrolmentDocument
{
    private const int MaxHostLength = 128;

    /// <summary>The form on the wire.</summary>
    public static DocumentFormat Format { get; } = new(
        "application/vnd.bailiwick.enrolment+json", "enrolment/v1",
        ["tenant", "host", "endorsementKey", "attestationKey", "vendors"]);

    /// <summary>Writes and signs.</summary>
    /// <param name="key">What was found.</param>
    /// <param name="service">The key that the tenant's root statement names for its key service.</param>
    /// <exception cref="ArgumentException">The attestation key is a bare one.</exception>
    public static byte[] Write(EnrolledKey key, ISigner service)
    {
        ArgumentNullException.ThrowIfNull(key);
        TpmPublic area = key.AttestationKey.Area
            ?? throw new ArgumentException("A bare key is not enrolled.", nameof(key));
        return SignedDocument.Sign(
            Format,
            new JsonObject
            {
                ["tenant"] = key.Tenant.ToString(),
                ["host"] = key.Host,
                ["endorsementKey"] = key.EndorsementKey.Hex,
                ["attestationKey"] = Convert.ToBase64String(area.Write()),
                ["vendors"] = key.Vendors?.Hex ?? "none",
            },
            service);
    }

    /// <summary>Reads and verifies; null with one sentence for what the key did not sign in this form.</summary>
    /// <param name="envelopeJson">A DSSE envelope as canonical JSON.</param>
    /// <param name="tenant">The tenant whose key service must have signed.</param>
    /// <param name="service">The key that the tenant's newest root statement names for its key service.</param>
    /// <param name="fault">The sentence.</param>
    public static EnrolledKey? Verify(
        ReadOnlySpan<byte> envelopeJson, PartyId tenant, PublicKey service, out string fault)
    {
        ArgumentNullException.ThrowIfNull(service);
        if (SignedDocument.Read(Format, envelopeJson, out fault) is not { } document)
        {
            return null;
        }

        if (document.Signers(id => id == service.Id ? service : null) is SignatureVerdict.Refused refused)
        {
            fault = $"The key service of {tenant.Short} must sign an enrolment, but {refused.Clause}.";
            return null;
        }

        fault = "A member of the enrolment has not the form it must have.";
        return Read(document.Root, tenant);
    }

    /// <summary>The tenant that a document claims to be signed for, unverified; null for what has not its form.
    /// </summary>
    public static PartyId? ClaimedTenant(ReadOnlySpan<byte> envelopeJson) =>
        SignedDocument.Read(Format, envelopeJson) is DocumentReading.Understood { Document: var document }
        && PartyId.TryParse(document.Root.Text("tenant"), out PartyId? tenant)
            ? tenant
            : null;

    private static EnrolledKey? Read(DocumentObject root, PartyId tenant) =>
        root.Text("tenant") == tenant.ToString()
        && root.Text("host") is { Length: > 0 and <= MaxHostLength } host
        && root.Digest("endorsementKey") is { } endorsement
        && root.Bytes("attestationKey", TpmLimits.StructureBytes) is { } area
        && TpmPublic.TryRead(area, out TpmPublic? read, out _)
        && AttestationKeyCheck.Check(read) is AttestationKeyVerdict.Acceptable { Key: var key }
        && (root.Text("vendors") == "none" || root.Digest("vendors") is not null)
            ? new EnrolledKey(tenant, host, endorsement, key, root.Digest("vendors"))
            : null;
}
