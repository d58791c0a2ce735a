using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace Bailiwick.Attestation.PublicKeys;

/// <summary>
/// RSASSA-PSS (RFC 8017, section 9.1.2) with the longest salt that fits, as TPMs before revision 1.38 of the
/// specification write it. The platform verifies only salts as long as the hash. Everything here is public, so
/// nothing need take constant time.
/// </summary>
internal static class LongSaltPss
{
    private const byte Trailer = 0xbc;

    internal static bool Verifies(
        RSAParameters key, HashAlgorithmName algorithm, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (key.Modulus is not { } modulus || key.Exponent is not { } exponent || signature.Length != modulus.Length)
        {
            return false;
        }

        var n = Number(modulus);
        var s = Number(signature);
        if (s >= n)
        {
            return false;
        }

        int bits = (int)n.GetBitLength() - 1;
        int length = (bits + 7) / 8;
        byte[] encoded = new byte[length];
        var recovered = BigInteger.ModPow(s, Number(exponent), n);
        return recovered.GetByteCount(isUnsigned: true) <= length
            && recovered.TryWriteBytes(
                encoded.AsSpan(length - recovered.GetByteCount(isUnsigned: true)), out _, isUnsigned: true,
                isBigEndian: true)
            && Matches(encoded, bits, algorithm, CryptographicOperations.HashData(algorithm, data));
    }

    private static bool Matches(byte[] encoded, int bits, HashAlgorithmName algorithm, byte[] digest)
    {
        int maskedLength = encoded.Length - digest.Length - 1;
        if (maskedLength < 1 || encoded[^1] != Trailer)
        {
            return false;
        }

        var hash = encoded.AsSpan(maskedLength, digest.Length);
        byte[] block = Unmask(encoded.AsSpan(0, maskedLength), hash, algorithm);
        int spare = (8 * encoded.Length) - bits;
        if (encoded[0] >> (8 - spare) != 0)
        {
            return false;
        }

        block[0] &= (byte)(0xff >> spare);

        // The longest salt leaves no padding before the one that separates it.
        return block[0] == 1 && CryptographicOperations.FixedTimeEquals(
            hash, CryptographicOperations.HashData(algorithm, [.. new byte[8], .. digest, .. block.AsSpan(1)]));
    }

    private static byte[] Unmask(ReadOnlySpan<byte> masked, ReadOnlySpan<byte> seed, HashAlgorithmName algorithm)
    {
        byte[] result = masked.ToArray();
        Span<byte> counter = stackalloc byte[sizeof(uint)];
        for (int done = 0, round = 0; done < result.Length; round++)
        {
            BinaryPrimitives.WriteInt32BigEndian(counter, round);
            foreach (byte mask in CryptographicOperations.HashData(algorithm, [.. seed, .. counter]))
            {
                if (done < result.Length)
                {
                    result[done++] ^= mask;
                }
            }
        }

        return result;
    }

    private static BigInteger Number(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
}
