using System.Collections.Immutable;
using System.Formats.Asn1;

namespace Bailiwick.Attestation.Endorsement;

/// <summary>The signed part of a certificate: TBSCertificate (RFC 5280, section 4.1.2).</summary>
internal sealed record CertificateFields
{
    internal const string BasicConstraintsOid = "2.5.29.19";
    internal const string KeyUsageOid = "2.5.29.15";
    internal const string ExtendedKeyUsageOid = "2.5.29.37";
    internal const string NameConstraintsOid = "2.5.29.30";
    internal const string PoliciesOid = "2.5.29.32";
    internal const string AnyUsage = "2.5.29.37.0";

    private static readonly Asn1Tag Version = new(TagClass.ContextSpecific, 0);
    private static readonly Asn1Tag IssuerId = new(TagClass.ContextSpecific, 1);
    private static readonly Asn1Tag SubjectId = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag ExtensionList = new(TagClass.ContextSpecific, 3);
    private static readonly Asn1Tag DirectoryName = new(TagClass.ContextSpecific, 4);
    private static readonly Asn1Tag PermittedSubtrees = new(TagClass.ContextSpecific, 0);
    private static readonly Asn1Tag ExcludedSubtrees = new(TagClass.ContextSpecific, 1);

    internal required ReadOnlyMemory<byte> Algorithm { get; init; }

    internal required ReadOnlyMemory<byte> Issuer { get; init; }

    internal required ReadOnlyMemory<byte> Subject { get; init; }

    internal required DateTimeOffset NotBefore { get; init; }

    internal required DateTimeOffset NotAfter { get; init; }

    internal required ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>The object identifiers of the critical extensions.</summary>
    internal required ImmutableArray<string> Critical { get; init; }

    /// <summary>Whether it certifies others (basic constraints, cA).</summary>
    internal bool IsAuthority { get; private set; }

    /// <summary>How many certifiers may stand between it and the last; null for any number.</summary>
    internal int? PathLength { get; private set; }

    /// <summary>The key usage bits; null when nothing is said.</summary>
    internal X509Usage? Usage { get; private set; }

    /// <summary>The extended key usages; null when nothing is said.</summary>
    internal ImmutableArray<string>? ExtendedUsages { get; private set; }

    /// <summary>The names of directories among the alternative names, as encoded.</summary>
    internal ImmutableArray<ReadOnlyMemory<byte>> AlternativeNames { get; private set; } = [];

    /// <summary>The constraints on names below it; null when there are none.</summary>
    internal NameConstraints? Constraints { get; private set; }

    /// <summary>Whether the subject is empty, as it mostly is for TPMs.</summary>
    internal bool HasEmptySubject => Subject.Length == 2;

    /// <summary>The attributes of a name, in order.</summary>
    /// <exception cref="AsnContentException">It is no name.</exception>
    internal static ImmutableArray<ImmutableArray<NameAttribute>> ReadName(ReadOnlyMemory<byte> name)
    {
        var relative = ImmutableArray.CreateBuilder<ImmutableArray<NameAttribute>>();
        var outer = new AsnReader(name, AsnEncodingRules.DER);
        for (var sequence = outer.ReadSequence(); sequence.HasData;)
        {
            var set = sequence.ReadSetOf(skipSortOrderValidation: true);
            var attributes = ImmutableArray.CreateBuilder<NameAttribute>();
            while (set.HasData)
            {
                var attribute = set.ReadSequence();
                attributes.Add(new NameAttribute(attribute.ReadObjectIdentifier(), Text(attribute)));
                attribute.ThrowIfNotEmpty();
            }

            relative.Add(attributes.ToImmutable());
        }

        outer.ThrowIfNotEmpty();
        return relative.ToImmutable();
    }

    /// <summary>Reads a TBSCertificate; null when something in it is not allowed.</summary>
    /// <exception cref="AsnContentException">It has not the form.</exception>
    internal static CertificateFields? Read(AsnReader body, int maxExtensions)
    {
        var version = body.ReadSequence(Version);
        if (!version.TryReadInt32(out int number) || number != 2 || version.HasData)
        {
            return null;
        }

        body.ReadIntegerBytes();
        var algorithm = body.ReadEncodedValue();
        var issuer = body.ReadEncodedValue();
        var validity = body.ReadSequence();
        var (notBefore, notAfter) = (Time(validity), Time(validity));
        validity.ThrowIfNotEmpty();
        var subject = body.ReadEncodedValue();
        var key = body.ReadEncodedValue();
        ReadName(issuer);
        ReadName(subject);
        SkipIds(body);
        List<(string Id, bool Critical, byte[] Value)> extensions = [];
        if (body.HasData)
        {
            var outer = body.ReadSequence(ExtensionList);
            for (var list = outer.ReadSequence(); list.HasData;)
            {
                extensions.Add(Extension(list.ReadSequence()));
                if (extensions.Count > maxExtensions)
                {
                    return null;
                }
            }

            outer.ThrowIfNotEmpty();
        }

        body.ThrowIfNotEmpty();
        if (extensions.DistinctBy(one => one.Id).Count() != extensions.Count)
        {
            return null;
        }

        var fields = new CertificateFields
        {
            Algorithm = algorithm, Issuer = issuer, NotBefore = notBefore, NotAfter = notAfter, Subject = subject,
            Key = key, Critical = [.. extensions.Where(one => one.Critical).Select(one => one.Id)],
        };
        extensions.ForEach(one => fields.Take(one.Id, one.Value));
        return fields;
    }

