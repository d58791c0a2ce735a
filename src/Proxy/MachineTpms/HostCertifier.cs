using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bailiwick.Attestation.Endorsement;
using Bailiwick.Attestation.MachineTpms;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Keys;
using EncodedKey = System.Security.Cryptography.X509Certificates.PublicKey;

namespace Bailiwick.Proxy.MachineTpms;

/// <summary>
/// Certifies the TPMs that this host makes for its machines, with the identity key that signs its evidence. The key
/// signs three things that cannot be taken for each other: documents (their signed bytes begin with "DSSEv1"), the
/// handshake of TLS (64 spaces; RFC 8446, section 4.4.3) and certificates (a DER sequence).
/// </summary>
/// <remarks>
/// The certificates say nothing of time: a TPM lives as long as its machine, and whether the host may be believed now
/// is decided by its evidence.
/// </remarks>
public sealed class HostCertifier
{
    // What swtpm's own authority says of libtpms: IBM's letters, and the name of the program.
    private const string Manufacturer = "id:00001014";
    private const string Model = "swtpm";
    private const string Version = "id:00000001";
    private const int SerialBytes = 16;
    private static readonly DateTimeOffset Begin = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // "No well-defined expiration date" (RFC 5280, section 4.1.2.5).
    private static readonly DateTimeOffset End = new(9999, 12, 31, 23, 59, 59, TimeSpan.Zero);

    private readonly Generator _generator;
    private readonly X500DistinguishedName _name;

    /// <summary>The certifier of a host.</summary>
    /// <param name="host">The host.</param>
    /// <param name="key">Its identity key.</param>
    /// <param name="signer">Signs with that key.</param>
    public HostCertifier(HostRef host, Ledger.Keys.PublicKey key, ISigner signer)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(signer);
        _generator = new Generator(key, signer);
        var name = new X500DistinguishedNameBuilder();
        name.Add(MachineTpmVerifier.MachineOid, host.ToString(), UniversalTagNumber.UTF8String);
        _name = name.Build();
        Certificate = Authority();
    }

    /// <summary>The certifier's own certificate, DER.</summary>
    public ReadOnlyMemory<byte> Certificate { get; }

    /// <summary>Certifies an endorsement key as that of a machine's TPM; DER.</summary>
    public byte[] Certify(SubjectKey endorsement, CompartmentRef machine)
    {
        ArgumentNullException.ThrowIfNull(endorsement);
        ArgumentNullException.ThrowIfNull(machine);
        var request = new CertificateRequest(
            new X500DistinguishedName(""), EncodedKey.CreateFromSubjectPublicKeyInfo(
                endorsement.SubjectPublicKeyInfo, out _), HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyEncipherment, critical: true));
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new Oid(EndorsementOids.Usage)], critical: false));
        request.CertificateExtensions.Add(
            new X509Extension(EndorsementOids.AlternativeName, AlternativeName(machine), critical: true));
        using X509Certificate2 made = request.Create(_name, _generator, Begin, End, Serial());
        return made.RawData;
    }

    private byte[] Authority()
    {
        var request = new CertificateRequest(_name, _generator.PublicKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        using X509Certificate2 made = request.Create(_name, _generator, Begin, End, Serial());
        return made.RawData;
    }

    /// <summary>Which TPM, and whose: GeneralNames with one directoryName (TCG EK Credential Profile 2.5, 3.2.9).
    /// </summary>
    private static byte[] AlternativeName(CompartmentRef machine)
    {
        var name = new X500DistinguishedNameBuilder();
        name.Add(MachineTpmVerifier.MachineOid, machine.ToString(), UniversalTagNumber.UTF8String);
        name.Add(EndorsementOids.Version, Version, UniversalTagNumber.UTF8String);
        name.Add(EndorsementOids.Model, Model, UniversalTagNumber.UTF8String);
        name.Add(EndorsementOids.Manufacturer, Manufacturer, UniversalTagNumber.UTF8String);
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 4)))
        {
            writer.WriteEncodedValue(name.Build().RawData);
        }

        return writer.Encode();
    }

    /// <summary>Positive, as RFC 5280, section 4.1.2.2, demands.</summary>
    private static byte[] Serial()
    {
        byte[] serial = RandomNumberGenerator.GetBytes(SerialBytes);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        return serial;
    }

    /// <summary>ECDSA over P-256 and SHA-256, with the host's identity key.</summary>
    private sealed class Generator(Ledger.Keys.PublicKey key, ISigner signer) : X509SignatureGenerator
    {
        private const string EcdsaSha256 = "1.2.840.10045.4.3.2";

        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm)
        {
            var writer = new AsnWriter(AsnEncodingRules.DER);
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(EcdsaSha256);
            }

            return writer.Encode();
        }

        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm)
        {
            byte[] signature = signer.Sign(data);
            int half = signature.Length / 2;
            var writer = new AsnWriter(AsnEncodingRules.DER);
            using (writer.PushSequence())
            {
                writer.WriteInteger(new System.Numerics.BigInteger(signature.AsSpan(0, half), true, true));
                writer.WriteInteger(new System.Numerics.BigInteger(signature.AsSpan(half), true, true));
            }

            return writer.Encode();
        }

        protected override EncodedKey BuildPublicKey() =>
            EncodedKey.CreateFromSubjectPublicKeyInfo(key.SubjectPublicKeyInfo, out _);
    }
}
