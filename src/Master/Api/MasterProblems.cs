using System.Collections.Immutable;
using Bailiwick.Channel.Routes;

namespace Bailiwick.Master.Api;

/// <summary>The refusals of the board's own handlers.</summary>
internal static class MasterProblems
{
    public static RouteProblem NotFound { get; } = new(
        404, "not-found", "There is nothing here for you.", "Check the path and whose key you use.");

    public static RouteProblem Busy { get; } = new(
        503, "busy", "Too many calls wait for the store; nothing was done.", "Ask again in a second.");

    public static RouteProblem TooManyKeyChanges { get; } = new(
        429, "too-many-key-changes",
        $"A key service publishes at most {MasterLimits.KeyChangesAtOnce} statements at once, and one in "
        + $"{MasterLimits.KeyChangeSeconds} s after that; nothing was published.", "Ask again later.");

    public static RouteProblem StoreFailed { get; } = new(
        500, "store-failed", "The store failed; whether this took effect will be known after a restart.",
        "Ask again later: publishing the same statements twice does no harm.");

    public static RouteProblem BeyondEnd { get; } = new(
        416, "beyond-end", "The log is shorter than that.",
        "Compare the checkpoint with your own: a log never shrinks.");

    public static RouteProblem BadSizes { get; } = new(
        416, "bad-sizes", "The log never had such a size, or the numbers are in the wrong order.",
        "Ask for the index below the size, and the smaller size first.");

    public static RouteProblem OnlyStop { get; } = new(
        403, "operator-may-only-stop", "Only the machine's owner can order it to run.",
        "Ask the tenant's administrator.");

    public static RouteProblem BadBatch { get; } = new(
        400, "bad-batch", $"A batch has from 1 to {MasterLimits.BatchStatements} statements.", "Send fewer at once.");

    public static RouteProblem RefusedBatch(ImmutableArray<RefusedItem> refusals) => new(
        422, "refused", "Nothing was published: the items in refusals were found wrong.",
        "Correct those items and publish the batch again.")
    { Refusals = refusals };
}
