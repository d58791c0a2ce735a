using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bailiwick.Ledger.Keys;
using PublicKey = Bailiwick.Ledger.Keys.PublicKey;

namespace Bailiwick.Channel.Identity;

/// <summary>
/// Who this process is on the channel: a P-256 key, and short-lived self-signed certificates made from it in memory
/// (RFC 5280; there is no certification authority). A peer is the digest of its SubjectPublicKeyInfo and nothing else
/// of the certificate is believed; TLS itself proves that the peer has the key (RFC 8446 section 4.4.3).
/// </summary>
public sealed class ChannelIdentity : IDisposable
{
    private readonly ECDsa _key;
    private readonly EcdsaSigner _signer;
    private readonly TimeProvider _time;
    private readonly TimeSpan _lifetime;
    private readonly Lock _gate = new();
    private X509Certificate2? _certificate;

    private ChannelIdentity(ECDsa key, TimeProvider time, TimeSpan lifetime)
    {
        _key = key;
        _signer = new EcdsaSigner(key);
        _time = time;
        _lifetime = lifetime;
    }

    /// <summary>The public key by which peers know this process.</summary>
    public PublicKey Key => _signer.PublicKey;

    /// <summary>The id of <see cref="Key"/>: what peers pin.</summary>
    public KeyId Id => _signer.Id;

    /// <summary>Signs statements of this process with the same key.</summary>
    public ISigner Signer => _signer;

    /// <summary>Takes a key that is already in memory; the identity owns it from now on.</summary>
    /// <param name="key">A private key on P-256.</param>
    /// <param name="time">The clock by which certificates are dated; the system's if null.</param>
    /// <param name="lifetime">How long a certificate is valid; <see cref="ChannelLimits.CertificateDays"/>.</param>
    /// <exception cref="ArgumentException">The key is not on P-256.</exception>
    public static ChannelIdentity FromKey(ECDsa key, TimeProvider? time = null, TimeSpan? lifetime = null) =>
        new(key, time ?? TimeProvider.System, lifetime ?? TimeSpan.FromDays(ChannelLimits.CertificateDays));

    /// <summary>Reads an unencrypted PKCS#8 private key (RFC 5958) in PEM (RFC 7468) from a private file.</summary>
    /// <exception cref="ChannelIdentityException">
    /// The file is missing, a link, larger than <see cref="ChannelLimits.KeyFileBytes"/>, usable by others, or not such
    /// a key.
    /// </exception>
    public static ChannelIdentity FromPem(string file, TimeProvider? time = null) =>
        FromKey(PrivateKeyFile.Read(file), time);

    /// <summary>
    /// The certificate to show now. It is made again when half of its life is over, so that a process that runs for
    /// long never shows one that has expired.
    /// </summary>
    public X509Certificate2 Certificate()
    {
        lock (_gate)
        {
            var now = _time.GetUtcNow();
            if (_certificate is null || now - _certificate.NotBefore.ToUniversalTime() > Skew + (_lifetime / 2))
            {
                _certificate = Make(now);
            }

            return _certificate;
        }
    }

    /// <summary>Forgets the key; connections that are open stay open.</summary>
    public void Dispose() => _key.Dispose();

    private static TimeSpan Skew => TimeSpan.FromMinutes(ChannelLimits.ClockSkewMinutes);

    private X509Certificate2 Make(DateTimeOffset now)
    {
        var request = new CertificateRequest("CN=bailiwick", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        return request.CreateSelfSigned(now - Skew, now + _lifetime);
    }
}
