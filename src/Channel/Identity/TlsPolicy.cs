using System.Security.Cryptography.X509Certificates;

namespace Bailiwick.Channel.Identity;

/// <summary>What the platform's chain building may do: nothing that reaches outside this process.</summary>
internal static class TlsPolicy
{
    /// <summary>No revocation look-ups, no downloads of certificates, no roots of the system.</summary>
    public static X509ChainPolicy NoChain() => new()
    {
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
        TrustMode = X509ChainTrustMode.CustomRootTrust,
    };
}
