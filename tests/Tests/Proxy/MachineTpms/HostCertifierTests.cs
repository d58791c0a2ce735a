using System.Security.Cryptography;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Endorsement;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.MachineTpms;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.MachineTpms;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Proxy.MachineTpms;

/// <summary>A host's certificate for a machine's TPM is an endorsement certificate, for that machine, by that host.
/// </summary>
public sealed class HostCertifierTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);
    private static readonly EcdsaSigner Key = Signatory.NewKey();
    private static readonly EcdsaSigner OtherKey = Signatory.NewKey();
    private static readonly HostRef Host = new(PartyId.Unsigned("alpine"), StatementName.Parse("host-1"));
    private static readonly CompartmentRef Machine = new(PartyId.Unsigned("bank"), StatementName.Parse("web-1"));
    private static readonly SubjectKey Endorsement = NewKey();
    private readonly VerifierKeyCache _keys = new(8);

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void Whoever_verified_the_hosts_evidence_believes_its_machines_TPM()
    {
        HostCertifier certifier = new(Host, Key.PublicKey, Key);
        byte[] certificate = certifier.Certify(Endorsement, Machine);
        var genuine = Assert.IsType<MachineTpmVerdict.Genuine>(
            Judge(certificate, certifier.Certificate, Evidence(Key)));
        Assert.Equal(Machine.ToString(), genuine.Tpm.Machine);
        Assert.Equal(Endorsement, genuine.Tpm.Key.Key);
        Assert.Equal(new TpmIdentity("00001014", "swtpm", "id:00000001"), genuine.Tpm.Key.Identity);
        Assert.Empty(genuine.Tpm.Key.Remarks);

        // A certifier of the same key that began anew has another certificate of its own, and certifies alike.
        HostCertifier again = new(Host, Key.PublicKey, Key);
        Assert.IsType<MachineTpmVerdict.Genuine>(Judge(certificate, again.Certificate, Evidence(Key)));
    }

    [Fact]
    public void Refuses_what_another_host_certifies()
    {
        HostCertifier other = new(Host, OtherKey.PublicKey, OtherKey);
        byte[] certificate = other.Certify(Endorsement, Machine);
        AssertOnly(MachineTpmRefusalCode.OtherHost, Judge(certificate, other.Certificate, Evidence(Key)));
        HostCertifier own = new(Host, Key.PublicKey, Key);
        AssertOnly(MachineTpmRefusalCode.CertificateRefused, Judge(certificate, own.Certificate, Evidence(Key)));
        Assert.IsType<MachineTpmVerdict.Genuine>(Judge(certificate, other.Certificate, Evidence(OtherKey)));
    }

    [Fact]
    public void Refuses_another_machines_certificate()
    {
        HostCertifier certifier = new(Host, Key.PublicKey, Key);
        byte[] certificate = certifier.Certify(Endorsement, Machine with { Name = StatementName.Parse("web-2") });
        AssertOnly(
            MachineTpmRefusalCode.OtherMachine, Judge(certificate, certifier.Certificate, Evidence(Key)));
    }

    [Fact]
    public void Refuses_a_certificate_of_another_key_than_the_TPM_shows_here()
    {
        HostCertifier certifier = new(Host, Key.PublicKey, Key);
        byte[] certificate = certifier.Certify(NewKey(), Machine);
        AssertOnly(
            MachineTpmRefusalCode.CertificateRefused, Judge(certificate, certifier.Certificate, Evidence(Key)));
    }

    [Fact]
    public void Refuses_a_chips_vendor_in_the_place_of_the_host()
    {
        HostCertifier certifier = new(Host, Key.PublicKey, Key);
        Assert.IsType<MachineTpmVerdict.Refused>(
            Judge(certifier.Certificate.ToArray(), certifier.Certificate, Evidence(Key)));
        byte[] certificate = certifier.Certify(Endorsement, Machine);
        for (int at = 0; at < certificate.Length; at++)
        {
            byte[] flipped = [.. certificate];
            flipped[at] ^= 1;
            Assert.IsType<MachineTpmVerdict.Refused>(Judge(flipped, certifier.Certificate, Evidence(Key)));
        }
    }

    private static readonly VerifiedEvidence First = Verified(Key);
    private static readonly VerifiedEvidence Second = Verified(OtherKey);

    private static VerifiedEvidence Evidence(EcdsaSigner key) => ReferenceEquals(key, Key) ? First : Second;

    private MachineTpmVerdict Judge(
        ReadOnlyMemory<byte> certificate, ReadOnlyMemory<byte> issuer, VerifiedEvidence host) =>
        MachineTpmVerifier.Verify(
            certificate, issuer, new MachineTpmExpectation(host, Machine.ToString(), Endorsement, Now), _keys);

    private static VerifiedEvidence Verified(EcdsaSigner key)
    {
        byte[] nonce = new byte[32];
        EvidenceCheckpoint newest = new("log.example", 7, Digest32.Of("root"u8));
        byte[] envelope = EvidenceDocument.Write(
            new EvidenceClaims
            {
                Host = Host.ToString(), Checkpoint = newest, Boot = Guid.NewGuid(), ChannelKey = key.PublicKey,
                IntegrityLog = IntegrityHead.Empty, Nonce = nonce,
            },
            key);
        using VerifierKeyCache keys = new(2);
        EvidenceExpectation expectation = new()
        {
            Host = Host.ToString(), IdentityKey = key.PublicKey, EndorsementKey = null, Enrolment = null,
            ChannelKey = key.Id, Nonce = nonce, IntegrityLog = null,
            Checkpoint = new CheckpointRule("log.example", 7, _ => CheckpointStanding.Consistent),
        };
        return Assert.IsType<EvidenceVerdict.Verified>(
            EvidenceVerifier.Verify(envelope, expectation, EvidenceLogs.None, keys)).Evidence;
    }

    private static SubjectKey NewKey()
    {
        using RSA rsa = RSA.Create(2048);
        return SubjectKey.Parse(rsa.ExportSubjectPublicKeyInfo()) ?? throw new InvalidOperationException();
    }

    private static void AssertOnly(MachineTpmRefusalCode code, MachineTpmVerdict verdict)
    {
        var refused = Assert.IsType<MachineTpmVerdict.Refused>(verdict);
        Assert.Equal([code], refused.Refusals.Select(refusal => refusal.Code).Distinct());
    }
}
