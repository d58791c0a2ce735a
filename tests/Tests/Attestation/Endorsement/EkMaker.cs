using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bailiwick.Tests.Attestation.Endorsement;

/// <summary>What a certificate says; a test changes one thing of it.</summary>
internal sealed record EkContents
{
    internal bool? Authority { get; init; } = false;

    internal int? PathLength { get; init; }

    internal X509KeyUsageFlags? Usage { get; init; } = X509KeyUsageFlags.KeyEncipherment;

    internal string[]? ExtendedUsages { get; init; } = [EkMaker.EndorsementUsage];

    internal byte[]? Names { get; init; } = EkMaker.TpmNames("id:49465800", "SLB 9670", "id:0007");

    internal byte[]? Constraints { get; init; }

    internal X509Extension? Extra { get; init; }

    internal string Subject { get; init; } = "";

    internal DateTimeOffset NotBefore { get; init; } = EkMaker.Now.AddYears(-1);

    internal DateTimeOffset NotAfter { get; init; } = EkMaker.Now.AddYears(1);

    internal HashAlgorithmName Hash { get; init; } = HashAlgorithmName.SHA256;

    internal static EkContents Certifier(string name) => new()
    {
        Authority = true, Usage = X509KeyUsageFlags.KeyCertSign, ExtendedUsages = null, Names = null, Subject = name,
    };
}

/// <summary>A vendor that certifies TPMs, or what pretends to be one.</summary>
internal sealed class EkMaker
{
    internal const string EndorsementUsage = "2.23.133.8.1";

    private readonly X500DistinguishedName _name;
    private readonly ECDsa _key;

    private EkMaker(X500DistinguishedName name, ECDsa key, byte[] certificate) =>
        (_name, _key, Certificate) = (name, key, certificate);

    internal static DateTimeOffset Now { get; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    internal byte[] Certificate { get; }

    internal static EkMaker Root(string name, EkContents? contents = null)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = new X500DistinguishedName(name);
        var self = new EkMaker(subject, key, []);
        return new EkMaker(subject, key, self.Certify(key, contents ?? EkContents.Certifier(name)));
    }

    internal EkMaker Below(string name, EkContents? contents = null)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new EkMaker(new X500DistinguishedName(name), key,
            Certify(key, contents ?? EkContents.Certifier(name)));
    }

    /// <summary>One that certifies with this key and under this name, whatever its own certificate says.</summary>
    internal static EkMaker Pretending(string name, ECDsa key, byte[] certificate) =>
        new(new X500DistinguishedName(name), key, certificate);

    internal byte[] Certify(AsymmetricAlgorithm key, EkContents contents)
    {
        var request = new CertificateRequest(
            new X500DistinguishedName(contents.Subject), new PublicKey(key), contents.Hash);
        var extensions = request.CertificateExtensions;
        if (contents.Authority is { } authority)
        {
            extensions.Add(new X509BasicConstraintsExtension(
                authority, contents.PathLength is not null, contents.PathLength ?? 0, critical: true));
        }

        if (contents.Usage is { } usage)
        {
            extensions.Add(new X509KeyUsageExtension(usage, critical: true));
        }

        if (contents.ExtendedUsages is { } usages)
        {
            OidCollection list = [];
            Array.ForEach(usages, one => list.Add(new Oid(one)));
            extensions.Add(new X509EnhancedKeyUsageExtension(list, critical: false));
        }

        if (contents.Names is { } names)
        {
            extensions.Add(new X509Extension("2.5.29.17", names, critical: true));
        }

        if (contents.Constraints is { } constraints)
        {
            extensions.Add(new X509Extension("2.5.29.30", constraints, critical: true));
        }

        if (contents.Extra is { } extra)
        {
            extensions.Add(extra);
        }

        return request.Create(_name, new AnyHash(_key), contents.NotBefore, contents.NotAfter,
            RandomNumberGenerator.GetBytes(8)).RawData;
    }

    /// <summary>SubjectAltName with one directory name, each attribute in a relative name of its own.</summary>
    internal static byte[] TpmNames(params string[] manufacturerModelVersion)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 4)))
        {
            writer.WriteEncodedValue(Name([.. manufacturerModelVersion.Select(
                (value, i) => ($"2.23.133.2.{(i % 3) + 1}", value))]));
        }

        return writer.Encode();
    }

    /// <summary>NameConstraints with one directory name, permitted or excluded.</summary>
    internal static byte[] Constraint(bool permitted, params (string Type, string Value)[] name)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, permitted ? 0 : 1)))
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 4)))
        {
            writer.WriteEncodedValue(Name(name));
        }

        return writer.Encode();
    }

    private static byte[] Name((string Type, string Value)[] attributes)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (var (type, value) in attributes)
            {
                using (writer.PushSetOf())
                using (writer.PushSequence())
                {
                    writer.WriteObjectIdentifier(type);
                    writer.WriteCharacterString(UniversalTagNumber.UTF8String, value);
                }
            }
        }

        return writer.Encode();
    }

    /// <summary>Signs with SHA-1 as well, which the platform's own generator will not.</summary>
    private sealed class AnyHash(ECDsa key) : X509SignatureGenerator
    {
        private readonly X509SignatureGenerator _platform = CreateForECDsa(key);

        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) =>
            hashAlgorithm == HashAlgorithmName.SHA1
                ? Convert.FromHexString("300906072a8648ce3d0401")
                : _platform.GetSignatureAlgorithmIdentifier(hashAlgorithm);

        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) =>
            key.SignData(data, hashAlgorithm, DSASignatureFormat.Rfc3279DerSequence);

        protected override PublicKey BuildPublicKey() => new(key);
    }
}
