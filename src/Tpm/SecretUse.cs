namespace Bailiwick.Tpm;

/// <summary>
/// Is lent a secret for the length of one call: the span is the library's own memory, overwritten with zeros when the
/// call returns or throws. Copy it only into memory fit for a secret.
/// </summary>
public delegate T SecretUse<out T>(ReadOnlySpan<byte> secret);
