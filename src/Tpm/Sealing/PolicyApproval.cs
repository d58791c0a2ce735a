namespace Bailiwick.Tpm.Sealing;

/// <summary>A key's approval of a policy (TPM2_PolicyAuthorize, TPM 2.0 part 3, 23.16). The TPM checks it.</summary>
/// <param name="SignerPublic">The key's public area, a TPMT_PUBLIC; its name is part of the object's policy.</param>
/// <param name="Reference">What the approval is for; at most 64 bytes, part of the object's policy.</param>
/// <param name="Signature">The TPMT_SIGNATURE over the SHA-256 of the approved policy digest and the reference.</param>
public sealed record PolicyApproval(
    ReadOnlyMemory<byte> SignerPublic, ReadOnlyMemory<byte> Reference, ReadOnlyMemory<byte> Signature);
