using System.Collections.Immutable;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.KeyService.Api;
using Bailiwick.KeyService.Hierarchy;

namespace Bailiwick.KeyService.Releasing;

/// <summary>The refusals of a key service as callers get them.</summary>
internal static class KeyProblems
{
    public static RouteProblem NotFollowed { get; } = new(
        404, "not-followed", "This key service has followed no integrity log of such a host.",
        "It follows a host's log from the host's first request on.");

    public static RouteProblem TooManyNonces { get; } = new(
        429, "too-many-nonces", "Too many nonces are in circulation.", "Use those you have, or ask again in a minute.");

    public static RouteProblem BadNonce { get; } = new(
        403, "bad-nonce", "The nonce is none that this key service gave to the caller a moment ago, or it was used.",
        "Ask for a new nonce; nothing was judged, and leases run on.");

    public static RouteProblem NotJudged { get; } = new(
        503, "not-judged", "The board does not show this key service what it showed the host; nothing was judged.",
        "Ask again with a new nonce.");

    public static RouteProblem LogsNotHeld { get; } = new(
        409, "logs-not-held", "The logs go on from what this key service does not hold, or not under the demands of "
        + "now; nothing was judged.", "Ask for a new nonce, and show the logs whole where none is said to be held.");

    public static RouteProblem BadLogs { get; } = BadDocument("A log is not base64, or goes on from no position.");

    public static RouteProblem NoSuchDomainKey { get; } = new(
        404, "no-such-key", "There is no key of such a domain: a domain's is made with the first key under it.",
        "`bailiwick key list` shows what there is.");

    public static RouteProblem NoSuchOrder { get; } = new(
        409, "no-such-order", "This key service gave no such order to the calling host.",
        "Ask for the orders that there are.");

    public static RouteProblem TooManyChanges { get; } = new(
        503, "too-many-changes", "Too many changes of keys wait for the board; nothing was changed.",
        "Bring the board back first.");

    /// <summary>The ledger and the store do not agree.</summary>
    public static RouteProblem Of(ChangesDoubt doubt) => doubt.IsRolledBack
        ? new(409, "store-rolled-back", doubt.Sentence, "Nothing is released until the newest store is back.")
        : new(503, "changes-not-shown", doubt.Sentence, "Ask again when the board is back.");

    public static RouteProblem NoSuchKey { get; } = new(
        404, "no-such-key", "There is no such key: one is made with its first release.",
        "`bailiwick key list` shows what there is.");

    public static RouteProblem NoSuchVolume { get; } = new(
        404, "no-such-volume", "No accepted statement of the tenant describes such a volume.",
        "`bailiwick get Volume` shows what there is.");

    public static RouteProblem BadDocument(string sentence) => new(
        400, "bad-document", sentence, "Send the document as its format says, in canonical JSON.");

    /// <summary>Every reason; the first is the problem's own code.</summary>
    public static RouteProblem Of(ImmutableArray<KeyRefusal> refusals) => RefusalProblem.Of(
        refusals.Select(refusal => (refusal.Code, refusal.Sentence)),
        "Nothing was released or changed. Remove each cause, then ask again with a new nonce.");
}
