using System.Security.Cryptography;
using System.Text;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.Credentials;

/// <summary>The key derivations of TPM 2.0 Part 1, sections 11.4.10.2 and 11.4.10.3.</summary>
internal static class KeyDerivation
{
    /// <summary>KDFa: counter mode with HMAC (SP 800-108).</summary>
    internal static byte[] FromKey(
        TpmHash hash, ReadOnlySpan<byte> key, string label, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second,
        int bits)
    {
        byte[] result = new byte[bits / 8];
        for (int done = 0, round = 1; done < result.Length; round++)
        {
            byte[] input = new TpmWriter().U32((uint)round).Bytes(Terminated(label)).Bytes(first).Bytes(second)
                .U32((uint)bits).ToArray();
            byte[] block = CryptographicOperations.HmacData(hash.PlatformName(), key, input);
            int taken = Math.Min(block.Length, result.Length - done);
            block.AsSpan(0, taken).CopyTo(result.AsSpan(done));
            done += taken;
            CryptographicOperations.ZeroMemory(block);
        }

        return result;
    }

    /// <summary>KDFe: from what ECDH agreed on (SP 800-56A, section 5.8.1).</summary>
    internal static byte[] FromAgreement(
        TpmHash hash, ReadOnlySpan<byte> agreed, string label, ReadOnlySpan<byte> ephemeralX,
        ReadOnlySpan<byte> recipientX, int bits)
    {
        byte[] result = new byte[bits / 8];
        for (int done = 0, round = 1; done < result.Length; round++)
        {
            byte[] input = new TpmWriter().U32((uint)round).Bytes(agreed).Bytes(Terminated(label)).Bytes(ephemeralX)
                .Bytes(recipientX).ToArray();
            byte[] block = hash.Digest(input);
            int taken = Math.Min(block.Length, result.Length - done);
            block.AsSpan(0, taken).CopyTo(result.AsSpan(done));
            done += taken;
            CryptographicOperations.ZeroMemory(input);
            CryptographicOperations.ZeroMemory(block);
        }

        return result;
    }

    /// <summary>A label as it is hashed: with the zero byte that ends it.</summary>
    internal static byte[] Terminated(string label) => [.. Encoding.ASCII.GetBytes(label), 0];
}
