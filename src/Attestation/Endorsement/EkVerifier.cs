using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Globalization;
using System.Text;
using Bailiwick.Attestation.PublicKeys;

namespace Bailiwick.Attestation.Endorsement;

/// <summary>What one verifier demands of an endorsement certificate.</summary>
/// <param name="Trust">Whom it believes.</param>
/// <param name="At">The time that validity is judged at.</param>
/// <param name="Expiry">What becomes of a certificate whose time is over.</param>
/// <param name="Shown">The key that the TPM shows; null where only the certificate is judged.</param>
public sealed record EkExpectation(EkTrust Trust, DateTimeOffset At, EkExpiry Expiry, SubjectKey? Shown);

/// <summary>
/// Checks endorsement certificates (TCG EK Credential Profile 2.5; paths after RFC 5280, section 6) and reports every
/// reason against them. Nothing is fetched: neither issuers nor revocation lists. Never throws for what the bytes
/// contain.
/// </summary>
public static class EkVerifier
{
    private const string IdPrefix = "id:";
    private const int MinRsaBits = 2048;

    private static readonly ImmutableHashSet<string> Understood =
    [
        CertificateFields.BasicConstraintsOid, CertificateFields.KeyUsageOid, CertificateFields.ExtendedKeyUsageOid,
        EndorsementOids.AlternativeName, CertificateFields.PoliciesOid,
    ];

    /// <summary>Judges a certificate.</summary>
    /// <param name="der">The certificate, to its last byte; see <see cref="WithoutPadding"/>.</param>
    /// <param name="expectation">What this verifier demands.</param>
    /// <param name="keys">The verifier's opened keys.</param>
    public static EkVerdict Verify(ReadOnlySpan<byte> der, EkExpectation expectation, VerifierKeyCache keys)
    {
        ArgumentNullException.ThrowIfNull(expectation);
        ArgumentNullException.ThrowIfNull(keys);
        if (TpmCertificate.Parse(der) is not { } certificate)
        {
            return new EkVerdict.Refused(
                [new EkRefusal(EkRefusalCode.Malformed, "It is no X.509 v3 certificate in DER.")], null, null);
        }

        var refusals = ImmutableArray.CreateBuilder<EkRefusal>();
        var remarks = ImmutableArray.CreateBuilder<EkRemark>();
        CheckPurpose(certificate.Fields, refusals, remarks);
        var identity = IdentityOf(certificate.Fields);
        if (identity is null)
        {
            refusals.Add(new EkRefusal(
                EkRefusalCode.NoTpmIdentity, "It does not name manufacturer, model and version of one TPM."));
        }

        CheckKey(certificate.Key, expectation.Shown, refusals);
        CheckTime(certificate.Fields, expectation, refusals, remarks);
        var path = new EkPath(expectation, keys).Find(certificate, refusals, remarks);
        return refusals.Count > 0 || identity is null || certificate.Key is not { } key
            ? new EkVerdict.Refused(refusals.ToImmutable(), identity, certificate.Key)
            : new EkVerdict.Genuine(VerifiedEk.After(
                key, identity, [.. path.Select(one => one.Digest)], remarks.ToImmutable()));
    }

    /// <summary>
    /// The certificate at the beginning of what a TPM's NV index holds: what follows it must be all zeros or all ones.
    /// Otherwise everything, which will be refused.
    /// </summary>
    public static ReadOnlySpan<byte> WithoutPadding(ReadOnlySpan<byte> contents)
    {
        if (!AsnDecoder.TryReadEncodedValue(
                contents, AsnEncodingRules.DER, out _, out _, out _, out int length))
        {
            return contents;
        }

        var rest = contents[length..];
        return rest.ContainsAnyExcept((byte)0) && rest.ContainsAnyExcept((byte)0xff) ? contents : contents[..length];
    }

