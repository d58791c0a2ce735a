using System.Collections.Immutable;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation.Endorsement;

/// <summary>
/// Looks for a path of issuers from a certificate to a root (RFC 5280, section 6.1). Bounded in length and in the
/// number of signatures verified, so that no pool and no certificate makes it long.
/// </summary>
internal sealed class EkPath(EkExpectation expectation, VerifierKeyCache keys)
{
    private const int MaxIssuers = 8;
    private const int MaxSignatures = 64;

    private static readonly ImmutableHashSet<string> Understood =
    [
        CertificateFields.BasicConstraintsOid, CertificateFields.KeyUsageOid, CertificateFields.ExtendedKeyUsageOid,
        EndorsementOids.AlternativeName, CertificateFields.PoliciesOid, CertificateFields.NameConstraintsOid,
    ];

    private readonly SortedSet<EkRefusalCode> _met = [];
    private int _signatures;

    /// <summary>The path from the certificate to a root; empty, with the reasons added, when there is none.</summary>
    internal ImmutableArray<TpmCertificate> Find(
        TpmCertificate certificate, ImmutableArray<EkRefusal>.Builder refusals,
        ImmutableArray<EkRemark>.Builder remarks)
    {
        if (certificate.Algorithm is not { } algorithm || !algorithm.Hash.IsStrong())
        {
            refusals.Add(new EkRefusal(
                EkRefusalCode.WeakSignature, "It is signed over SHA-1, or in a way that is not read."));
        }

        var path = Extend([certificate]);
        if (path.IsEmpty)
        {
            var codes = _met.Count > 0 ? _met : [EkRefusalCode.UnknownIssuer];
            refusals.AddRange(codes.Select(code => new EkRefusal(code, Sentence(code))));
            return path;
        }

        // The root's own signature and time say nothing: it is believed as it is.
        var between = path[1..^1];
        if (path[1..].Any(issuer => expectation.At > issuer.Fields.NotAfter))
        {
            if (expectation.Expiry == EkExpiry.Refuse)
            {
                refusals.Add(new EkRefusal(EkRefusalCode.Expired, "The certificate of an issuer has expired."));
            }
            else
            {
                remarks.Add(EkRemark.IssuerExpired);
            }
        }

        if (between.Any(issuer => issuer.Algorithm is { } one && !one.Hash.IsStrong()))
        {
            remarks.Add(EkRemark.IssuerSignedOverSha1);
        }

        return path;
    }

    private ImmutableArray<TpmCertificate> Extend(ImmutableArray<TpmCertificate> path)
    {
        var last = path[^1];
        if (path.Length > 1 && expectation.Trust.IsRoot(last))
        {
            return path;
        }

        foreach (var issuer in path.Length > MaxIssuers ? [] : expectation.Trust.Named(last.Fields.Issuer))
        {
            if (path.Any(one => one.Digest.Equals(issuer.Digest)))
            {
                continue;
            }

            if (!Allowed(issuer, path.Length - 1))
            {
                _met.Add(EkRefusalCode.IssuerNotAllowed);
            }
            else if (!Permits(issuer, path))
            {
                _met.Add(EkRefusalCode.NameNotAllowed);
            }
            else if (!Signed(last, issuer))
            {
                _met.Add(EkRefusalCode.BadSignature);
            }
            else if (Extend([.. path, issuer]) is { IsEmpty: false } found)
            {
                return found;
            }
        }

        return [];
    }

    private bool Allowed(TpmCertificate issuer, int between) =>
        issuer.Fields.IsAuthority && expectation.At >= issuer.Fields.NotBefore
        && (issuer.Fields.PathLength is not { } most || between <= most)
        && (issuer.Fields.Usage is not { } usage || usage.HasFlag(X509Usage.CertificateSigning))
        && (issuer.Fields.ExtendedUsages is not { } usages
            || usages.Contains(EndorsementOids.Usage) || usages.Contains(CertificateFields.AnyUsage))
        && issuer.Fields.Critical.All(Understood.Contains);

    /// <summary>Permitted names are compared byte by byte, so another spelling is refused.</summary>
    private static bool Permits(TpmCertificate issuer, ImmutableArray<TpmCertificate> below)
    {
        if (issuer.Fields.Constraints is not { } constraints)
        {
            return true;
        }

        var names = below.SelectMany(one => one.Fields.AlternativeNames
            .Concat(one.Fields.HasEmptySubject ? [] : [one.Fields.Subject]));
        return constraints.Understood
            && (constraints.Permitted.IsEmpty
                || names.All(name => constraints.Permitted.Any(permitted => LiesUnder(name, permitted))));
    }

    private static bool LiesUnder(ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> subtree)
    {
        var (whole, prefix) = (CertificateFields.ReadName(name), CertificateFields.ReadName(subtree));
        return prefix.Length <= whole.Length
            && prefix.Zip(whole).All(pair => pair.First.SequenceEqual(pair.Second));
    }

    private bool Signed(TpmCertificate certificate, TpmCertificate issuer) =>
        certificate.Algorithm is { } algorithm && issuer.Key is { } key && ++_signatures <= MaxSignatures
        && keys.Verifies(key, algorithm.Form, algorithm.Hash, certificate.Body.Span, certificate.Signature);

    private static string Sentence(EkRefusalCode code) => code switch
    {
        EkRefusalCode.UnknownIssuer => "No believed vendor's root leads to it.",
        EkRefusalCode.BadSignature => "It, or an issuer, has its issuer's name and was not signed by it.",
        EkRefusalCode.IssuerNotAllowed => "An issuer on its path may not certify endorsement keys.",
        EkRefusalCode.NameNotAllowed => "An issuer on its path may not certify this name.",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
