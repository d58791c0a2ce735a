using System.Text.Json.Nodes;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// A host's request for a key, as read: its form is right and nothing in it is verified.
/// <see cref="ReleaseControl"/> checks the signature against the operator's statement of the host.
/// </summary>
public sealed class ReleaseRequest
{
    private ReleaseRequest(SignedDocument document, PartyId tenant, RequestedParts parts, byte[] evidence)
    {
        Document = document;
        Tenant = tenant;
        Key = parts.Key;
        State = parts.State;
        Copy = parts.Copy;
        Compartment = parts.Compartment;
        Host = parts.Host;
        Nonce = parts.Nonce;
        SessionKey = parts.SessionKey;
        EndorsementKey = parts.EndorsementKey;
        Evidence = evidence;
    }

    /// <summary>The tenant whose key is asked for.</summary>
    public PartyId Tenant { get; }

    /// <summary>What the key opens.</summary>
    public KeySubject Key { get; }

    /// <summary>
    /// What the host has of it now: SHA-256 of the encrypted state of a machine's TPM, or the digest of a volume's
    /// header (<see cref="Volumes.HeaderDigest"/>); null when there is none.
    /// </summary>
    public Digest32? State { get; }

    /// <summary>
    /// The volume that is to be made as a copy of the one that the key opens, and for which alone the key is asked;
    /// null when the machine itself is to use it.
    /// </summary>
    public VolumeRef? Copy { get; }

    /// <summary>The machine that is to use it, or what is made with it.</summary>
    public CompartmentRef Compartment { get; }

    /// <summary>The host that is to open it.</summary>
    public HostRef Host { get; }

    /// <summary>The nonce that the key service gave for this request.</summary>
    public KeyNonce Nonce { get; }

    /// <summary>The public half of the key pair that the host made for this request.</summary>
    public PublicKey SessionKey { get; }

    /// <summary>The host's TPM, for which the key is wrapped as well; null of a host without one.</summary>
    public TpmPublic? EndorsementKey { get; }

    /// <summary>The host's evidence, a DSSE envelope in canonical JSON.</summary>
    public ReadOnlyMemory<byte> Evidence { get; }

    /// <summary>What it asks for, without who asks.</summary>
    public KeyWish Wish => new(Key, Compartment, Host) { Tenant = Tenant, State = State, Copy = Copy };

    internal SignedDocument Document { get; }

    /// <summary>Writes and signs a request.</summary>
    /// <returns>A DSSE envelope as canonical JSON.</returns>
    public static byte[] Write(RequestedParts parts, ReadOnlyMemory<byte> evidence, ISigner host)
    {
        ArgumentNullException.ThrowIfNull(parts);
        return SignedDocument.Sign(
            KeyDocuments.Request,
            new JsonObject
            {
                ["tenant"] = parts.Key.Tenant.ToString(),
                ["key"] = parts.Key.ToString(),
                ["state"] = parts.State?.Hex ?? "",
                ["copy"] = parts.Copy?.ToString() ?? "",
                ["compartment"] = parts.Compartment.ToString(),
                ["host"] = parts.Host.ToString(),
                ["nonce"] = parts.Nonce.Base64,
                ["sessionKey"] = parts.SessionKey.Base64,
                ["endorsementKey"] = Convert.ToBase64String(parts.EndorsementKey?.Write() ?? []),
                ["evidence"] = JsonNode.Parse(evidence.Span),
            },
            host);
    }

    /// <summary>Reads a request; null with one sentence when it has not the strict form.</summary>
    public static ReleaseRequest? Read(ReadOnlySpan<byte> envelopeJson, out string fault)
    {
        if (SignedDocument.Read(KeyDocuments.Request, envelopeJson, out fault) is not { } document)
        {
            return null;
        }

        fault = "A member of the request has not the form it must have.";
        return Of(document);
    }

    private static ReleaseRequest? Of(SignedDocument document)
    {
        DocumentObject root = document.Root;
        return PartyId.TryParse(root.Text("tenant"), out var tenant)
            && KeySubject.Read(root.Text("key")) is { } key
            && KeyStates.TryRead(root.Text("state"), out var state)
            && TryRead(root.Text("copy"), out VolumeRef? copy)
            && KeyReferences.Compartment(root.Text("compartment")) is { } compartment
            && KeyReferences.Host(root.Text("host")) is { } host
            && KeyNonce.Of(root.Bytes("nonce", KeyNonce.Length)) is { } nonce
            && root.Key("sessionKey") is { } sessionKey
            && TryRead(root.Bytes("endorsementKey", TpmLimits.StructureBytes), out var endorsement)
            && root.Canonical("evidence") is { } evidence
                ? new(
                    document, tenant,
                    new RequestedParts(key, compartment, host, nonce, sessionKey)
                    {
                        State = state,
                        Copy = copy,
                        EndorsementKey = endorsement,
                    },
                    evidence)
                : null;
    }

    private static bool TryRead(string? text, out VolumeRef? copy)
    {
        copy = KeyReferences.Volume(text);
        return copy is not null || text is { Length: 0 };
    }

    private static bool TryRead(byte[]? area, out TpmPublic? key)
    {
        key = null;
        return area is { Length: 0 } || (area is not null && TpmPublic.TryRead(area, out key, out _));
    }
}

/// <summary>What a request is about.</summary>
/// <param name="Key">What the key opens.</param>
/// <param name="Compartment">The machine that is to use it.</param>
/// <param name="Host">The host that is to open it.</param>
/// <param name="Nonce">The key service's nonce.</param>
/// <param name="SessionKey">The public half of a key pair made for this request.</param>
public sealed record RequestedParts(
    KeySubject Key, CompartmentRef Compartment, HostRef Host, KeyNonce Nonce, PublicKey SessionKey)
{
    /// <summary>
    /// SHA-256 of the encrypted state of a machine's TPM, or the digest of a volume's header; null when there is none.
    /// </summary>
    public Digest32? State { get; init; }

    /// <summary>The volume that is to be made as a copy of the one that the key opens; null for another use.</summary>
    public VolumeRef? Copy { get; init; }

    /// <summary>The public area of the endorsement key of the host's TPM; null of a host without one.</summary>
    public TpmPublic? EndorsementKey { get; init; }
}
