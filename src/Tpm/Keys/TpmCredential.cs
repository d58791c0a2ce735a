namespace Bailiwick.Tpm.Keys;

/// <summary>A secret that somebody encrypted to an endorsement key and the name of an attestation key
/// (TPM2_MakeCredential, TPM 2.0 part 1, 24).</summary>
/// <param name="Blob">The content of the TPM2B_ID_OBJECT, without its size.</param>
/// <param name="Secret">The content of the TPM2B_ENCRYPTED_SECRET, without its size.</param>
public sealed record TpmCredential(ReadOnlyMemory<byte> Blob, ReadOnlyMemory<byte> Secret);
