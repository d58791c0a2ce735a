using System.Collections.Immutable;
using Bailiwick.Attestation.Endorsement;
using Bailiwick.Attestation.PublicKeys;

namespace Bailiwick.Attestation.MachineTpms;

/// <summary>What a verifier demands of a machine's TPM.</summary>
/// <param name="Host">The verified evidence of the host that the machine runs on.</param>
/// <param name="Machine">The machine, `tenant id/name`.</param>
/// <param name="Shown">The endorsement key that the machine's TPM shows.</param>
/// <param name="At">The time that validity is judged at.</param>
public sealed record MachineTpmExpectation(
    VerifiedEvidence Host, string Machine, SubjectKey Shown, DateTimeOffset At);

/// <summary>
/// Checks the certificate of a machine's TPM. It is an endorsement certificate like any other (TCG EK Credential
/// Profile 2.5); its maker is the host, whose identity key signs it, the same key that signs the host's evidence. Where
/// a chip's vendor names a model, it names the machine besides (attribute userId of RFC 4519, section 2.39).
/// </summary>
public static class MachineTpmVerifier
{
    /// <summary>The attribute of the alternative name that holds the machine's reference.</summary>
    public const string MachineOid = "0.9.2342.19200300.100.1.1";

    /// <summary>Judges a machine's TPM; never throws for what the bytes contain.</summary>
    /// <param name="certificate">The endorsement certificate, DER.</param>
    /// <param name="issuer">The certificate of its maker, DER.</param>
    /// <param name="expectation">What this verifier demands.</param>
    /// <param name="keys">The verifier's opened keys.</param>
    public static MachineTpmVerdict Verify(
        ReadOnlyMemory<byte> certificate, ReadOnlyMemory<byte> issuer, MachineTpmExpectation expectation,
        VerifierKeyCache keys)
    {
        ArgumentNullException.ThrowIfNull(expectation);
        ArgumentNullException.ThrowIfNull(keys);
        var refusals = ImmutableArray.CreateBuilder<MachineTpmRefusal>();
        var host = expectation.Host;
        if (TpmCertificate.Parse(issuer.Span)?.Key is not { } maker
            || !maker.SubjectPublicKeyInfo.SequenceEqual(host.IdentityKey.SubjectPublicKeyInfo))
        {
            refusals.Add(new MachineTpmRefusal(
                MachineTpmRefusalCode.OtherHost,
                $"It is not certified by the identity key {host.IdentityKey.Id.Short} of {host.Host}."));
        }

        var demand = new EkExpectation(
            EkTrust.Of([issuer], []), expectation.At, EkExpiry.Refuse, expectation.Shown);
        var verdict = EkVerifier.Verify(certificate.Span, demand, keys);
        if (verdict is EkVerdict.Refused refused)
        {
            refusals.AddRange(refused.Refusals.Select(one =>
                new MachineTpmRefusal(MachineTpmRefusalCode.CertificateRefused, one.Sentence)));
        }

        if (NamedIn(certificate) is var named && named != expectation.Machine)
        {
            refusals.Add(new MachineTpmRefusal(
                MachineTpmRefusalCode.OtherMachine,
                $"Its certificate is for {named ?? "no machine"}, not for {expectation.Machine}."));
        }

        return refusals.Count == 0 && verdict is EkVerdict.Genuine genuine
            ? new MachineTpmVerdict.Genuine(VerifiedMachineTpm.After(expectation.Machine, host, genuine.Key))
            : new MachineTpmVerdict.Refused(refusals.ToImmutable());
    }

    /// <summary>The machine that a certificate names, once; null for none or several.</summary>
    private static string? NamedIn(ReadOnlyMemory<byte> certificate)
    {
        if (TpmCertificate.Parse(certificate.Span) is not { } parsed)
        {
            return null;
        }

        string[] found =
        [
            .. parsed.Fields.AlternativeNames.SelectMany(name => CertificateFields.ReadName(name))
                .SelectMany(relative => relative).Where(one => one.Type == MachineOid).Select(one => one.Text),
        ];
        return found is [var only] ? only : null;
    }
}
