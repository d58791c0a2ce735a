using System.Collections.Immutable;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Channel.Routes;
using Bailiwick.KeyService.Api;

namespace Bailiwick.KeyService.Enrolling;

/// <summary>The refusals of enrolment as hosts get them.</summary>
internal static class EnrolmentProblems
{
    public static RouteProblem TooManyChallenges { get; } = new(
        429, "too-many-challenges", "Too many challenges are open.", "Ask again in a minute.");

    public static RouteProblem BadClaim { get; } = new(
        400, "bad-claim", "The claim has no certificate in base64, or keys that are no TPMT_PUBLIC.",
        "Send the TPM's own structures.");

    public static RouteProblem UnknownHost { get; } = new(
        403, "unknown-host", "No accepted statement of an operator gives the caller's key for a host.",
        "The operator must publish the host first.");

    public static RouteProblem Changed { get; } = new(
        409, "changed", "Another TPM, or none, has the host by now.", "Look who has it, and approve that.");

    /// <summary>Every reason; the first is the problem's own code.</summary>
    public static RouteProblem Of(ImmutableArray<EnrolmentRefusal> refusals) => RefusalProblem.Of(
        refusals.Select(refusal => (refusal.Code, refusal.Sentence)),
        "Nothing was enrolled. Remove each cause, then begin anew.");
}