    private static void CheckPurpose(
        CertificateFields fields, ImmutableArray<EkRefusal>.Builder refusals,
        ImmutableArray<EkRemark>.Builder remarks)
    {
        if (fields.IsAuthority || fields.Usage is { } usage && usage.HasFlag(X509Usage.CertificateSigning))
        {
            refusals.Add(new EkRefusal(
                EkRefusalCode.IsAuthority, "It is a certificate of a certifier, and not of a TPM's key."));
        }

        if (fields.ExtendedUsages is null)
        {
            remarks.Add(EkRemark.NoExtendedUsage);
        }
        else if (!fields.ExtendedUsages.Value.Contains(EndorsementOids.Usage))
        {
            refusals.Add(new EkRefusal(
                EkRefusalCode.OtherUsage, "Its extended key usage is not that of endorsement keys (2.23.133.8.1)."));
        }

        foreach (string id in fields.Critical.Where(id => !Understood.Contains(id)))
        {
            refusals.Add(new EkRefusal(
                EkRefusalCode.UnknownCriticalExtension, $"Its critical extension {id} is not understood."));
        }
    }

    private static void CheckKey(
        SubjectKey? key, SubjectKey? shown, ImmutableArray<EkRefusal>.Builder refusals)
    {
        if (key is null)
        {
            refusals.Add(new EkRefusal(
                EkRefusalCode.UnknownKey, "Its key is neither RSA nor a point on P-256, P-384 or P-521."));
            return;
        }

        if (key.IsRsa && key.Bits < MinRsaBits)
        {
            refusals.Add(new EkRefusal(
                EkRefusalCode.ShortKey, string.Create(
                    CultureInfo.InvariantCulture, $"Its RSA key has {key.Bits} bits; {MinRsaBits} are the least.")));
        }

        if (RocaFingerprint.Marks(key))
        {
            refusals.Add(new EkRefusal(
                EkRefusalCode.RocaKey,
                "Its key was made by the generator of CVE-2017-15361, whose keys can be factored."));
        }

        if (shown is not null && !shown.Equals(key))
        {
            refusals.Add(new EkRefusal(
                EkRefusalCode.OtherKey,
                $"It is about the key {key.Id.Hex[..16]}; the TPM shows {shown.Id.Hex[..16]}."));
        }
    }

    private static void CheckTime(
        CertificateFields fields, EkExpectation expectation, ImmutableArray<EkRefusal>.Builder refusals,
        ImmutableArray<EkRemark>.Builder remarks)
    {
        if (expectation.At < fields.NotBefore)
        {
            refusals.Add(new EkRefusal(EkRefusalCode.NotYetValid, $"It is valid from {fields.NotBefore:u} on."));
        }

        if (expectation.At <= fields.NotAfter)
        {
            return;
        }

        if (expectation.Expiry == EkExpiry.Refuse)
        {
            refusals.Add(new EkRefusal(EkRefusalCode.Expired, $"It expired at {fields.NotAfter:u}."));
        }
        else
        {
            remarks.Add(EkRemark.Expired);
        }
    }

    /// <summary>
    /// The TPM's identity: in the alternative names, or for certificates that have no such name in the subject. Each
    /// attribute exactly once; whether all are in one relative name or each has its own is the vendor's choice.
    /// </summary>
    private static TpmIdentity? IdentityOf(CertificateFields fields)
    {
        var names = fields.AlternativeNames.IsEmpty ? [fields.Subject] : fields.AlternativeNames;
        NameAttribute[] all =
            [.. names.SelectMany(name => CertificateFields.ReadName(name)).SelectMany(relative => relative)];
        return Single(all, EndorsementOids.Manufacturer) is { } manufacturer
            && Single(all, EndorsementOids.Model) is { } model
            && Single(all, EndorsementOids.Version) is { } version
                ? new TpmIdentity(Letters(manufacturer), model, version)
                : null;
    }

    private static string? Single(NameAttribute[] all, string type)
    {
        string[] found = [.. all.Where(one => one.Type == type).Select(one => one.Text)];
        return found is [{ Length: > 0 and <= 128 } only] ? only : null;
    }

    /// <summary>`id:49465800` is `IFX`; what has no letters stays in hexadecimal.</summary>
    private static string Letters(string manufacturer)
    {
        if (!manufacturer.StartsWith(IdPrefix, StringComparison.Ordinal))
        {
            return manufacturer;
        }

        string digits = manufacturer[IdPrefix.Length..];
        if (digits.Length != 8 || !digits.All(char.IsAsciiHexDigit))
        {
            return digits;
        }

        string letters = Encoding.ASCII.GetString(Convert.FromHexString(digits)).TrimEnd('\0', ' ');
        return letters.Length > 0 && letters.All(c => char.IsAsciiLetterOrDigit(c) || c == ' ') ? letters : digits;
    }
}
