using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Attestation.Endorsement;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Attestation.Credentials;
using Bailiwick.Tests.Attestation.Endorsement;
using Bailiwick.Tests.Attestation.Quotes;
using Bailiwick.Tests.Attestation.Tpm;

namespace Bailiwick.Tests.Attestation.Enrolment;

/// <summary>A TPM as a test has it: an endorsement key that opens challenges, and a key that quotes.</summary>
internal sealed class SoftwareTpm
{
    private static readonly VerifierKeyCache Keys = new(16);
    private readonly ECDiffieHellman _private = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    internal SoftwareTpm(QuoteMaker? quoting = null)
    {
        Quoting = quoting ?? QuoteMaker.Ecc(TpmCurve.P256, TpmHash.Sha256);
        var q = _private.ExportParameters(false).Q;
        EndorsementKey = TpmSamples.EndorsementKey() with
        {
            Detail = new TpmKeyDetail.Ecc(TpmSymmetric.Aes128, TpmScheme.None, TpmCurve.P256, q.X, q.Y),
        };
    }

    internal QuoteMaker Quoting { get; set; }

    internal TpmPublic EndorsementKey { get; }

    /// <summary>What an operator states for the machine.</summary>
    internal Digest32 EndorsementId => EndorsementKey.Key?.Id ?? throw new InvalidOperationException();

    internal static VendorTrust Believed(EkMaker root) =>
        new(Digest32.Of(root.Certificate), EkTrust.Of([root.Certificate], []));

    internal byte[] CertificateOf(EkMaker vendor) =>
        vendor.Certify(_private, new EkContents { Usage = X509KeyUsageFlags.KeyAgreement });

    internal EnrolmentClaim Claim(byte[]? certificate = null) =>
        new(certificate ?? [], EndorsementKey, Quoting.Area);

    /// <summary>TPM2_ActivateCredential: the secret, or null when the challenge is for other keys.</summary>
    internal byte[]? Activate(ReadOnlySpan<byte> blob, ReadOnlySpan<byte> encryptedSeed) =>
        CredentialOpener.Open(
            blob, CredentialOpener.SeedFor(_private, encryptedSeed, "IDENTITY"), Quoting.Area.Name)?[2..];

    /// <summary>TPM2_Import and TPM2_Unseal, for a TPM whose policy holds; null for what is not this TPM's.</summary>
    internal byte[]? Import(TpmImport delivered)
    {
        byte[]? sensitive = CredentialOpener.Open(
            delivered.Duplicate.Span, CredentialOpener.SeedFor(_private, delivered.EncryptedSeed.Span, "DUPLICATE"),
            delivered.Public.Name);
        if (sensitive is null)
        {
            return null;
        }

        // TPM2B_SENSITIVE: size, type, no authorization value, the blinding of 32 bytes, the secret.
        const int secretAt = 2 + 2 + 2 + 2 + 32 + 2;
        return sensitive[secretAt..];
    }

    /// <summary>Enrols as a host does, by claim and answer.</summary>
    internal EnrolledKey Enrol(PartyId tenant, string host, VendorTrust? vendors = null, EkMaker? vendor = null)
    {
        var open = Assert.IsType<EnrolmentVerdict.Open>(EnrolmentCheck.Judge(
            Claim(vendor is null ? null : CertificateOf(vendor)),
            new EnrolmentExpectation
            {
                Tenant = tenant, Host = host, EndorsementKey = EndorsementId, Vendors = vendors, At = EkMaker.Now,
            },
            Keys));
        byte[] secret = RandomNumberGenerator.GetBytes(32);
        return new EnrolmentChallenge(open.Candidate, secret).Answer(secret)
            ?? throw new InvalidOperationException();
    }
}
