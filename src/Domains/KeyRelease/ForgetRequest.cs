using System.Text.Json.Nodes;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>The TPM that has a host at a key service.</summary>
/// <param name="EndorsementKey">SHA-256 of its endorsement key's SubjectPublicKeyInfo.</param>
/// <param name="Since">The position in the key service's journal of the enrolment by which it got the host.</param>
public sealed record BoundTpm(Digest32 EndorsementKey, long Since);

/// <summary>
/// Approval by root keys that a key service forget the TPM it enrolled for a host, as when its mainboard was replaced;
/// nothing in it is verified. It names the TPM and since when it has the host, so an old approval ends no newer
/// enrolment, not even of the same TPM.
/// </summary>
public sealed class ForgetRequest
{
    private ForgetRequest(SignedDocument signed, PartyId tenant, HostRef host, BoundTpm bound)
    {
        Signed = signed;
        Tenant = tenant;
        Host = host;
        Bound = bound;
    }

    /// <summary>The tenant whose key service is to forget.</summary>
    public PartyId Tenant { get; }

    /// <summary>The host.</summary>
    public HostRef Host { get; }

    /// <summary>What it is to forget.</summary>
    public BoundTpm Bound { get; }

    /// <summary>SHA-256 of the document's payload.</summary>
    public Digest32 Digest => Signed.Digest;

    internal SignedDocument Signed { get; }

    /// <summary>Writes and signs.</summary>
    public static byte[] Write(PartyId tenant, HostRef host, BoundTpm bound, IReadOnlyList<ISigner> rootKeys)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(bound);
        return SignedDocument.Sign(
            KeyDocuments.Forget,
            new JsonObject
            {
                ["tenant"] = tenant.ToString(),
                ["host"] = host.ToString(),
                ["endorsementKey"] = bound.EndorsementKey.Hex,
                ["since"] = bound.Since,
            },
            rootKeys);
    }

    /// <summary>Reads; null with one sentence when it has not the strict form.</summary>
    public static ForgetRequest? Read(ReadOnlySpan<byte> envelopeJson, out string fault)
    {
        if (SignedDocument.Read(KeyDocuments.Forget, envelopeJson, out fault) is not { } document)
        {
            return null;
        }

        fault = "A member of the document has not the form it must have.";
        return PartyId.TryParse(document.Root.Text("tenant"), out var tenant)
            && KeyReferences.Host(document.Root.Text("host")) is { } host
            && document.Root.Digest("endorsementKey") is { } tpm && document.Root.Count("since") is { } since
                ? new ForgetRequest(document, tenant, host, new BoundTpm(tpm, since))
                : null;
    }
}
