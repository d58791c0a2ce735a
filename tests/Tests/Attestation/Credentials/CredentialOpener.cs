using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.Credentials;

/// <summary>What a TPM does to open what was encrypted to its endorsement key (TPM 2.0 Part 1, section 24).</summary>
internal static class CredentialOpener
{
    /// <summary>What the TPM does with an encrypted seed (Part 1, C.6.3).</summary>
    internal static byte[] SeedFor(ECDiffieHellman key, ReadOnlySpan<byte> encrypted, string label)
    {
        byte[] x = encrypted[2..34].ToArray(), y = encrypted[36..68].ToArray();
        using var other = ECDiffieHellman.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y },
        });
        byte[] agreed = key.DeriveRawSecretAgreement(other.PublicKey);
        return SHA256.HashData([0, 0, 0, 1, .. agreed, .. Encoding.ASCII.GetBytes(label), 0, .. x,
            .. key.ExportParameters(false).Q.X ?? []]);
    }

    /// <summary>What the TPM does with the outer wrapper; null when its HMAC does not hold.</summary>
    internal static byte[]? Open(ReadOnlySpan<byte> content, byte[] seed, TpmName name)
    {
        byte[] encrypted = content[34..].ToArray();
        byte[] mac = HMACSHA256.HashData(
            Derive(seed, "INTEGRITY", [], 256), (byte[])[.. encrypted, .. name.Bytes]);
        if (!content[2..34].SequenceEqual(mac))
        {
            return null;
        }

        using var aes = Aes.Create();
        aes.Key = Derive(seed, "STORAGE", name.Bytes, 128);
        byte[] padded = [.. encrypted, .. new byte[-encrypted.Length & 15]];
        return aes.DecryptCfb(padded, new byte[16], PaddingMode.None, 128)[..encrypted.Length];
    }

    private static byte[] Derive(byte[] seed, string label, ReadOnlySpan<byte> context, int bits)
    {
        byte[] length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, bits);
        return HMACSHA256.HashData(seed, (byte[])[
            0, 0, 0, 1, .. Encoding.ASCII.GetBytes(label), 0, .. context, .. length])[..(bits / 8)];
    }
}
