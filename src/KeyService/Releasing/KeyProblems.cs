using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;

namespace Bailiwick.KeyService.Releasing;

/// <summary>The refusals of a key service as callers get them.</summary>
internal static class KeyProblems
{
    public static RouteProblem NotReady { get; } = new(
        503, "not-ready", "This key service has not verified the board yet.", "Ask again in a few seconds.");

    public static RouteProblem TooManyNonces { get; } = new(
        429, "too-many-nonces", "Too many nonces are in circulation.", "Use those you have, or ask again in a minute.");

    public static RouteProblem BadDocument(string sentence) => new(
        400, "bad-document", sentence, "Send the document as its format says, in canonical JSON.");

    /// <summary>Every reason; the first is the problem's own code.</summary>
    public static RouteProblem Of(ImmutableArray<KeyRefusal> refusals) => new(
        403, CodeOf(refusals[0].Code), string.Join(" ", refusals.Select(refusal => refusal.Sentence)),
        "Nothing was released or changed. Remove each cause, then ask again with a new nonce.")
    {
        Refusals = [.. refusals.Select((refusal, i) => new RefusedItem(i, CodeOf(refusal.Code), refusal.Sentence))],
    };

    public static string CodeOf(KeyRefusalCode code) => JsonNamingPolicy.KebabCaseLower.ConvertName(code.ToString());
}
