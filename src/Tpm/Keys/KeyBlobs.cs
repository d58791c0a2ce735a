namespace Bailiwick.Tpm.Keys;

/// <summary>A key or sealed object outside of the TPM: only the TPM and the parent that made it can load it. No secret.
/// </summary>
/// <param name="Public">The public area, a TPMT_PUBLIC.</param>
/// <param name="Private">The content of the TPM2B_PRIVATE, without its size.</param>
public sealed record KeyBlobs(ReadOnlyMemory<byte> Public, ReadOnlyMemory<byte> Private);
