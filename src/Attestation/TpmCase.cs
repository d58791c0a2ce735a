using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Attestation.BootLog;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Attestation.Known;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Quotes;
using Bailiwick.Attestation.Tpm;

namespace Bailiwick.Attestation;

/// <summary>A TPM's part of one piece of evidence under consideration.</summary>
internal sealed class TpmCase(
    EvidenceExpectation expectation, EvidenceLogs logs, VerifierKeyCache keys,
    ImmutableArray<EvidenceRefusal>.Builder refusals)
{
    /// <summary>What was proven; null when something was not, and then the reason was added.</summary>
    /// <param name="claims">The TPM's part.</param>
    /// <param name="said">Everything that is said, which the quote must be over.</param>
    public ProvenState? Check(TpmClaims claims, EvidenceClaims said)
    {
        if (expectation.Enrolment is not { } enrolled || enrolled.Host != expectation.Host)
        {
            Refuse(
                EvidenceRefusalCode.NotEnrolled,
                $"No attestation key of {expectation.Host} is enrolled. The host must enrol with the tenant first.");
            return null;
        }

        CheckKeys(claims, enrolled);
        QuoteVerdict quote = QuoteVerifier.Verify(
            new QuoteClaim(claims.Quote, claims.Signature, claims.Registers),
            new QuoteExpectation
            {
                Key = enrolled.AttestationKey,
                Nonce = EvidenceDocument.Binding(said).Bytes.ToArray(),
                Selection = EvidenceRegisters.Selection,
                LastSeen = expectation.LastSeen,
            },
            keys);
        switch (quote)
        {
            case QuoteVerdict.Verified verified:
                QuotedPcrs quoted = QuotedPcrs.Of(verified.Quote, TpmHash.Sha256);
                CheckHead(quoted, said.IntegrityLog);
                return new ProvenState(
                    verified.Quote, enrolled, Read(new QuotedMoment(said.Boot, verified.Quote.Clock, quoted)));
            case QuoteVerdict.Refused refused:
                refusals.AddRange(refused.Refusals.Select(r => new EvidenceRefusal(Map(r.Code), r.Sentence)));
                return null;
            default:
                throw new UnreachableException();
        }
    }

    private void CheckHead(QuotedPcrs quoted, IntegrityHead stated)
    {
        ReadOnlySpan<byte> register = quoted.Value(EvidenceRegisters.IntegrityLog);
        if (!register.SequenceEqual(stated.Digest.Bytes))
        {
            Refuse(
                EvidenceRefusalCode.IntegrityHeadNotQuoted,
                $"The evidence states the integrity log's head {stated.Digest.Hex[..16]}; register "
                + $"{EvidenceRegisters.IntegrityLog} holds {Convert.ToHexStringLower(register)[..16]}.");
        }
    }

    private void CheckKeys(TpmClaims claims, EnrolledKey enrolled)
    {
        if (expectation.EndorsementKey != enrolled.EndorsementKey)
        {
            Refuse(
                EvidenceRefusalCode.OtherTpm,
                $"The enrolled TPM has the endorsement key {enrolled.EndorsementKey.Hex[..16]}; the operator states "
                + $"{expectation.EndorsementKey?.Hex[..16] ?? "none"} for {expectation.Host}.");
        }

        if (!claims.AttestationKey.Equals(enrolled.AttestationKey.Area))
        {
            Refuse(
                EvidenceRefusalCode.OtherAttestationKey,
                $"The evidence names the attestation key {claims.AttestationKey.Name.Hex[..20]}; enrolled is "
                + $"{enrolled.AttestationKey.Area?.Name.Hex[..20]}.");
        }
    }

    private LogsReading.Explained? Read(QuotedMoment moment)
    {
        switch (LogsReading.Judge(logs, moment, expectation.Known))
        {
            case LogsReading.Explained explained:
                return explained;
            case LogsReading.Refused refused:
                refusals.AddRange(refused.Refusals);
                return null;
            default:
                throw new UnreachableException();
        }
    }

    private void Refuse(EvidenceRefusalCode code, string sentence) => refusals.Add(new EvidenceRefusal(code, sentence));

    private static EvidenceRefusalCode Map(QuoteRefusalCode code) => code switch
    {
        QuoteRefusalCode.Malformed or QuoteRefusalCode.NotMadeByTpm or QuoteRefusalCode.SignatureMalformed
            or QuoteRefusalCode.NotAQuote => EvidenceRefusalCode.QuoteMalformed,
        QuoteRefusalCode.WeakSignatureHash or QuoteRefusalCode.OtherScheme or QuoteRefusalCode.NotSignedByKey
            or QuoteRefusalCode.OtherSigner => EvidenceRefusalCode.QuoteSignature,
        QuoteRefusalCode.NonceMismatch => EvidenceRefusalCode.QuoteReplayed,
        QuoteRefusalCode.SelectionDiffers or QuoteRefusalCode.WeakBank => EvidenceRefusalCode.QuoteSelection,
        QuoteRefusalCode.ValuesMissing or QuoteRefusalCode.ValuesNotQuoted or QuoteRefusalCode.ValuesDiffer =>
            EvidenceRefusalCode.QuoteValues,
        QuoteRefusalCode.ResetCountRolledBack or QuoteRefusalCode.RestartCountRolledBack
            or QuoteRefusalCode.ClockRolledBack => EvidenceRefusalCode.TpmRolledBack,
        _ => throw new UnreachableException(),
    };
}
