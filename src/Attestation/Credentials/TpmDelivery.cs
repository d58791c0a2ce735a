using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Attestation.Credentials;

/// <summary>
/// A secret on its way to one TPM in one state: an object that only the TPM with the endorsement key can import, and
/// that opens under whatever values of registers the sender has approved for this purpose (TPM2_PolicyPCR and
/// TPM2_PolicyAuthorize, TPM 2.0 Part 3, sections 23.7 and 23.16). The first approval travels with it. Another one for
/// another state can follow, so that what a TPM holds outlives an update that the sender accepts.
/// </summary>
/// <param name="Import">The wrapped object.</param>
/// <param name="Signer">The approving key as a TPM reads it.</param>
/// <param name="Purpose">What the approvals are for; part of the object's policy.</param>
/// <param name="Approval">The approval of one state.</param>
public sealed record TpmDelivery(TpmImport Import, TpmPublic Signer, Digest32 Purpose, TpmSignature Approval)
{
    private const TpmHash Hash = TpmHash.Sha256;

    /// <summary>
    /// The registers whose values are approved: all of the evidence but the two that change while a host works (the
    /// runtime log's and the integrity log's). What these two say is judged with the evidence.
    /// </summary>
    public static PcrSelection Registers { get; } = PcrSelection.Of(
        Hash,
        Enumerable.Range(0, 16).Where(
            register => register is not (EvidenceRegisters.RuntimeLog or EvidenceRegisters.IntegrityLog)));

    /// <summary>Wraps a secret and approves one state.</summary>
    /// <param name="target">The endorsement key.</param>
    /// <param name="values">The values to approve, quoted by that TPM.</param>
    /// <param name="sender">The approving key, which the receiver knows, and its public half.</param>
    /// <param name="purpose">What the approval is for.</param>
    /// <param name="secret">1 to 128 bytes.</param>
    /// <param name="random">The caller's cryptographic random number generator.</param>
    /// <returns>Null when a value is missing.</returns>
    public static TpmDelivery? Wrap(
        TpmWrappingKey target, PcrValues values, (ISigner Signer, PublicKey Key) sender, Digest32 purpose,
        ReadOnlySpan<byte> secret, RandomSource random)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        TpmPublic signer = AreaOf(sender.Key);
        return Approve(values, sender.Signer, purpose) is { } approval
            ? new TpmDelivery(
                TpmImport.Wrap(target, PolicyDigest.ApprovedBy(Hash, signer.Name, purpose.Bytes), secret, random),
                signer, purpose, approval)
            : null;
    }

    /// <summary>Approves a state for a purpose; null when a value is missing.</summary>
    public static TpmSignature? Approve(PcrValues values, ISigner signer, Digest32 purpose)
    {
        ArgumentNullException.ThrowIfNull(signer);
        ArgumentNullException.ThrowIfNull(purpose);
        if (PolicyDigest.Start(Hash).WithPcrs(Registers, values) is not { } state)
        {
            return null;
        }

        byte[] signature = signer.Sign(state.ApprovalMessage(purpose.Bytes));
        int half = signature.Length / 2;
        return new TpmSignature.Ecdsa(Hash, signature.AsMemory(0, half), signature.AsMemory(half));
    }

    /// <summary>Canonical JSON; the purpose is not in it, for the receiver must know it by itself.</summary>
    public byte[] Write() => CanonicalJson.Write(JsonSerializer.SerializeToElement(new JsonObject
    {
        ["object"] = Convert.ToBase64String(Import.Public.Write()),
        ["duplicate"] = Convert.ToBase64String(Import.Duplicate.Span),
        ["seed"] = Convert.ToBase64String(Import.EncryptedSeed.Span),
        ["signer"] = Convert.ToBase64String(Signer.Write()),
        ["approval"] = Convert.ToBase64String(Approval.Write()),
    }));

    /// <summary>Reads what <see cref="Write"/> wrote; null when it has not the strict form.</summary>
    public static TpmDelivery? Read(JsonElement json, Digest32 purpose) =>
        DocumentObject.Of(json) is { } root
        && root.HasExactly("object", "duplicate", "seed", "signer", "approval")
        && TpmPublic.TryRead(root.Bytes("object", TpmLimits.StructureBytes), out var area, out _)
        && root.Bytes("duplicate", TpmLimits.StructureBytes) is { } duplicate
        && root.Bytes("seed", TpmLimits.StructureBytes) is { } seed
        && TpmPublic.TryRead(root.Bytes("signer", TpmLimits.StructureBytes), out var signer, out _)
        && TpmSignature.TryRead(root.Bytes("approval", TpmLimits.StructureBytes), out var approval, out _)
            ? new TpmDelivery(TpmImport.Received(area, duplicate, seed), signer, purpose, approval)
            : null;

    /// <summary>A P-256 key as a TPM loads it to check signatures: ECDSA with SHA-256 and nothing else.</summary>
    public static TpmPublic AreaOf(PublicKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        using ECDsa opened = ECDsa.Create();
        opened.ImportSubjectPublicKeyInfo(key.SubjectPublicKeyInfo, out _);
        ECPoint point = opened.ExportParameters(false).Q;
        return new TpmPublic
        {
            NameHash = Hash,
            Attributes = TpmAttributes.Sign | TpmAttributes.UserWithAuth,
            Policy = ReadOnlyMemory<byte>.Empty,
            Detail = new TpmKeyDetail.Ecc(
                TpmSymmetric.None, new TpmScheme(TpmSchemeKind.Ecdsa, Hash), TpmCurve.P256, point.X, point.Y),
        };
    }
}
