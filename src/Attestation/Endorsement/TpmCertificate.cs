using System.Collections.Immutable;
using System.Formats.Asn1;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;

namespace Bailiwick.Attestation.Endorsement;

/// <summary>How a certificate is signed.</summary>
/// <param name="Form">RSASSA-PKCS1-v1_5 or ECDSA in DER.</param>
/// <param name="Hash">The hash.</param>
internal sealed record CertificateSignature(SignatureForm Form, TpmHash Hash);

/// <summary>
/// An X.509 v3 certificate of a TPM or of who certifies TPMs (RFC 5280; TCG EK Credential Profile 2.5), read without
/// believing it. Strict DER but for one thing: parts of a relative name may stand in any order, as Nuvoton writes them.
/// </summary>
internal sealed class TpmCertificate
{
    private const int MaxBytes = 16 * 1024;
    private const int MaxExtensions = 40;

    // Attributes in certificates of TPMs are often not in DER order.
    private static readonly AsnReaderOptions AnyOrder = new() { SkipSetSortOrderVerification = true };

    private readonly byte[] _key;
    private SubjectKey? _parsed;

    private TpmCertificate(
        byte[] encoded, ReadOnlyMemory<byte> body, CertificateFields fields, CertificateSignature? algorithm,
        byte[] signature)
    {
        Encoded = encoded;
        Body = body;
        Fields = fields;
        Algorithm = algorithm;
        Signature = signature;
        _key = fields.Key.ToArray();
        Digest = Digest32.Of(encoded);
    }

    /// <summary>The certificate's bytes.</summary>
    internal ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>SHA-256 of them.</summary>
    internal Digest32 Digest { get; }

    /// <summary>The bytes that are signed.</summary>
    internal ReadOnlyMemory<byte> Body { get; }

    /// <summary>What they say.</summary>
    internal CertificateFields Fields { get; }

    /// <summary>How they are signed; null for an algorithm that is not read.</summary>
    internal CertificateSignature? Algorithm { get; }

    /// <summary>The signature.</summary>
    internal byte[] Signature { get; }

    /// <summary>The key it is about; null when it is none that is read.</summary>
    internal SubjectKey? Key => _parsed ??= SubjectKey.Parse(_key);

    /// <summary>Reads a certificate to its last byte; null when it has not the form.</summary>
    internal static TpmCertificate? Parse(ReadOnlySpan<byte> der)
    {
        if (der.Length > MaxBytes)
        {
            return null;
        }

        try
        {
            byte[] encoded = der.ToArray();
            var outer = new AsnReader(encoded, AsnEncodingRules.DER, AnyOrder);
            var certificate = outer.ReadSequence();
            var body = certificate.PeekEncodedValue();
            var fields = CertificateFields.Read(certificate.ReadSequence(), MaxExtensions);
            var algorithm = certificate.ReadEncodedValue();
            byte[] signature = certificate.ReadBitString(out int unused);
            return outer.HasData || certificate.HasData || unused != 0
                || fields is null || !algorithm.Span.SequenceEqual(fields.Algorithm.Span)
                    ? null
                    : new TpmCertificate(encoded, body, fields, SignatureOf(algorithm), signature);
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    private static CertificateSignature? SignatureOf(ReadOnlyMemory<byte> algorithm)
    {
        var sequence = new AsnReader(algorithm, AsnEncodingRules.DER).ReadSequence();
        return sequence.ReadObjectIdentifier() switch
        {
            "1.2.840.113549.1.1.5" => new(SignatureForm.RsaPkcs1, TpmHash.Sha1),
            "1.2.840.113549.1.1.11" => new(SignatureForm.RsaPkcs1, TpmHash.Sha256),
            "1.2.840.113549.1.1.12" => new(SignatureForm.RsaPkcs1, TpmHash.Sha384),
            "1.2.840.113549.1.1.13" => new(SignatureForm.RsaPkcs1, TpmHash.Sha512),
            "1.2.840.10045.4.1" => new(SignatureForm.EcdsaDer, TpmHash.Sha1),
            "1.2.840.10045.4.3.2" => new(SignatureForm.EcdsaDer, TpmHash.Sha256),
            "1.2.840.10045.4.3.3" => new(SignatureForm.EcdsaDer, TpmHash.Sha384),
            "1.2.840.10045.4.3.4" => new(SignatureForm.EcdsaDer, TpmHash.Sha512),
            _ => null,
        };
    }
}

/// <summary>One attribute of a name, with its value as it is encoded.</summary>
internal sealed record NameAttribute(string Type, string Text);

/// <summary>The constraints that a certifier has (RFC 5280, section 4.2.1.10), of names of directories alone.</summary>
/// <param name="Permitted">The names under which everything must lie; empty for no such demand.</param>
/// <param name="Understood">False when there are excluded directory names, which are not compared here.</param>
internal sealed record NameConstraints(ImmutableArray<ReadOnlyMemory<byte>> Permitted, bool Understood);
