using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.Credentials;

/// <summary>Fills a buffer with bytes nobody can foresee: the caller's cryptographic random number generator.</summary>
public delegate void RandomSource(Span<byte> destination);

/// <summary>
/// A seed that only one TPM key can recover, and what is protected with it: secret sharing and the outer wrapper of
/// TPM 2.0 Part 1, annexes B.10.3 (RSA) and C.6.3 (ECC), and section 24.
/// </summary>
internal sealed class SeedWrapping
{
    // So many bytes more than the order that the remainder is as good as even (FIPS 186-5, A.2.1).
    private const int ExtraBytes = 8;

    private readonly TpmWrappingKey _key;
    private readonly byte[] _seed;

    private SeedWrapping(TpmWrappingKey key, byte[] seed, byte[] encrypted) =>
        (_key, _seed, EncryptedSeed) = (key, seed, encrypted);

    /// <summary>The content of the TPM2B_ENCRYPTED_SECRET.</summary>
    internal byte[] EncryptedSeed { get; }

    /// <summary>Makes a seed.</summary>
    /// <param name="key">For whom.</param>
    /// <param name="label">For what: `IDENTITY` or `DUPLICATE`.</param>
    /// <param name="random">The caller's random source.</param>
    internal static SeedWrapping Make(TpmWrappingKey key, string label, RandomSource random)
    {
        if (key.Key.Agreement is { } recipient)
        {
            return MakeByAgreement(key, recipient, label, random);
        }

        byte[] seed = new byte[key.Hash.Size()];
        random(seed);
        byte[] mask = new byte[key.Hash.Size()];
        random(mask);
        uint exponent = key.Area.Detail is TpmKeyDetail.Rsa { Exponent: > 0 and var own } ? own : 65537;
        return new SeedWrapping(key, seed,
            EncryptOaep(key.Key.Modulus, exponent, key.Hash, KeyDerivation.Terminated(label), seed, mask));
    }

    /// <summary>Encrypts and authenticates what belongs to a name: HMAC, then AES-CFB, both from the seed.</summary>
    /// <param name="plain">What is protected.</param>
    /// <param name="name">The name it belongs to.</param>
    /// <returns>A TPM2B with the HMAC, and the encrypted bytes.</returns>
    internal byte[] Protect(ReadOnlySpan<byte> plain, TpmName name)
    {
        var hash = _key.Hash;
        byte[] cipherKey = KeyDerivation.FromKey(hash, _seed, "STORAGE", name.Bytes, [], _key.CipherBits);
        byte[] macKey = KeyDerivation.FromKey(hash, _seed, "INTEGRITY", [], [], hash.Size() * 8);
        using var aes = Aes.Create();
        aes.Key = cipherKey;
        byte[] padded = new byte[(plain.Length + 15) / 16 * 16];
        plain.CopyTo(padded);
        byte[] encrypted = aes.EncryptCfb(padded, new byte[16], PaddingMode.None, 128)[..plain.Length];
        byte[] mac = CryptographicOperations.HmacData(
            hash.PlatformName(), macKey, (byte[])[.. encrypted, .. name.Bytes]);
        CryptographicOperations.ZeroMemory(padded);
        CryptographicOperations.ZeroMemory(cipherKey);
        CryptographicOperations.ZeroMemory(macKey);
        return new TpmWriter().Sized(mac).Bytes(encrypted).ToArray();
    }

    /// <summary>Forgets the seed.</summary>
    internal void Forget() => CryptographicOperations.ZeroMemory(_seed);

    private static SeedWrapping MakeByAgreement(
        TpmWrappingKey key, ECParameters recipient, string label, RandomSource random)
    {
        using var own = ECDiffieHellman.Create(Ephemeral(recipient.Curve, key.Key, random));
        using var other = ECDiffieHellman.Create(recipient);
        using var otherKey = other.PublicKey;
        byte[] agreed = own.DeriveRawSecretAgreement(otherKey);
        var point = own.ExportParameters(includePrivateParameters: false).Q;
        byte[] seed = KeyDerivation.FromAgreement(
            key.Hash, agreed, label, point.X, recipient.Q.X, key.Hash.Size() * 8);
        CryptographicOperations.ZeroMemory(agreed);
        return new SeedWrapping(key, seed, new TpmWriter().Sized(point.X).Sized(point.Y).ToArray());
    }

    /// <summary>A private number from 1 to the order less one; the platform computes its point.</summary>
    private static ECParameters Ephemeral(ECCurve curve, SubjectKey key, RandomSource random)
    {
        var order = Order(key.Curve ?? throw new System.Diagnostics.UnreachableException());
        int length = order.GetByteCount(isUnsigned: true);
        byte[] bytes = new byte[length + ExtraBytes];
        random(bytes);
        var number = BigInteger.Remainder(new BigInteger(bytes, isUnsigned: true, isBigEndian: true), order - 1) + 1;
        CryptographicOperations.ZeroMemory(bytes);
        byte[] d = new byte[length];
        number.TryWriteBytes(
            d.AsSpan(length - number.GetByteCount(isUnsigned: true)), out _, isUnsigned: true, isBigEndian: true);
        return new ECParameters { Curve = curve, D = d };
    }

    private static BigInteger Order(KeyCurve curve) => curve switch
    {
        KeyCurve.P256 => Hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
        KeyCurve.P384 => Hex("ffffffffffffffffffffffffffffffffffffffffffffffff"
            + "c7634d81f4372ddf581a0db248b0a77aecec196accc52973"),
        KeyCurve.P521 => throw new System.Diagnostics.UnreachableException(),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static BigInteger Hex(string digits) =>
        new(Convert.FromHexString(digits), isUnsigned: true, isBigEndian: true);

    /// <summary>
    /// RSAES-OAEP (RFC 8017, section 7.1.1) with a label, which the platform does not have. The power is of a message
    /// that is random throughout and used once.
    /// </summary>
    private static byte[] EncryptOaep(
        ReadOnlySpan<byte> modulus, uint exponent, TpmHash hash, byte[] label, byte[] message, byte[] seed)
    {
        int size = hash.Size();
        byte[] block = new byte[modulus.Length - size - 1];
        hash.Digest(label).CopyTo(block, 0);
        block[^(message.Length + 1)] = 1;
        message.CopyTo(block, block.Length - message.Length);
        Mask(block, seed, hash);
        byte[] maskedSeed = [.. seed];
        Mask(maskedSeed, block, hash);
        var number = BigInteger.ModPow(
            new BigInteger([.. maskedSeed, .. block], isUnsigned: true, isBigEndian: true), exponent,
            new BigInteger(modulus, isUnsigned: true, isBigEndian: true));
        byte[] encrypted = new byte[modulus.Length];
        number.TryWriteBytes(
            encrypted.AsSpan(encrypted.Length - number.GetByteCount(isUnsigned: true)), out _, isUnsigned: true,
            isBigEndian: true);
        return encrypted;
    }

    private static void Mask(byte[] target, ReadOnlySpan<byte> seed, TpmHash hash)
    {
        byte[] input = [.. seed, 0, 0, 0, 0];
        for (int done = 0, round = 0; done < target.Length; round++)
        {
            BinaryPrimitives.WriteInt32BigEndian(input.AsSpan(seed.Length), round);
            foreach (byte mask in hash.Digest(input))
            {
                if (done < target.Length)
                {
                    target[done++] ^= mask;
                }
            }
        }
    }
}
