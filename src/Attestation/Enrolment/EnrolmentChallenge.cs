using System.Collections.Immutable;
using System.Security.Cryptography;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Ledger;

namespace Bailiwick.Attestation.Enrolment;

/// <summary>A host whose claim holds as far as it can be checked without asking its TPM.</summary>
public sealed class EnrolmentCandidate
{
    private readonly EnrolledKey _unproven;

    internal EnrolmentCandidate(TpmWrappingKey endorsementKey, EnrolledKey unproven, ImmutableArray<string> doubts)
    {
        EndorsementKey = endorsementKey;
        _unproven = unproven;
        Doubts = doubts;
        AttestationName = unproven.AttestationKey.Area?.Name ?? TpmName.Empty;
    }

    /// <summary>The key a credential must be encrypted to.</summary>
    public TpmWrappingKey EndorsementKey { get; }

    /// <summary>The name a credential must be bound to.</summary>
    public TpmName AttestationName { get; }

    /// <summary>Why no vendor vouches for the TPM; empty when one does.</summary>
    public ImmutableArray<string> Doubts { get; }

    /// <summary>The host that is to be challenged, `operator id/name`.</summary>
    public string Host => _unproven.Host;

    internal EnrolledKey Proven() => _unproven;
}

/// <summary>
/// The second half of enrolment (TPM 2.0 Part 1, section 24): a secret encrypted so that only the TPM with the
/// endorsement key opens it, and only if it holds the attestation key as well. Good for one answer.
/// </summary>
public sealed class EnrolmentChallenge
{
    private readonly EnrolmentCandidate _candidate;
    private Digest32? _secret;

    /// <summary>Remembers what was asked; of the secret only its digest.</summary>
    /// <param name="candidate">Who is asked.</param>
    /// <param name="secret">What the credential holds; at least 16 bytes that nobody could foresee.</param>
    public EnrolmentChallenge(EnrolmentCandidate candidate, ReadOnlySpan<byte> secret)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(secret.Length, 16, nameof(secret));
        _candidate = candidate;
        _secret = Digest32.Of(secret);
    }

    /// <summary>Who is asked, `operator id/name`.</summary>
    public string Host => _candidate.Host;

    /// <summary>The enrolled key if the secret is the one that was encrypted; null otherwise, and ever after.</summary>
    public EnrolledKey? Answer(ReadOnlySpan<byte> secret)
    {
        Digest32? asked = Interlocked.Exchange(ref _secret, null);
        return asked is not null && CryptographicOperations.FixedTimeEquals(Digest32.Of(secret).Bytes, asked.Bytes)
            ? _candidate.Proven()
            : null;
    }
}
