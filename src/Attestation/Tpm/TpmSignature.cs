using System.Diagnostics.CodeAnalysis;

namespace Bailiwick.Attestation.Tpm;

/// <summary>
/// A signature with its scheme: TPMT_SIGNATURE (TPM 2.0 Part 2, section 11.3.4). Closed: <see cref="Rsa"/>,
/// <see cref="Ecdsa"/>.
/// </summary>
public abstract record TpmSignature
{
    private TpmSignature(TpmSchemeKind scheme, TpmHash hash) => (Scheme, Hash) = (scheme, hash);

    /// <summary>RSASSA, RSAPSS or ECDSA.</summary>
    public TpmSchemeKind Scheme { get; }

    /// <summary>The hash of what is signed.</summary>
    public TpmHash Hash { get; }

    /// <summary>Reads a TPMT_SIGNATURE, to its last byte.</summary>
    public static bool TryRead(
        ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out TpmSignature? value, out TpmFault? fault)
    {
        var reader = new TpmReader(bytes);
        value = Read(ref reader);
        value = reader.Ends() ? value : null;
        fault = reader.Fault;
        return value is not null;
    }

    /// <summary>The TPMT_SIGNATURE.</summary>
    public byte[] Write()
    {
        var writer = new TpmWriter().U16((ushort)Scheme).Hash(Hash);
        switch (this)
        {
            case Rsa rsa:
                writer.Sized(rsa.Value.Span);
                break;
            case Ecdsa ecdsa:
                writer.Sized(ecdsa.R.Span).Sized(ecdsa.S.Span);
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }

        return writer.ToArray();
    }

    private static TpmSignature? Read(ref TpmReader reader)
    {
        var scheme = (TpmSchemeKind)reader.U16();
        var hash = reader.Hash();
        switch (scheme)
        {
            case TpmSchemeKind.RsaSsa or TpmSchemeKind.RsaPss:
                return new Rsa(scheme == TpmSchemeKind.RsaPss, hash, reader.Sized(TpmLimits.RsaBytes).ToArray());
            case TpmSchemeKind.Ecdsa:
                int limit = TpmKeyDetail.CoordinateBytes(TpmCurve.P384);
                return new Ecdsa(hash, reader.Sized(limit).ToArray(), reader.Sized(limit).ToArray());
            default:
                reader.Fail(TpmFault.UnknownScheme);
                return null;
        }
    }

    /// <summary>An RSA signature.</summary>
    public sealed record Rsa : TpmSignature
    {
        /// <summary>Makes one.</summary>
        /// <param name="pss">RSASSA-PSS, otherwise RSASSA-PKCS1-v1_5.</param>
        /// <param name="hash">The hash.</param>
        /// <param name="value">The signature, as long as the modulus.</param>
        public Rsa(bool pss, TpmHash hash, ReadOnlyMemory<byte> value)
            : base(pss ? TpmSchemeKind.RsaPss : TpmSchemeKind.RsaSsa, hash) => Value = value;

        /// <summary>The signature, as long as the modulus.</summary>
        public ReadOnlyMemory<byte> Value { get; }
    }

    /// <summary>An ECDSA signature; the numbers may lack leading zeros.</summary>
    public sealed record Ecdsa : TpmSignature
    {
        /// <summary>Makes one.</summary>
        /// <param name="hash">The hash.</param>
        /// <param name="r">The number r.</param>
        /// <param name="s">The number s.</param>
        public Ecdsa(TpmHash hash, ReadOnlyMemory<byte> r, ReadOnlyMemory<byte> s)
            : base(TpmSchemeKind.Ecdsa, hash) => (R, S) = (r, s);

        /// <summary>The number r.</summary>
        public ReadOnlyMemory<byte> R { get; }

        /// <summary>The number s.</summary>
        public ReadOnlyMemory<byte> S { get; }
    }
}
