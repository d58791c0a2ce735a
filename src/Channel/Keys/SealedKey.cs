using System.Text.Json;

namespace Bailiwick.Channel.Keys;

/// <summary>A key under <see cref="KeySeal"/>: useless to everyone but the session it was sealed to, and the host's
/// TPM.</summary>
/// <param name="Ephemeral">The sealer's ephemeral public key, SubjectPublicKeyInfo (DER, 91 bytes).</param>
/// <param name="Ciphertext">12 bytes of nonce, 32 of ciphertext, 16 of tag.</param>
/// <param name="Context">The authenticated context, canonical JSON.</param>
public sealed record SealedKey(
    ReadOnlyMemory<byte> Ephemeral, ReadOnlyMemory<byte> Ciphertext, ReadOnlyMemory<byte> Context)
{
    /// <summary>What the host's TPM is to give out a part for; null when it is sealed without one.</summary>
    public JsonElement? Tpm { get; init; }
}
