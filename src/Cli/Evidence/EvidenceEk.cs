using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Bailiwick.Attestation.Endorsement;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Cli.Output;
using Bailiwick.Cli.Verbs;
using Bailiwick.Custody;

namespace Bailiwick.Cli.Evidence;

/// <summary>
/// <c>bailiwick evidence ek</c>: judges the certificate of a TPM's endorsement key by vendors' roots. Nothing is
/// fetched.
/// </summary>
internal static class EvidenceEk
{
    private const int MaxCertificateBytes = 64 * 1024;
    private const int MaxPoolBytes = 64 * 1024 * 1024;
    private const int OpenedKeys = 32;

    internal static Command Create(Terminal terminal)
    {
        var file = new Argument<string>("FILE") { Description = "the certificate, in DER or PEM" };
        var roots = new Option<string>("--roots") { Description = "PEM file of believed roots", Required = true };
        var intermediates = new Option<string?>("--intermediates") { Description = "PEM file of known intermediates" };
        var at = new Option<string?>("--at") { Description = "judge at this time (2026-01-31T12:00:00Z), not now" };
        var refuse = new Option<bool>("--refuse-expired") { Description = "refuse what has expired" };
        var command = new Command("ek",
            "Judge a TPM's endorsement certificate: exit 0 if a believed vendor made the TPM, else 1 and all reasons.\n"
            + "Example: bailiwick evidence ek ek.der --roots roots.pem --intermediates intermediates.pem --json")
        {
            file, roots, intermediates, at, refuse,
        };
        command.SetAction(parsed =>
        {
            var trust = EkTrust.FromPem(
                Text(parsed.GetRequiredValue(roots)),
                parsed.GetValue(intermediates) is { } path ? Text(path) : "");
            if (trust.Unreadable > 0)
            {
                terminal.Complain($"{Terminal.Count(trust.Unreadable, "certificate")} of the pool cannot be read and "
                    + "count for nothing.");
            }

            using var keys = new VerifierKeyCache(OpenedKeys);
            var expectation = new EkExpectation(trust, Time(parsed.GetValue(at)),
                parsed.GetValue(refuse) ? EkExpiry.Refuse : EkExpiry.Report, Shown: null);
            var verdict = EkVerifier.Verify(Certificate(parsed.GetRequiredValue(file)), expectation, keys);
            return (int)Report(terminal, verdict, parsed.GetValue(GlobalOptions.Json));
        });
        return command;
    }

    private static ExitCode Report(Terminal terminal, EkVerdict verdict, bool json)
    {
        var (identity, key, remarks) = verdict switch
        {
            EkVerdict.Genuine genuine => (genuine.Key.Identity, genuine.Key.Key, genuine.Key.Remarks),
            EkVerdict.Refused refused => (refused.Claimed, refused.Key, []),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        var refusals = verdict is EkVerdict.Refused { Refusals: var all } ? all : [];
        if (json)
        {
            terminal.Json(new JsonObject
            {
                ["verdict"] = refusals.IsEmpty ? "ok" : "reject",
                ["reasons"] = EvidenceFile.Codes(refusals.Select(refusal => refusal.Code)),
                ["sentences"] = EvidenceFile.Texts(refusals.Select(refusal => refusal.Sentence)),
                ["remarks"] = EvidenceFile.Codes(remarks),
                ["manufacturer"] = identity?.Manufacturer, ["model"] = identity?.Model,
                ["version"] = identity?.Version, ["key"] = key?.ToString(), ["keyId"] = key?.Id.Hex,
            });
            return refusals.IsEmpty ? ExitCode.Done : ExitCode.No;
        }

        foreach (var refusal in refusals)
        {
            terminal.Complain(refusal.Sentence);
        }

        string what = identity is null ? "The certificate names no TPM"
            : $"{identity.Manufacturer} {identity.Model}, version {identity.Version}";
        string notes = remarks.IsEmpty ? "" : $" Remarks: {string.Join(", ", remarks.Select(EvidenceFile.Code))}.";
        terminal.Say(refusals.IsEmpty
            ? $"{what}: a believed vendor certifies its {key} endorsement key.{notes}"
            : $"{what}: refused, {Terminal.Count(refusals.Length, "reason")}.");
        return refusals.IsEmpty ? ExitCode.Done : ExitCode.No;
    }

    private static byte[] Certificate(string path)
    {
        byte[] bytes = EvidenceFile.Read(path, MaxCertificateBytes);
        return EvidenceFile.FromPem(bytes, "CERTIFICATE") ?? EkVerifier.WithoutPadding(bytes).ToArray();
    }

    private static string Text(string path) => Encoding.ASCII.GetString(EvidenceFile.Read(path, MaxPoolBytes));

    private static DateTimeOffset Time(string? text) =>
        text is null ? DateTimeOffset.UtcNow
        : DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time
        : throw new CustodyException($"'{text}' is no time; write it as 2026-01-31T12:00:00Z.");
}
