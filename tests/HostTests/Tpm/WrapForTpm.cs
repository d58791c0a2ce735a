using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Tpm.Sealing;

namespace Bailiwick.HostTests.Tpm;

/// <summary>
/// Wraps data for a P-256 storage key as a sender without a TPM does (TPM 2.0 part 1, 23.3 and C.6.1), and signs
/// policies.
/// </summary>
internal static class WrapForTpm
{
    public static WrappedObject Wrap(ReadOnlySpan<byte> storagePublic, byte[] policy, byte[] data)
    {
        var obfuscation = RandomNumberGenerator.GetBytes(32);

        // TPMT_PUBLIC: keyed hash, SHA-256, noDA and nothing else, policy, null scheme, unique.
        byte[] area =
        [
            0, 8, 0, 0x0b, 0, 0, 4, 0, .. Sized(policy), 0, 0x10,
            .. Sized(SHA256.HashData([.. obfuscation, .. data])),
        ];
        byte[] name = [0, 0x0b, .. SHA256.HashData(area)];
        var sensitive = Sized([0, 8, 0, 0, .. Sized(obfuscation), .. Sized(data)]);
        var (seed, secret) = Seed(storagePublic);
        using var aes = Aes.Create();
        aes.Key = Derive(seed, "STORAGE", name, 16);
        var hidden = aes.EncryptCfb(sensitive, new byte[16], PaddingMode.Zeros, 128);
        hidden = hidden[..sensitive.Length];
        var mac = HMACSHA256.HashData(Derive(seed, "INTEGRITY", [], 32), (byte[])[.. hidden, .. name]);
        return new WrappedObject(area, (byte[])[.. Sized(mac), .. hidden], secret);
    }

    /// <summary>The public area of a P-256 key that signs policies, and its name.</summary>
    public static (byte[] Area, byte[] Name) SignerArea(ECDsa key)
    {
        var point = key.ExportParameters(false).Q;

        // TPMT_PUBLIC: ECC, SHA-256, userWithAuth and sign, no policy, no symmetric, ECDSA with SHA-256, P-256, no KDF.
        byte[] area =
        [
            0, 0x23, 0, 0x0b, 0, 4, 0, 0x40, 0, 0, 0, 0x10, 0, 0x18, 0, 0x0b, 0, 3, 0, 0x10,
            .. Sized(point.X ?? []), .. Sized(point.Y ?? []),
        ];
        return (area, [0, 0x0b, .. SHA256.HashData(area)]);
    }

    public static PolicyApproval Approve(ECDsa key, byte[] policy, byte[] reference)
    {
        var signature = key.SignData([.. policy, .. reference], HashAlgorithmName.SHA256);
        return new PolicyApproval(
            SignerArea(key).Area, reference,
            (byte[])[0, 0x18, 0, 0x0b, .. Sized(signature[..32]), .. Sized(signature[32..])]);
    }

    /// <summary>The digest of a policy that a key's approvals fulfil (TPM 2.0 part 3, 23.16).</summary>
    public static byte[] ApprovedPolicy(byte[] signerName, byte[] reference) =>
        SHA256.HashData([.. SHA256.HashData([.. new byte[32], 0, 0, 1, 0x6a, .. signerName]), .. reference]);

    private static (byte[] Seed, byte[] Secret) Seed(ReadOnlySpan<byte> storagePublic)
    {
        var at = storagePublic[^68..];
        byte[] x = at[2..34].ToArray(), y = at[36..].ToArray();
        using var theirs = ECDiffieHellman.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = x, Y = y },
        });
        using var mine = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        var own = mine.ExportParameters(false).Q;
        var shared = mine.DeriveRawSecretAgreement(theirs.PublicKey);
        var seed = SHA256.HashData([0, 0, 0, 1, .. shared, .. "DUPLICATE\0"u8, .. own.X ?? [], .. x]);
        return (seed, [.. Sized(own.X ?? []), .. Sized(own.Y ?? [])]);
    }

    /// <summary>KDFa with SHA-256 and one block (TPM 2.0 part 1, 11.4.10.2).</summary>
    private static byte[] Derive(byte[] key, string label, byte[] context, int bytes)
    {
        var bits = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bits, bytes * 8);
        return HMACSHA256.HashData(
            key, (byte[])[0, 0, 0, 1, .. Encoding.ASCII.GetBytes(label), 0, .. context, .. bits])[..bytes];
    }

    private static byte[] Sized(byte[] content) => [(byte)(content.Length >> 8), (byte)content.Length, .. content];
}
