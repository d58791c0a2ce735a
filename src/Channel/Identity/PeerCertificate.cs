using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography.X509Certificates;
using Bailiwick.Ledger.Keys;
using PublicKey = Bailiwick.Ledger.Keys.PublicKey;

namespace Bailiwick.Channel.Identity;

/// <summary>Why a peer's certificate is refused. Closed.</summary>
public enum CertificateRefusal
{
    /// <summary>The peer showed none.</summary>
    Absent = 1,

    /// <summary>Its key is not the one accepted encoding of a P-256 key.</summary>
    WrongKey,

    /// <summary>It is not valid yet.</summary>
    NotYetValid,

    /// <summary>It has expired.</summary>
    Expired,
}

/// <summary>
/// Reads the only two things that count of a peer's certificate: its key and its time of validity. Names, issuers and
/// its own signature say nothing here: whoever has the key can make any number of certificates.
/// </summary>
public static class PeerCertificate
{
    /// <summary>Reads the peer's key id, or says why the certificate is refused.</summary>
    /// <param name="certificate">What the peer showed in the handshake; null if nothing.</param>
    /// <param name="now">The present time.</param>
    /// <param name="key">The id of the peer's key.</param>
    /// <param name="refusal">The reason, when the answer is false.</param>
    public static bool TryRead(
        X509Certificate2? certificate, DateTimeOffset now, [NotNullWhen(true)] out KeyId? key,
        [NotNullWhen(false)] out CertificateRefusal? refusal)
    {
        key = null;
        refusal = null;
        if (certificate is null)
        {
            refusal = CertificateRefusal.Absent;
        }
        else if (!PublicKey.TryParse(certificate.PublicKey.ExportSubjectPublicKeyInfo(), out var read))
        {
            refusal = CertificateRefusal.WrongKey;
        }
        else if (now < certificate.NotBefore.ToUniversalTime())
        {
            refusal = CertificateRefusal.NotYetValid;
        }
        else if (now > certificate.NotAfter.ToUniversalTime())
        {
            refusal = CertificateRefusal.Expired;
        }
        else
        {
            key = read.Id;
        }

        return key is not null;
    }

    /// <summary>The refusal as a sentence.</summary>
    public static string Sentence(CertificateRefusal refusal) => refusal switch
    {
        CertificateRefusal.Absent => "No certificate was shown.",
        CertificateRefusal.WrongKey => "The certificate's key is not a P-256 key in its accepted encoding.",
        CertificateRefusal.NotYetValid => "The certificate is not valid yet.",
        CertificateRefusal.Expired => "The certificate has expired.",
        _ => throw new UnreachableException(),
    };
}
