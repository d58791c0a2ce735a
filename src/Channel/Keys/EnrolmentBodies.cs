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

/// <summary>How the hosts of the datacentre stand with a tenant's key service.</summary>
/// <param name="Tenant">The tenant's id.</param>
/// <param name="Hosts">Every host that the operator states.</param>
public sealed record EnrolmentList(string Tenant, ImmutableArray<EnrolmentStanding> Hosts);

/// <summary>How one host stands.</summary>
/// <param name="Host">`operator id/name`.</param>
/// <param name="StatedTpm">SHA-256 of the endorsement key that the operator states, lower hex; null for none.</param>
/// <param name="EnrolledTpm">The same of the TPM that answered; null when none did.</param>
/// <param name="Since">The position of the enrolment by which that TPM got the host; null for none.</param>
/// <param name="AttestationKey">The TPM's name of the enrolled attestation key, lower hex; null for none.</param>
/// <param name="Vendors">SHA-256 of the vendors' file by which a maker vouches for it, lower hex; null for none.
/// </param>
/// <param name="LastRefusal">Why the last attempt since the start of the key service failed; null when it did not.
/// </param>
public sealed record EnrolmentStanding(
    string Host, string? StatedTpm, string? EnrolledTpm, long? Since, string? AttestationKey, string? Vendors,
    RefusedAttempt? LastRefusal);

/// <summary>An attempt that was refused.</summary>
/// <param name="At">When.</param>
/// <param name="Code">The first reason.</param>
/// <param name="Detail">Every reason, for people.</param>
public sealed record RefusedAttempt(DateTimeOffset At, string Code, string Detail);

/// <summary>An approval, signed by root keys, that the TPM of a host be forgotten.</summary>
/// <param name="Forget">A DSSE envelope.</param>
public sealed record ForgetBody(JsonElement Forget);

/// <summary>Tells a host to enrol its TPM with a tenant.</summary>
/// <param name="Tenant">The tenant's id.</param>
public sealed record EnrolmentOrder(string Tenant);

/// <summary>A host's TPM is enrolled with the tenant.</summary>
/// <param name="Doubts">Why no vendor vouches for the TPM, in sentences; empty when one does.</param>
public sealed record EnrolmentDone(ImmutableArray<string> Doubts);

/// <summary>What was enrolled.</summary>
/// <param name="Enrolment">A DSSE envelope, signed by the key service.</param>
public sealed record EnrolledBody(JsonElement Enrolment);