    private static (string Id, bool Critical, byte[] Value) Extension(AsnReader extension)
    {
        string id = extension.ReadObjectIdentifier();
        bool critical = extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && extension.ReadBoolean();
        byte[] value = extension.ReadOctetString();
        extension.ThrowIfNotEmpty();
        return (id, critical, value);
    }

    private void Take(string id, byte[] value)
    {
        var reader = new AsnReader(value, AsnEncodingRules.DER,
            new AsnReaderOptions { SkipSetSortOrderVerification = true });
        switch (id)
        {
            case BasicConstraintsOid:
                var basic = reader.ReadSequence();
                IsAuthority = basic.HasData && basic.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean)
                    && basic.ReadBoolean();
                PathLength = !basic.HasData ? null
                    : basic.TryReadInt32(out int length) && length >= 0 ? length : 0;
                basic.ThrowIfNotEmpty();
                break;
            case KeyUsageOid:
                // Read as plain bits: some vendors (and swtpm) leave zeros behind the last bit.
                byte[] bits = reader.ReadBitString(out _);
                Usage = (X509Usage)Enumerable.Range(0, Math.Min(9, bits.Length * 8))
                    .Where(i => (bits[i / 8] >> (7 - (i % 8)) & 1) != 0).Sum(i => 1 << i);
                break;
            case ExtendedKeyUsageOid:
                var usages = ImmutableArray.CreateBuilder<string>();
                for (var list = reader.ReadSequence(); list.HasData;)
                {
                    usages.Add(list.ReadObjectIdentifier());
                }

                ExtendedUsages = usages.ToImmutable();
                break;
            case EndorsementOids.AlternativeName:
                AlternativeNames = Directories(reader.ReadSequence());
                break;
            case NameConstraintsOid:
                Constraints = ReadConstraints(reader.ReadSequence());
                break;
            default:
                return;
        }

        reader.ThrowIfNotEmpty();
    }

    private static ImmutableArray<ReadOnlyMemory<byte>> Directories(AsnReader names)
    {
        var found = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        while (names.HasData)
        {
            if (names.PeekTag().HasSameClassAndValue(DirectoryName))
            {
                var wrapped = names.ReadSequence(DirectoryName);
                found.Add(wrapped.ReadEncodedValue());
                wrapped.ThrowIfNotEmpty();
                ReadName(found[^1]);
            }
            else
            {
                names.ReadEncodedValue();
            }
        }

        return found.ToImmutable();
    }

    /// <summary>Permitted subtrees, then excluded ones, each at most once (RFC 5280, section 4.2.1.10).</summary>
    private static NameConstraints ReadConstraints(AsnReader constraints)
    {
        ImmutableArray<ReadOnlyMemory<byte>> permitted =
            constraints.HasData && constraints.PeekTag().HasSameClassAndValue(PermittedSubtrees)
                ? Subtrees(constraints.ReadSequence(PermittedSubtrees))
                : [];
        bool isUnderstood = !constraints.HasData || Subtrees(constraints.ReadSequence(ExcludedSubtrees)).IsEmpty;
        constraints.ThrowIfNotEmpty();
        return new NameConstraints(permitted, isUnderstood);
    }

    private static ImmutableArray<ReadOnlyMemory<byte>> Subtrees(AsnReader list)
    {
        var found = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>();
        while (list.HasData)
        {
            found.AddRange(Directories(list.ReadSequence()));
        }

        return found.ToImmutable();
    }

    private static void SkipIds(AsnReader body)
    {
        foreach (var tag in new[] { IssuerId, SubjectId })
        {
            if (body.HasData && body.PeekTag().HasSameClassAndValue(tag))
            {
                body.ReadEncodedValue();
            }
        }
    }

    private static DateTimeOffset Time(AsnReader reader) =>
        reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();

    /// <summary>The text of an attribute; hexadecimal of what is no text, or not of the alphabet it claims.</summary>
    private static string Text(AsnReader attribute)
    {
        var tag = attribute.PeekTag();
        bool text = tag.TagClass == TagClass.Universal && (UniversalTagNumber)tag.TagValue
            is UniversalTagNumber.UTF8String or UniversalTagNumber.PrintableString or UniversalTagNumber.IA5String
            or UniversalTagNumber.T61String or UniversalTagNumber.BMPString;
        try
        {
            if (text)
            {
                return attribute.ReadCharacterString((UniversalTagNumber)tag.TagValue);
            }
        }
        catch (AsnContentException)
        {
            // Vendors write characters into a PrintableString that it does not have.
        }

        return Convert.ToHexStringLower(attribute.ReadEncodedValue().Span);
    }
}

/// <summary>The bits of a key usage (RFC 5280, section 4.2.1.3).</summary>
[Flags]
internal enum X509Usage
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>It signs data.</summary>
    DigitalSignature = 1 << 0,

    /// <summary>It commits to content.</summary>
    NonRepudiation = 1 << 1,

    /// <summary>It wraps keys.</summary>
    KeyEncipherment = 1 << 2,

    /// <summary>It encrypts data.</summary>
    DataEncipherment = 1 << 3,

    /// <summary>It agrees on keys.</summary>
    KeyAgreement = 1 << 4,

    /// <summary>It signs certificates.</summary>
    CertificateSigning = 1 << 5,

    /// <summary>It signs revocation lists.</summary>
    RevocationSigning = 1 << 6,

    /// <summary>It only enciphers.</summary>
    EncipherOnly = 1 << 7,

    /// <summary>It only deciphers.</summary>
    DecipherOnly = 1 << 8,
}
