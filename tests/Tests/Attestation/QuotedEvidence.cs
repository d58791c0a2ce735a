using Bailiwick.Attestation;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Tests.Attestation.BootLog;
using Bailiwick.Tests.Attestation.Enrolment;
using Bailiwick.Tests.Attestation.IntegrityLog;
using Bailiwick.Tests.Attestation.RuntimeLog;

namespace Bailiwick.Tests.Attestation;

/// <summary>Evidence with a quote, as a host with a TPM makes it: a good boot, three programs, two entries.</summary>
internal static class QuotedEvidence
{
    /// <summary>The host's integrity log, whose head is in the register.</summary>
    internal static IntegrityScene Log { get; } = IntegrityScene.Good(first: 1);

    internal static EvidenceLogs Logs { get; } = new(new BootScene().Write(), RuntimeScene.Good().Bytes);

    internal static PcrValues Registers { get; } = RegistersOf(Logs);

    /// <summary>What the TPM's registers hold after the logs.</summary>
    internal static PcrValues RegistersOf(EvidenceLogs logs)
    {
        var boot = BootLogWriter.Quote(logs.BootLog.ToArray());
        var runtime = RuntimeScene.Quote(logs.RuntimeLog.ToArray());
        return Of(Enumerable.Range(0, 16).Select(register => new PcrValue(
            TpmHash.Sha256, register,
            register switch
            {
                EvidenceRegisters.RuntimeLog => runtime.Value(register).ToArray(),
                EvidenceRegisters.IntegrityLog => Log.Head.Digest.Bytes.ToArray(),
                _ => boot.Value(register).ToArray(),
            })));
    }

    internal static PcrValues Of(IEnumerable<PcrValue> values) =>
        PcrValues.Of(values) ?? throw new InvalidOperationException();

    /// <summary>The claims with a quote over them by a TPM.</summary>
    internal static EvidenceClaims With(this EvidenceClaims claims, SoftwareTpm tpm) =>
        claims.With(tpm, tpm.Quoting.Attest(
            EvidenceDocument.Binding(claims).Bytes.ToArray(), EvidenceRegisters.Selection, Registers), Registers);

    /// <summary>The claims with what a TPM signed, whatever it is.</summary>
    internal static EvidenceClaims With(
        this EvidenceClaims claims, SoftwareTpm tpm, TpmAttest attest, PcrValues values)
    {
        var quote = tpm.Quoting.Sign(attest, values);
        return claims with { Tpm = new TpmClaims(tpm.Quoting.Area, quote.Message, quote.Signature, values) };
    }
}
