using System.Diagnostics;
using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using Bailiwick.Ledger;

namespace Bailiwick.Attestation.PublicKeys;

/// <summary>A curve that keys of TPMs and of their makers lie on.</summary>
public enum KeyCurve
{
    /// <summary>NIST P-256.</summary>
    P256 = 1,

    /// <summary>NIST P-384.</summary>
    P384,

    /// <summary>NIST P-521.</summary>
    P521,
}

/// <summary>
/// The public key of a TPM or of who certifies TPMs: RSA (RFC 8017, 1024 to 8192 bits) or a point on a named NIST
/// curve (RFC 5480). Curves given by their parameters are not read (CVE-2020-0601). One key has exactly one encoding;
/// two are equal when their encodings are. It proves nothing by itself.
/// </summary>
public sealed class SubjectKey : IEquatable<SubjectKey>
{
    private const string RsaOid = "1.2.840.113549.1.1.1";
    private const string EccOid = "1.2.840.10045.2.1";
    private const int MinRsaBytes = 128;
    private const int MaxRsaBytes = 1024;
    private const int MaxSpkiBytes = 2048;

    private readonly byte[] _spki;
    private readonly RSAParameters? _rsa;
    private readonly ECParameters? _ecc;

    private SubjectKey(byte[] spki, RSAParameters rsa) => (_spki, _rsa, Id) = (spki, rsa, Digest32.Of(spki));

    private SubjectKey(byte[] spki, KeyCurve curve, ECParameters ecc) =>
        (_spki, Curve, _ecc, Id) = (spki, curve, ecc, Digest32.Of(spki));

    /// <summary>SHA-256 of the SubjectPublicKeyInfo.</summary>
    public Digest32 Id { get; }

    /// <summary>The SubjectPublicKeyInfo in DER.</summary>
    public ReadOnlySpan<byte> SubjectPublicKeyInfo => _spki;

    /// <summary>The curve; null for RSA.</summary>
    public KeyCurve? Curve { get; }

    /// <summary>Whether it is an RSA key.</summary>
    public bool IsRsa => _rsa is not null;

    /// <summary>The RSA modulus without leading zeros; empty for a point.</summary>
    public ReadOnlySpan<byte> Modulus => _rsa?.Modulus;

    /// <summary>X and Y, both as long as the curve; empty for RSA.</summary>
    public (ReadOnlyMemory<byte> X, ReadOnlyMemory<byte> Y) Point => (_ecc?.Q.X, _ecc?.Q.Y);

    /// <summary>The size in bits of the modulus or the curve.</summary>
    public int Bits => _rsa is { Modulus: { } modulus }
        ? (modulus.Length * 8) - BitOperations.LeadingZeroCount((uint)modulus[0] << 24)
        : Curve switch
        {
            KeyCurve.P256 => 256,
            KeyCurve.P384 => 384,
            KeyCurve.P521 => 521,
            _ => throw new UnreachableException(),
        };

