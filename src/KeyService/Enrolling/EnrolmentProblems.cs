using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Channel.Routes;

namespace Bailiwick.KeyService.Enrolling;

/// <summary>The refusals of enrolment as hosts get them.</summary>
internal static class EnrolmentProblems
{
    public static RouteProblem NotReady { get; } = new(
        503, "not-ready", "This key service has not verified the board yet.", "Ask again in a few seconds.");

    public static RouteProblem TooManyChallenges { get; } = new(
        429, "too-many-challenges", "Too many challenges are open.", "Ask again in a minute.");

    public static RouteProblem BadClaim { get; } = new(
        400, "bad-claim", "The claim has no certificate in base64, or keys that are no TPMT_PUBLIC.",
        "Send the TPM's own structures.");

    public static RouteProblem UnknownHost { get; } = new(
        403, "unknown-host", "No accepted statement of an operator gives the caller's key for a host.",
        "The operator must publish the host first.");

    /// <summary>Every reason; the first is the problem's own code.</summary>
    public static RouteProblem Of(ImmutableArray<EnrolmentRefusal> refusals) => new(
        403, CodeOf(refusals[0].Code), string.Join(" ", refusals.Select(refusal => refusal.Sentence)),
        "Nothing was enrolled. Remove each cause, then begin anew.")
    {
        Refusals = [.. refusals.Select((refusal, i) => new RefusedItem(i, CodeOf(refusal.Code), refusal.Sentence))],
    };

    private static string CodeOf(EnrolmentRefusalCode code) =>
        JsonNamingPolicy.KebabCaseLower.ConvertName(code.ToString());
}
