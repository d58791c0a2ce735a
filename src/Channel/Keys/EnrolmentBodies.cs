using System.Collections.Immutable;
using System.Text.Json;

namespace Bailiwick.Channel.Keys;

/// <summary>What a host shows of its TPM, all in base64.</summary>
/// <param name="Certificate">The vendor's certificate of the endorsement key, DER; empty when there is none.</param>
/// <param name="EndorsementKey">The endorsement key, TPMT_PUBLIC.</param>
/// <param name="AttestationKey">The attestation key, TPMT_PUBLIC.</param>
public sealed record EnrolmentClaimBody(string Certificate, string EndorsementKey, string AttestationKey);

/// <summary>A challenge for the host's TPM (TPM2_ActivateCredential), in base64.</summary>
/// <param name="Blob">TPMS_ID_OBJECT.</param>
/// <param name="Secret">TPMS_ENCRYPTED_SECRET.</param>
/// <param name="Doubts">Why no vendor vouches for the TPM, in sentences; empty when one does.</param>
public sealed record EnrolmentChallengeBody(string Blob, string Secret, ImmutableArray<string> Doubts);

/// <summary>The TPM's answer.</summary>
/// <param name="Secret">What the credential held, base64.</param>
public sealed record EnrolmentAnswerBody(string Secret);

/// <summary>What was enrolled.</summary>
/// <param name="Enrolment">A DSSE envelope, signed by the key service.</param>
public sealed record EnrolledBody(JsonElement Enrolment);
