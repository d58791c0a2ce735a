using System.Text.Json.Nodes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.KeyService.Enrolling;

/// <summary>
/// The journal's record that a host's TPM was forgotten, signed by the key service itself: the root keys that approved
/// it may be replaced by the time the journal is read again.
/// </summary>
internal static class ForgottenDocument
{
    private static readonly DocumentFormat Format = new(
        "application/vnd.bailiwick.forgotten-tpm+json", "forgotten-tpm/v1",
        ["tenant", "host", "endorsementKey", "since", "approval"]);

    /// <summary>Writes and signs.</summary>
    public static byte[] Write(ForgetRequest approved, ISigner service) => SignedDocument.Sign(
        Format,
        new JsonObject
        {
            ["tenant"] = approved.Tenant.ToString(),
            ["host"] = approved.Host.ToString(),
            ["endorsementKey"] = approved.Bound.EndorsementKey.Hex,
            ["since"] = approved.Bound.Since,
            ["approval"] = approved.Digest.Hex,
        },
        service);

    /// <summary>The host and the TPM; null for what the key did not sign in this form for this tenant.</summary>
    public static (string Host, BoundTpm Bound)? Verify(ReadOnlySpan<byte> record, PartyId tenant, PublicKey service) =>
        SignedDocument.Read(Format, record) is DocumentReading.Understood { Document: var document }
        && document.Signers(id => id == service.Id ? service : null) is SignatureVerdict.Verified
        && document.Root.Text("tenant") == tenant.ToString() && document.Root.Text("host") is { } host
        && document.Root.Digest("endorsementKey") is { } tpm && document.Root.Count("since") is { } since
        && document.Root.Digest("approval") is not null
            ? (host, new BoundTpm(tpm, since))
            : null;
}
