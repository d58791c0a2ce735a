using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Attestation.Endorsement;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Attestation.Enrolment;

/// <summary>What a host shows of its TPM; by itself it proves nothing.</summary>
/// <param name="Certificate">The vendor's certificate of the endorsement key, DER; empty when there is none.</param>
/// <param name="EndorsementKey">The endorsement key.</param>
/// <param name="AttestationKey">The key that is to quote.</param>
public sealed record EnrolmentClaim(
    ReadOnlyMemory<byte> Certificate, TpmPublic EndorsementKey, TpmPublic AttestationKey);

/// <summary>What a tenant's key service knows by itself of a host that wants to enrol.</summary>
public sealed record EnrolmentExpectation
{
    /// <summary>The tenant.</summary>
    public required PartyId Tenant { get; init; }

    /// <summary>The host at the other end of the channel, `operator id/name`.</summary>
    public required string Host { get; init; }

    /// <summary>
    /// SHA-256 of the SubjectPublicKeyInfo of the endorsement key that the operator states; null when it states none.
    /// </summary>
    public required Digest32? EndorsementKey { get; init; }

    /// <summary>The vendors whom the tenant believes; null when there are none.</summary>
    public required VendorTrust? Vendors { get; init; }

    /// <summary>The time at which certificates are judged.</summary>
    public required DateTimeOffset At { get; init; }
}

/// <summary>Vendors of TPMs, by the file that names them.</summary>
/// <param name="File">SHA-256 of the file of root certificates.</param>
/// <param name="Trust">Its certificates, and known intermediates.</param>
public sealed record VendorTrust(Digest32 File, EkTrust Trust);

/// <summary>
/// The first half of enrolment: is this the TPM that the operator stated for the host, and is that key one that quotes?
/// What remains is whether both keys are in one TPM, which only the TPM can answer (<see cref="EnrolmentChallenge"/>).
/// </summary>
public static class EnrolmentCheck
{
    /// <summary>Judges a claim.</summary>
    /// <param name="claim">What the host shows.</param>
    /// <param name="expectation">What this key service knows.</param>
    /// <param name="keys">Its opened keys.</param>
    public static EnrolmentVerdict Judge(
        EnrolmentClaim claim, EnrolmentExpectation expectation, VerifierKeyCache keys)
    {
        ArgumentNullException.ThrowIfNull(claim);
        ArgumentNullException.ThrowIfNull(expectation);
        var refusals = ImmutableArray.CreateBuilder<EnrolmentRefusal>();
        SubjectKey? endorsement = claim.EndorsementKey.Key;
        if (!TpmWrappingKey.TryOf(claim.EndorsementKey, out TpmWrappingKey? wrapping, out var against))
        {
            refusals.Add(new EnrolmentRefusal(
                EnrolmentRefusalCode.NotAnEndorsementKey,
                $"What is shown as endorsement key could not be one: {string.Join(", ", against)}."));
        }

        CheckInventory(endorsement, expectation, refusals);
        QuoteKey? quoting = null;
        switch (AttestationKeyCheck.Check(claim.AttestationKey))
        {
            case AttestationKeyVerdict.Acceptable acceptable:
                quoting = acceptable.Key;
                break;
            case AttestationKeyVerdict.Refused refused:
                refusals.AddRange(refused.Codes.Select(code => new EnrolmentRefusal(
                    EnrolmentRefusalCode.NotAnAttestationKey, AttestationKeyCheck.Sentence(code))));
                break;
            default:
                throw new UnreachableException();
        }

        if (refusals.Count > 0 || wrapping is null || endorsement is null || quoting is null)
        {
            return new EnrolmentVerdict.Refused(refusals.ToImmutable());
        }

        var (vendors, doubts) = Vouched(claim, endorsement, expectation, keys);
        return new EnrolmentVerdict.Open(new EnrolmentCandidate(
            wrapping,
            new EnrolledKey(expectation.Tenant, expectation.Host, endorsement.Id, quoting, vendors), doubts));
    }

    private static void CheckInventory(
        SubjectKey? endorsement, EnrolmentExpectation expectation,
        ImmutableArray<EnrolmentRefusal>.Builder refusals)
    {
        if (expectation.EndorsementKey is not { } stated)
        {
            refusals.Add(new EnrolmentRefusal(
                EnrolmentRefusalCode.NoTpmStated,
                $"The operator states no TPM for {expectation.Host}. The operator must publish the host with tpm.ek."));
        }
        else if (endorsement is not null && endorsement.Id != stated)
        {
            refusals.Add(new EnrolmentRefusal(
                EnrolmentRefusalCode.OtherTpm,
                $"The TPM has the endorsement key {endorsement.Id.Hex[..16]}; the operator states {stated.Hex[..16]} "
                + $"for {expectation.Host}."));
        }
    }

    /// <summary>
    /// A TPM for which no believed vendor vouches is still a TPM, but of a lesser level; why is told to whoever asks.
    /// </summary>
    private static (Digest32? Vendors, ImmutableArray<string> Doubts) Vouched(
        EnrolmentClaim claim, SubjectKey endorsement, EnrolmentExpectation expectation, VerifierKeyCache keys)
    {
        if (expectation.Vendors is not { } vendors)
        {
            return (null, ["This key service is given no vendors of TPMs to believe."]);
        }

        if (claim.Certificate.IsEmpty)
        {
            return (null, ["The TPM has no certificate of its vendor."]);
        }

        return EkVerifier.Verify(
            EkVerifier.WithoutPadding(claim.Certificate.Span),
            new EkExpectation(vendors.Trust, expectation.At, EkExpiry.Report, endorsement), keys) switch
        {
            EkVerdict.Genuine => (vendors.File, []),
            EkVerdict.Refused refused => (null, [.. refused.Refusals.Select(refusal => refusal.Sentence)]),
            _ => throw new UnreachableException(),
        };
    }
}

/// <summary>Whether a host may be challenged: <see cref="Open"/> or <see cref="Refused"/>.</summary>
public abstract class EnrolmentVerdict
{
    private EnrolmentVerdict()
    {
    }

    /// <summary>Nothing is against it; the TPM must answer.</summary>
    public sealed class Open : EnrolmentVerdict
    {
        internal Open(EnrolmentCandidate candidate) => Candidate = candidate;

        /// <summary>Who is to be challenged.</summary>
        public EnrolmentCandidate Candidate { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : EnrolmentVerdict
    {
        internal Refused(ImmutableArray<EnrolmentRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<EnrolmentRefusal> Refusals { get; }
    }
}

/// <summary>One reason against an enrolment.</summary>
/// <param name="Code">The kind of reason.</param>
/// <param name="Sentence">For people.</param>
public sealed record EnrolmentRefusal(EnrolmentRefusalCode Code, string Sentence);

/// <summary>Every reason there is against an enrolment. Closed.</summary>
public enum EnrolmentRefusalCode
{
    /// <summary>What is shown as endorsement key could not be one.</summary>
    NotAnEndorsementKey = 1,

    /// <summary>The operator states no TPM for the host.</summary>
    NoTpmStated,

    /// <summary>The operator states another TPM for the host.</summary>
    OtherTpm,

    /// <summary>What is shown as attestation key would sign what no TPM made, or can leave its TPM.</summary>
    NotAnAttestationKey,

    /// <summary>The challenge was not given, was answered before, is too old or is another host's.</summary>
    NoSuchChallenge,

    /// <summary>The TPM with the endorsement key does not hold the attestation key.</summary>
    WrongAnswer,

    /// <summary>Another TPM answered for this host first; the tenant must forget that one before.</summary>
    HostTaken,
}