    /// <summary>Reads a SubjectPublicKeyInfo in DER; null for anything but the one encoding of a key.</summary>
    public static SubjectKey? Parse(ReadOnlySpan<byte> spki)
    {
        if (spki.Length > MaxSpkiBytes)
        {
            return null;
        }

        try
        {
            var outer = new AsnReader(spki.ToArray(), AsnEncodingRules.DER);
            var info = outer.ReadSequence();
            var algorithm = info.ReadSequence();
            byte[] bits = info.ReadBitString(out int unused);
            string oid = algorithm.ReadObjectIdentifier();
            SubjectKey? key = (unused, info.HasData, outer.HasData, oid) switch
            {
                (0, false, false, RsaOid) => ParseRsa(bits),
                (0, false, false, EccOid) => CurveOf(algorithm.ReadObjectIdentifier()) is { } curve
                    && bits.Length == 1 + (2 * CoordinateBytes(curve)) && bits[0] == 4
                        ? OfPoint(curve, bits.AsSpan(1, CoordinateBytes(curve)),
                            bits.AsSpan(1 + CoordinateBytes(curve)))
                        : null,
                _ => null,
            };
            return key is not null && spki.SequenceEqual(key._spki) ? key : null;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    /// <summary>An RSA key; null when the modulus is even or of a wrong size, or the exponent even or 1.</summary>
    /// <param name="modulus">Big-endian; leading zeros are dropped.</param>
    /// <param name="exponent">The public exponent.</param>
    public static SubjectKey? OfRsa(ReadOnlySpan<byte> modulus, uint exponent)
    {
        modulus = modulus.TrimStart((byte)0);
        if (modulus.Length is < MinRsaBytes or > MaxRsaBytes || (modulus[^1] & 1) == 0
            || exponent < 3 || (exponent & 1) == 0)
        {
            return null;
        }

        var rsa = new RSAParameters
        {
            Modulus = modulus.ToArray(),
            Exponent = new BigInteger(exponent).ToByteArray(isUnsigned: true, isBigEndian: true),
        };
        var key = new AsnWriter(AsnEncodingRules.DER);
        using (key.PushSequence())
        {
            key.WriteIntegerUnsigned(rsa.Modulus);
            key.WriteIntegerUnsigned(rsa.Exponent);
        }

        return new SubjectKey(Wrap(RsaOid, null, key.Encode()), rsa);
    }

    /// <summary>A point; null when a coordinate is empty or too long, or the point is not on the curve.</summary>
    /// <param name="curve">The curve.</param>
    /// <param name="x">Big-endian; leading zeros may be missing.</param>
    /// <param name="y">Likewise.</param>
    public static SubjectKey? OfPoint(KeyCurve curve, ReadOnlySpan<byte> x, ReadOnlySpan<byte> y)
    {
        int length = CoordinateBytes(curve);
        if (x.IsEmpty || y.IsEmpty || x.Length > length || y.Length > length)
        {
            return null;
        }

        var ecc = new ECParameters
        {
            Curve = Platform(curve),
            Q = new ECPoint { X = new byte[length], Y = new byte[length] },
        };
        x.CopyTo(ecc.Q.X.AsSpan(length - x.Length));
        y.CopyTo(ecc.Q.Y.AsSpan(length - y.Length));
        try
        {
            // The platform refuses a point that does not lie on the curve.
            using var opened = ECDsa.Create(ecc);
        }
        catch (CryptographicException)
        {
            return null;
        }

        return new SubjectKey(Wrap(EccOid, Oid(curve), [4, .. ecc.Q.X, .. ecc.Q.Y]), curve, ecc);
    }

    /// <inheritdoc/>
    public bool Equals(SubjectKey? other) => other is not null && Id.Equals(other.Id);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as SubjectKey);

    /// <inheritdoc/>
    public override int GetHashCode() => Id.GetHashCode();

    /// <summary>As people say it: `RSA 2048` or `ECC P-256`.</summary>
    public override string ToString() => IsRsa ? $"RSA {Bits}" : $"ECC P-{Bits}";

    /// <summary>The length of a coordinate, in bytes.</summary>
    public static int CoordinateBytes(KeyCurve curve) => curve switch
    {
        KeyCurve.P256 => 32,
        KeyCurve.P384 => 48,
        KeyCurve.P521 => 66,
        _ => throw new UnreachableException(),
    };

    /// <summary>Opens it for verifying or encrypting; null for a point. The caller disposes of it.</summary>
    internal RSA? OpenRsa() => _rsa is { } rsa ? RSA.Create(rsa) : null;

    /// <summary>Opens it for verifying; null for RSA. The caller disposes of it.</summary>
    internal ECDsa? OpenEcdsa() => _ecc is { } ecc ? ECDsa.Create(ecc) : null;

    /// <summary>The point for key agreement; null for RSA.</summary>
    internal ECParameters? Agreement => _ecc;

    internal static ECCurve Platform(KeyCurve curve) => curve switch
    {
        KeyCurve.P256 => ECCurve.NamedCurves.nistP256,
        KeyCurve.P384 => ECCurve.NamedCurves.nistP384,
        KeyCurve.P521 => ECCurve.NamedCurves.nistP521,
        _ => throw new UnreachableException(),
    };

    private static SubjectKey? ParseRsa(byte[] bits)
    {
        var outer = new AsnReader(bits, AsnEncodingRules.DER);
        var sequence = outer.ReadSequence();
        var modulus = sequence.ReadIntegerBytes();
        return sequence.TryReadUInt32(out uint exponent) && modulus.Length > 0 && (modulus.Span[0] & 0x80) == 0
            ? OfRsa(modulus.Span, exponent)
            : null;
    }

    private static byte[] Wrap(string algorithm, string? parameter, byte[] key)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(algorithm);
                if (parameter is null)
                {
                    writer.WriteNull();
                }
                else
                {
                    writer.WriteObjectIdentifier(parameter);
                }
            }

            writer.WriteBitString(key);
        }

        return writer.Encode();
    }

    private static string Oid(KeyCurve curve) => curve switch
    {
        KeyCurve.P256 => "1.2.840.10045.3.1.7",
        KeyCurve.P384 => "1.3.132.0.34",
        KeyCurve.P521 => "1.3.132.0.35",
        _ => throw new UnreachableException(),
    };

    private static KeyCurve? CurveOf(string oid)
    {
        foreach (var curve in Enum.GetValues<KeyCurve>())
        {
            if (Oid(curve) == oid)
            {
                return curve;
            }
        }

        return null;
    }
}
