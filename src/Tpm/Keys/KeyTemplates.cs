using Bailiwick.Attestation.Tpm;
using Bailiwick.Tpm.Tss;

namespace Bailiwick.Tpm.Keys;

/// <summary>The public areas (TPMT_PUBLIC, TPM 2.0 part 2, 12.2.4) of the keys that are made.</summary>
internal static class KeyTemplates
{
    // Object attributes, TPM 2.0 part 2, 8.3.
    private const uint FixedTpm = 1 << 1;
    private const uint FixedParent = 1 << 4;
    private const uint SensitiveDataOrigin = 1 << 5;
    private const uint UserWithAuth = 1 << 6;
    private const uint AdminWithPolicy = 1 << 7;
    private const uint NoDictionaryAttack = 1 << 10;
    private const uint Restricted = 1 << 16;
    private const uint Decrypt = 1 << 17;
    private const uint Sign = 1 << 18;

    private const uint OwnersKey =
        FixedTpm | FixedParent | SensitiveDataOrigin | UserWithAuth | NoDictionaryAttack | Restricted;

    private const int Rsa = 0x0001;
    private const int KeyedHash = 0x0008;
    private const int Null = 0x0010;
    private const int Ecdsa = 0x0018;
    private const int Ecc = 0x0023;
    private const int P256 = 0x0003;
    private const int Sha256 = (int)TpmHash.Sha256;
    private const int RsaBits = 2048;

    // TPM2_PolicySecret(TPM_RH_ENDORSEMENT): "PolicyA" of the TCG EK Credential Profile 2.5, B.6.2.
    private static readonly byte[] EndorsementPolicy =
        Convert.FromHexString("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa");

    /// <summary>Template L-1 (RSA 2048) or L-2 (P-256) of the TCG EK Credential Profile 2.5, B.3.3 and B.3.4.
    /// </summary>
    public static byte[] Endorsement(EndorsementAlgorithm algorithm)
    {
        const uint attributes =
            FixedTpm | FixedParent | SensitiveDataOrigin | AdminWithPolicy | Restricted | Decrypt;
        return algorithm switch
        {
            EndorsementAlgorithm.Rsa2048 => Begin(Rsa, attributes, EndorsementPolicy).Raw(Aes128Cfb())
                .U16(Null).U16(RsaBits).U32(0).Sized(new byte[RsaBits / 8]).ToArray(),
            EndorsementAlgorithm.EccP256 => Begin(Ecc, attributes, EndorsementPolicy).Raw(Aes128Cfb())
                .U16(Null).U16(P256).U16(Null).Sized(new byte[32]).Sized(new byte[32]).ToArray(),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    /// <summary>How many bytes at the end of such an area are the key itself; what is before them is the template.
    /// </summary>
    public static int UniqueBytes(EndorsementAlgorithm algorithm) => algorithm switch
    {
        EndorsementAlgorithm.Rsa2048 => 2 + (RsaBits / 8),
        EndorsementAlgorithm.EccP256 => 2 * (2 + 32),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>The storage key of a P-256 host (TCG TPM v2.0 Provisioning Guidance 1.0, 7.5.1).</summary>
    public static byte[] Storage() => Begin(
            Ecc, OwnersKey | Decrypt, [])
        .Raw(Aes128Cfb()).U16(Null).U16(P256).U16(Null).Sized(new byte[32]).Sized(new byte[32]).ToArray();

    /// <summary>A restricted signing key, ECDSA on P-256 with SHA-256: it signs only what the TPM says.</summary>
    /// <param name="unique">Empty, or 64 bytes that make a primary key another than the last.</param>
    public static byte[] Attestation(ReadOnlySpan<byte> unique) => Begin(Ecc, OwnersKey | Sign, [])
        .U16(Null).U16(Ecdsa).U16(Sha256).U16(P256).U16(Null)
        .Sized(unique[..(unique.Length / 2)]).Sized(unique[(unique.Length / 2)..]).ToArray();

    /// <summary>Sealed data that only a policy opens: no authorization value does.</summary>
    public static byte[] Sealed(ReadOnlySpan<byte> policy) =>
        Begin(KeyedHash, FixedTpm | FixedParent | NoDictionaryAttack, policy).U16(Null).Sized([]).ToArray();

    /// <summary>Whether an area is exactly the attestation key's template with a key in it.</summary>
    public static bool IsAttestation(ReadOnlySpan<byte> area)
    {
        var template = Attestation([]);
        return area.Length == template.Length + 64 && area[..^68].SequenceEqual(template.AsSpan()[..^4]);
    }

    private static byte[] Aes128Cfb() => new WireWriter().U16(0x0006).U16(128).U16(0x0043).ToArray();

    private static WireWriter Begin(int type, uint attributes, ReadOnlySpan<byte> policy) =>
        new WireWriter().U16(type).U16(Sha256).U32(attributes).Sized(policy);
}
