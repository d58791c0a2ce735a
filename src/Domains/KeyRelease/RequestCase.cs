using System.Diagnostics;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Ledger.Documents;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// Whether a request is authentic: of the host that calls, for now, with evidence of its own. What it asks for is
/// <see cref="ReleaseCase"/>'s, which takes the reasons.
/// </summary>
internal sealed class RequestCase(ReleaseCase reasons, ReleaseRequest request, KeyCustody custody)
{
    /// <summary>The signature, the caller and the nonce.</summary>
    public void Check()
    {
        CheckCaller();
        CheckNonce();
    }

    /// <summary>The evidence is that of this request. The verifier was told to expect it; that it was is checked here.
    /// </summary>
    public void CheckEvidence(VerifiedEvidence evidence)
    {
        if (evidence.Host != request.Host.ToString())
        {
            reasons.Add(
                KeyRefusalCode.EvidenceOfOtherHost,
                $"The evidence is of {evidence.Host}, and the request of {request.Host}.");
        }

        if (evidence.ChannelKey.Id != custody.Caller)
        {
            reasons.Add(
                KeyRefusalCode.EvidenceChannelKey,
                $"The evidence names the channel key {evidence.ChannelKey.Id.Short}; the caller's is "
                + $"{custody.Caller.Short}.");
        }

        if (!evidence.Nonce.Span.SequenceEqual(request.Nonce.Bytes.Span))
        {
            reasons.Add(KeyRefusalCode.EvidenceNonce, "The evidence does not carry the nonce of the request.");
        }

        if (ReleaseControl.IdentityKeyOf(reasons.Datacentre, request.Host) is { } stated
            && stated.Id != evidence.IdentityKey.Id)
        {
            reasons.Add(
                KeyRefusalCode.EvidenceSignature,
                $"The evidence was verified with the key {evidence.IdentityKey.Id.Short}; the operator states "
                + $"{stated.Id.Short} for {request.Host}.");
        }
    }

    /// <summary>
    /// The TPM for which the key is wrapped is the one that quoted: the enrolment says which endorsement key it has.
    /// </summary>
    public TpmWrappingKey? CheckTarget(VerifiedEvidence evidence)
    {
        if (evidence.EndorsementKey is not { } enrolled)
        {
            return null;
        }

        if (request.EndorsementKey is { } shown && TpmWrappingKey.TryOf(shown, out var target, out _)
            && target.Key.Id == enrolled)
        {
            return target;
        }

        reasons.Add(
            KeyRefusalCode.EndorsementKeyNotShown,
            $"The quote is of the TPM with the endorsement key {enrolled.Hex[..16]}, and the request shows "
            + $"{request.EndorsementKey?.Key?.Id.Hex[..16] ?? "none"} to wrap the key for.");
        return null;
    }

    private void CheckCaller()
    {
        if (ReleaseControl.IdentityKeyOf(reasons.Datacentre, request.Host) is not { } key)
        {
            return;
        }

        if (request.Document.Signers(id => id == key.Id ? key : null) is SignatureVerdict.Refused refused)
        {
            reasons.Add(
                KeyRefusalCode.RequestSignature,
                $"The operator states the identity key {key.Id.Short} for {request.Host}, but {refused.Clause}.");
        }

        if (key.Id != custody.Caller)
        {
            reasons.Add(
                KeyRefusalCode.CallerNotHost,
                $"The caller's key {custody.Caller.Short} is not that of {request.Host}.");
        }
    }

    private void CheckNonce()
    {
        (KeyRefusalCode Code, string Sentence)? fault = custody.Nonce switch
        {
            NonceStanding.Good => null,
            NonceStanding.Unknown => (KeyRefusalCode.NonceUnknown, "This key service did not give this nonce."),
            NonceStanding.Used => (KeyRefusalCode.NonceUsed, "The nonce was used before."),
            NonceStanding.Expired => (KeyRefusalCode.NonceExpired, "The nonce has expired."),
            NonceStanding.OfAnotherCaller =>
                (KeyRefusalCode.NonceOfAnotherCaller, "The nonce was given to another caller."),
            _ => throw new UnreachableException(),
        };
        if (fault is var (code, sentence))
        {
            reasons.Add(code, sentence + " Ask for a new nonce.");
        }
    }
}
