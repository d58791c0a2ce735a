using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Cli.Output;
using Bailiwick.Cli.Verbs;
using Bailiwick.Domains.Bundles;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Cli.Evidence;

/// <summary>
/// <c>bailiwick evidence verify</c>: judges a bundle offline, as the tenant's key service would judge the same host.
/// </summary>
internal static class EvidenceVerify
{
    internal static Command Create(Terminal terminal)
    {
        var bundle = new Argument<string>("BUNDLE") { Description = "as `bailiwick evidence fetch` writes it" };
        var pins = new BundleOptions();
        var command = new Command("verify",
            "Judge a bundle of evidence without asking anybody: exit 0 if the domain accepts the host, else 1.\n"
            + "Example: bailiwick evidence verify host-1.bundle --tenant ID --domain web --host OPERATOR-ID/host-1 "
            + "--nonce 00112233 --json") { bundle };
        pins.AddTo(command);
        command.SetAction(parsed =>
        {
            BundlePins known = pins.Pins(parsed);
            byte[] bytes = EvidenceFile.Read(parsed.GetRequiredValue(bundle), BundleLimits.Bytes);
            using var keys = new VerifierKeyCache(16);
            return (int)Report(
                terminal, BundleJudge.Judge(bytes, known, keys), parsed.GetValue(GlobalOptions.Json));
        });
        return command;
    }

    /// <summary>Says how a bundle was judged.</summary>
    internal static ExitCode Report(Terminal terminal, BundleVerdict verdict, bool json)
    {
        if (json)
        {
            terminal.Json(Json(verdict));
        }
        else
        {
            Print(terminal, verdict);
        }

        return verdict is BundleVerdict.Accepted ? ExitCode.Done : ExitCode.No;
    }

    internal static JsonObject Json(BundleVerdict verdict)
    {
        BundleReason[] reasons = verdict is BundleVerdict.Refused refused ? [.. refused.Reasons] : [];
        var document = new JsonObject
        {
            ["verdict"] = verdict is BundleVerdict.Accepted ? "ok" : "reject",
            ["reasons"] = EvidenceFile.Texts(reasons.Select(reason => reason.Code)),
            ["sentences"] = EvidenceFile.Texts(reasons.Select(reason => reason.Sentence)),
            ["unverified"] = EvidenceFile.Texts(verdict.Unverified),
        };
        if (verdict is BundleVerdict.Accepted accepted)
        {
            document["assurance"] = WireText.Of(accepted.Level);
            document["policy"] = accepted.Domain.Origin.ToString();
            document["checkpoint"] = accepted.Evidence.Checkpoint.Size;
            document["digest"] = accepted.Evidence.Digest.Hex;
            document["integrityLog"] = accepted.Evidence.Followed is { } followed
                ? new JsonObject
                {
                    ["entries"] = followed.Position.Head.Entries - followed.From,
                    ["opened"] = followed.Openings.Length,
                }
                : null;
        }

        return document;
    }

    private static void Print(Terminal terminal, BundleVerdict verdict)
    {
        switch (verdict)
        {
            case BundleVerdict.Accepted accepted:
                terminal.Say($"Accepted: {accepted.Evidence.Host} gives {WireText.Of(accepted.Level)}, and all that "
                    + $"{accepted.Domain.Origin} demands holds (checkpoint {accepted.Evidence.Checkpoint.Size}).");
                if (accepted.Evidence.Followed is { } followed)
                {
                    long entries = followed.Position.Head.Entries - followed.From;
                    terminal.Say($"Its integrity log was followed over {entries} entries to the quoted register; "
                        + $"{followed.Openings.Length} of them are open to the tenant: `bailiwick evidence show`.");
                }

                break;
            case BundleVerdict.Refused refused:
                foreach (BundleReason reason in refused.Reasons)
                {
                    terminal.Complain($"{reason.Code}: {reason.Sentence}");
                }

                terminal.Say($"Refused: {Terminal.Count(refused.Reasons.Length, "reason")}.");
                break;
            default:
                throw new UnreachableException();
        }

        foreach (string sentence in verdict.Unverified)
        {
            terminal.Say($"Not verified: {sentence}");
        }
    }
}
