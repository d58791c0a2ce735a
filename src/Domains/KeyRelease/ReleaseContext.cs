using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Attestation;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Json;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// What a sealed key is bound to: it opens for this and for nothing else. The revisions tell the host under which
/// policy the key service decided, the access what the machine may do with the volume, and the header with which
/// volume's file alone it may use the key; it is empty for a volume without a file. Both are empty for a machine's TPM.
/// The copy names the volume that is to be made with the key; else it is empty.
/// </summary>
/// <param name="Request">The request.</param>
/// <param name="Evidence">The evidence by which it was decided.</param>
/// <param name="DomainRevision">Revision of the domain that the key is of.</param>
/// <param name="CompartmentRevision">Revision of the machine's statement.</param>
/// <param name="RestartSeconds">
/// For how long, counted from before the host asked, it may open the key again to restart the machine; 0 for never.
/// </param>
public sealed record ReleaseContext(
    ReleaseRequest Request, VerifiedEvidence Evidence, long DomainRevision, long CompartmentRevision,
    long RestartSeconds)
{
    /// <summary>What the machine may do with the volume; null of a TPM.</summary>
    public VolumeAccess? Access { get; init; }

    /// <summary>Canonical JSON, the additional authenticated data of the seal.</summary>
    public byte[] Write() => CanonicalJson.Write(JsonSerializer.SerializeToElement(new JsonObject
    {
        ["tenant"] = Request.Tenant.ToString(),
        ["key"] = Request.Key.ToString(),
        ["header"] = Request.Key is KeySubject.Volume ? Request.State?.Hex ?? "" : "",
        ["access"] = Access is { } access ? WireText.Of(access) : "",
        ["copy"] = Request.Copy?.ToString() ?? "",
        ["compartment"] = Request.Compartment.ToString(),
        ["host"] = Request.Host.ToString(),
        ["boot"] = Evidence.Boot.ToString("D"),
        ["attestationKey"] = Evidence.Quote?.Key.Area?.Name.Hex ?? "",
        ["domainRevision"] = DomainRevision,
        ["compartmentRevision"] = CompartmentRevision,
        ["restartSeconds"] = RestartSeconds,
        ["session"] = Request.SessionKey.Base64,
        ["nonce"] = Request.Nonce.Base64,
    }));
}
