using System.Numerics;
using System.Security.Cryptography;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.Quotes;

/// <summary>A key that signs attestations as a TPM does, whatever they say: the tests' own TPM.</summary>
internal sealed class QuoteMaker
{
    private readonly AsymmetricAlgorithm _key;
    private readonly bool _pss;

    private QuoteMaker(AsymmetricAlgorithm key, bool pss, TpmHash hash, TpmKeyDetail detail)
    {
        (_key, _pss, Hash) = (key, pss, hash);
        Area = new TpmPublic
        {
            NameHash = TpmHash.Sha256,
            Attributes = TpmAttributes.FixedTpm | TpmAttributes.FixedParent | TpmAttributes.SensitiveDataOrigin
                | TpmAttributes.UserWithAuth | TpmAttributes.Restricted | TpmAttributes.Sign,
            Policy = default,
            Detail = detail,
        };
    }

    internal static QuoteMaker P256 { get; } = Ecc(TpmCurve.P256, TpmHash.Sha256);

    internal static QuoteMaker P384 { get; } = Ecc(TpmCurve.P384, TpmHash.Sha384);

    internal static QuoteMaker RsaSsa { get; } = Rsa(2048, pss: false, TpmHash.Sha256);

    internal static QuoteMaker RsaPss { get; } = Rsa(2048, pss: true, TpmHash.Sha512);

    internal TpmHash Hash { get; }

    internal TpmPublic Area { get; }

    internal QuoteKey Key => Assert.IsType<AttestationKeyVerdict.Acceptable>(AttestationKeyCheck.Check(Area)).Key;

    internal static QuoteMaker Ecc(TpmCurve curve, TpmHash hash)
    {
        var key = ECDsa.Create(curve == TpmCurve.P256 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384);
        var q = key.ExportParameters(false).Q;
        return new QuoteMaker(key, false, hash, new TpmKeyDetail.Ecc(
            TpmSymmetric.None, new TpmScheme(TpmSchemeKind.Ecdsa, hash), curve, q.X, q.Y));
    }

    internal static QuoteMaker Rsa(int bits, bool pss, TpmHash hash)
    {
        var key = RSA.Create(bits);
        return new QuoteMaker(key, pss, hash, new TpmKeyDetail.Rsa(
            TpmSymmetric.None, new TpmScheme(pss ? TpmSchemeKind.RsaPss : TpmSchemeKind.RsaSsa, hash), bits, 0,
            key.ExportParameters(false).Modulus));
    }

    internal static PcrValues Values(params IEnumerable<int> registers) =>
        PcrValues.Of(registers.Select(r => new PcrValue(TpmHash.Sha256, r, SHA256.HashData([(byte)r]))))
            ?? PcrValues.None;

    internal TpmAttest Attest(ReadOnlyMemory<byte> nonce, PcrSelection selection, PcrValues values) => new()
    {
        QualifiedSigner = Area.Name.QualifiedUnder(TpmName.OfHandle(0x4000000b)),
        ExtraData = nonce,
        Clock = new TpmClockInfo(1_000_000, 10, 5, true),
        FirmwareVersion = 0x2024,
        Body = new TpmAttestBody.Quote(selection, values.DigestOver(selection, Hash) ?? new byte[Hash.Size()]),
    };

    internal QuoteClaim Sign(TpmAttest attest, PcrValues values) => Sign(attest.Write(), values);

    internal QuoteClaim Sign(byte[] message, PcrValues values) =>
        new(message, Signature(message).Write(), values);

    internal TpmSignature Signature(byte[] message, TpmHash? hash = null)
    {
        var chosen = hash ?? Hash;
        switch (_key)
        {
            case RSA rsa:
                return new TpmSignature.Rsa(_pss, chosen, rsa.SignData(message, chosen.PlatformName(),
                    _pss ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1));
            case ECDsa ecdsa:
                byte[] both = ecdsa.SignData(message, chosen.PlatformName());
                return new TpmSignature.Ecdsa(chosen, Stripped(both[..(both.Length / 2)]),
                    Stripped(both[(both.Length / 2)..]));
            default:
                throw new InvalidOperationException();
        }
    }

    /// <summary>RFC 8017, section 9.1.1, with the longest salt, as old TPMs sign.</summary>
    internal TpmSignature LongSaltSignature(byte[] message, int shorterBy = 0)
    {
        var parameters = ((RSA)_key).ExportParameters(true);
        byte[] modulus = parameters.Modulus ?? [], exponent = parameters.D ?? [];
        byte[] digest = Hash.Digest(message);
        byte[] salt = RandomNumberGenerator.GetBytes(modulus.Length - digest.Length - 2 - shorterBy);
        byte[] hash = Hash.Digest([.. new byte[8], .. digest, .. salt]);
        byte[] block = [.. new byte[shorterBy], 1, .. salt];
        for (int i = 0; i < block.Length; i += digest.Length)
        {
            byte[] mask = Hash.Digest([.. hash, 0, 0, 0, (byte)(i / digest.Length)]);
            for (int j = 0; j < mask.Length && i + j < block.Length; j++)
            {
                block[i + j] ^= mask[j];
            }
        }

        block[0] &= 0x7f;
        var signature = BigInteger.ModPow(
            Number([.. block, .. hash, 0xbc]), Number(exponent), Number(modulus));
        byte[] bytes = new byte[modulus.Length];
        byte[] raw = signature.ToByteArray(isUnsigned: true, isBigEndian: true);
        raw.CopyTo(bytes, bytes.Length - raw.Length);
        return new TpmSignature.Rsa(pss: true, Hash, bytes);
    }

    private static byte[] Stripped(byte[] number) => number.AsSpan().TrimStart((byte)0).ToArray();

    private static BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
}
