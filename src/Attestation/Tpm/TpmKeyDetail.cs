using System.Diagnostics;

namespace Bailiwick.Attestation.Tpm;

/// <summary>A curve, by its TPM_ECC_CURVE (TCG Algorithm Registry, section 6.4).</summary>
public enum TpmCurve
{
    /// <summary>NIST P-256.</summary>
    P256 = 0x0003,

    /// <summary>NIST P-384.</summary>
    P384 = 0x0004,
}

/// <summary>
/// What a public area holds by its type (TPM 2.0 Part 2, section 12.2.3): parameters and the unique field. Closed:
/// <see cref="Rsa"/>, <see cref="Ecc"/>, <see cref="KeyedHash"/>. The unique field is empty in templates.
/// </summary>
public abstract record TpmKeyDetail
{
    private const ushort RsaType = 0x0001;
    private const ushort KeyedHashType = 0x0008;
    private const ushort EccType = 0x0023;

    private TpmKeyDetail()
    {
    }

    internal abstract ushort Type { get; }

    internal static bool IsType(ushort type) => type is RsaType or KeyedHashType or EccType;

    internal static TpmKeyDetail Read(ushort type, ref TpmReader reader) => type switch
    {
        RsaType => Rsa.Read(ref reader),
        EccType => Ecc.Read(ref reader),
        KeyedHashType => KeyedHash.Read(ref reader),
        _ => throw new UnreachableException(),
    };

    internal abstract void Write(TpmWriter writer);

    /// <summary>The length of a coordinate, in bytes.</summary>
    public static int CoordinateBytes(TpmCurve curve) => curve switch
    {
        TpmCurve.P256 => 32,
        TpmCurve.P384 => 48,
        _ => throw new UnreachableException(),
    };

    /// <summary>An RSA key.</summary>
    /// <param name="Symmetric">The cipher for its children, of storage keys.</param>
    /// <param name="Scheme">Its scheme.</param>
    /// <param name="KeyBits">1024, 2048, 3072 or 4096.</param>
    /// <param name="Exponent">The public exponent; 0 stands for 65537.</param>
    /// <param name="Modulus">The modulus, as long as the key, or empty in a template.</param>
    public sealed record Rsa(
        TpmSymmetric Symmetric, TpmScheme Scheme, int KeyBits, uint Exponent, ReadOnlyMemory<byte> Modulus)
        : TpmKeyDetail
    {
        internal override ushort Type => RsaType;

        internal static Rsa Read(ref TpmReader reader)
        {
            var symmetric = TpmSymmetric.Read(ref reader);
            var scheme = TpmScheme.Read(
                ref reader, TpmSchemeKind.RsaSsa, TpmSchemeKind.RsaPss, TpmSchemeKind.RsaEs, TpmSchemeKind.Oaep);
            int bits = reader.U16();
            uint exponent = reader.U32();
            var modulus = reader.Sized(TpmLimits.RsaBytes);
            if (bits is not (1024 or 2048 or 3072 or 4096) || (modulus.Length != 0 && modulus.Length != bits / 8))
            {
                reader.Fail(TpmFault.WrongSize);
            }

            return new Rsa(symmetric, scheme, bits, exponent, modulus.ToArray());
        }

        internal override void Write(TpmWriter writer)
        {
            Symmetric.Write(writer);
            Scheme.Write(writer);
            writer.U16((ushort)KeyBits).U32(Exponent).Sized(Modulus.Span);
        }
    }

    /// <summary>An ECC key. Coordinates may lack leading zeros, as old TPMs wrote them.</summary>
    /// <param name="Symmetric">The cipher for its children, of storage keys.</param>
    /// <param name="Scheme">Its scheme.</param>
    /// <param name="Curve">The curve.</param>
    /// <param name="X">The point's X, or empty in a template.</param>
    /// <param name="Y">The point's Y, or empty in a template.</param>
    public sealed record Ecc(
        TpmSymmetric Symmetric, TpmScheme Scheme, TpmCurve Curve, ReadOnlyMemory<byte> X, ReadOnlyMemory<byte> Y)
        : TpmKeyDetail
    {
        private const ushort NoKdf = 0x0010;

        internal override ushort Type => EccType;

        internal static Ecc Read(ref TpmReader reader)
        {
            var symmetric = TpmSymmetric.Read(ref reader);
            var scheme = TpmScheme.Read(ref reader, TpmSchemeKind.Ecdsa, TpmSchemeKind.Ecdh);
            var curve = (TpmCurve)reader.U16();
            if (curve is not (TpmCurve.P256 or TpmCurve.P384))
            {
                reader.Fail(TpmFault.UnknownCurve);
                curve = TpmCurve.P256;
            }

            if (reader.U16() != NoKdf)
            {
                reader.Fail(TpmFault.UnknownScheme);
            }

            byte[] x = reader.Sized(CoordinateBytes(curve)).ToArray();
            byte[] y = reader.Sized(CoordinateBytes(curve)).ToArray();
            if ((x.Length == 0) != (y.Length == 0))
            {
                reader.Fail(TpmFault.WrongSize);
            }

            return new Ecc(symmetric, scheme, curve, x, y);
        }

        internal override void Write(TpmWriter writer)
        {
            Symmetric.Write(writer);
            Scheme.Write(writer);
            writer.U16((ushort)Curve).U16(NoKdf).Sized(X.Span).Sized(Y.Span);
        }
    }

    /// <summary>Sealed data or an HMAC key.</summary>
    /// <param name="Scheme">HMAC with its hash, or none for sealed data.</param>
    /// <param name="Unique">H(seed || secret) with the name's hash, or empty in a template.</param>
    public sealed record KeyedHash(TpmScheme Scheme, ReadOnlyMemory<byte> Unique) : TpmKeyDetail
    {
        internal override ushort Type => KeyedHashType;

        internal static KeyedHash Read(ref TpmReader reader) => new(
            TpmScheme.Read(ref reader, TpmSchemeKind.Hmac), reader.Sized(TpmLimits.DigestBytes).ToArray());

        internal override void Write(TpmWriter writer)
        {
            Scheme.Write(writer);
            writer.Sized(Unique.Span);
        }
    }
}
