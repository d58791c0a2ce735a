using System.Security.Cryptography;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.Credentials;

/// <summary>
/// The digest of an enhanced authorization policy, computed as a TPM does in a trial session (TPM 2.0 Part 1, section
/// 19.7; Part 3, section 23). Immutable: each term gives a new one.
/// </summary>
public sealed class PolicyDigest : IEquatable<PolicyDigest>
{
    private const uint PolicySecretCode = 0x151;
    private const uint PolicyAuthorizeCode = 0x16a;
    private const uint PolicyAuthValueCode = 0x16b;
    private const uint PolicyPcrCode = 0x17f;
    private const uint EndorsementHierarchy = 0x4000000b;

    private readonly byte[] _bytes;

    private PolicyDigest(TpmHash hash, byte[] bytes) => (Hash, _bytes) = (hash, bytes);

    /// <summary>The policy's hash.</summary>
    public TpmHash Hash { get; }

    /// <summary>The digest.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The digest in lower-case hexadecimal.</summary>
    public string Hex => Convert.ToHexStringLower(_bytes);

    /// <summary>Whether no term was added.</summary>
    public bool DemandsNothing => !_bytes.AsSpan().ContainsAnyExcept((byte)0);

    /// <summary>A policy without a term.</summary>
    public static PolicyDigest Start(TpmHash hash) => new(hash, new byte[hash.Size()]);

    /// <summary>The policy of the TCG's endorsement key templates: PolicySecret of their hierarchy.</summary>
    public static PolicyDigest OfEndorsementKeys(TpmHash hash) =>
        Start(hash).WithSecret(TpmName.OfHandle(EndorsementHierarchy), []);

    /// <summary>TPM2_PolicyPCR: registers have these values. Null when a value is missing.</summary>
    public PolicyDigest? WithPcrs(PcrSelection selection, PcrValues values)
    {
        ArgumentNullException.ThrowIfNull(selection);
        ArgumentNullException.ThrowIfNull(values);
        return values.DigestOver(selection, Hash) is { } digest
            ? Extended(_bytes, PolicyPcrCode, [.. selection.Write(), .. digest])
            : null;
    }

    /// <summary>TPM2_PolicyAuthValue: the object's own password, in an HMAC.</summary>
    public PolicyDigest WithAuthValue() => Extended(_bytes, PolicyAuthValueCode, []);

    /// <summary>TPM2_PolicySecret: knowledge of another entity's password.</summary>
    /// <param name="entity">The entity's name.</param>
    /// <param name="reference">What it is for, up to 64 bytes.</param>
    public PolicyDigest WithSecret(TpmName entity, ReadOnlySpan<byte> reference)
    {
        ArgumentNullException.ThrowIfNull(entity);
        return Extended(_bytes, PolicySecretCode, entity.Bytes).Referring(reference);
    }

    /// <summary>
    /// TPM2_PolicyAuthorize: whatever policy a key has approved. What stood before is replaced, as the approved policy
    /// takes its place.
    /// </summary>
    /// <param name="hash">The policy's hash.</param>
    /// <param name="signer">The approving key's name.</param>
    /// <param name="reference">What approvals must be for, up to 64 bytes.</param>
    public static PolicyDigest ApprovedBy(TpmHash hash, TpmName signer, ReadOnlySpan<byte> reference)
    {
        ArgumentNullException.ThrowIfNull(signer);
        return Start(hash).Extended(new byte[hash.Size()], PolicyAuthorizeCode, signer.Bytes).Referring(reference);
    }

    /// <summary>What the approving key signs to approve this policy, hashed.</summary>
    public byte[] ApprovalDigest(ReadOnlySpan<byte> reference) => Hash.Digest([.. _bytes, .. reference]);

    /// <summary>What <see cref="ApprovalDigest"/> hashes, for keys that hash by themselves.</summary>
    public byte[] ApprovalMessage(ReadOnlySpan<byte> reference) => [.. _bytes, .. reference];

    /// <inheritdoc/>
    public bool Equals(PolicyDigest? other) =>
        other is not null && Hash == other.Hash && CryptographicOperations.FixedTimeEquals(_bytes, other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as PolicyDigest);

    /// <inheritdoc/>
    public override int GetHashCode() => Hex.GetHashCode(StringComparison.Ordinal);

    private PolicyDigest Extended(ReadOnlySpan<byte> old, uint code, ReadOnlySpan<byte> term) =>
        new(Hash, Hash.Digest(new TpmWriter().Bytes(old).U32(code).Bytes(term).ToArray()));

    private PolicyDigest Referring(ReadOnlySpan<byte> reference)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(reference.Length, TpmLimits.DigestBytes, nameof(reference));
        return new PolicyDigest(Hash, Hash.Digest([.. _bytes, .. reference]));
    }
}
