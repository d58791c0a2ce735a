namespace Bailiwick.Tpm.Sealing;

/// <summary>A sealed object that somebody wrapped for a storage key (TPM 2.0 part 1, 23.3).</summary>
/// <param name="Public">The object's public area, a TPMT_PUBLIC: sealed data under a policy.</param>
/// <param name="Duplicate">The content of the TPM2B_PRIVATE, without its size.</param>
/// <param name="Seed">The content of the TPM2B_ENCRYPTED_SECRET, without its size.</param>
public sealed record WrappedObject(
    ReadOnlyMemory<byte> Public, ReadOnlyMemory<byte> Duplicate, ReadOnlyMemory<byte> Seed);
