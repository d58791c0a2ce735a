using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Channel.Routes;

namespace Bailiwick.KeyService.Api;

/// <summary>What all desks of a key service answer alike.</summary>
internal static class RefusalProblem
{
    public static RouteProblem NotReady { get; } = new(
        503, "not-ready", "This key service has not verified the board yet.", "Ask again in a few seconds.");

    /// <summary>A refusal with every reason; the first is the problem's own code.</summary>
    public static RouteProblem Of<T>(IEnumerable<(T Code, string Sentence)> reasons, string next)
        where T : struct, Enum
    {
        ImmutableArray<RefusedItem> items =
        [
            .. reasons.Select((reason, i) => new RefusedItem(
                i, JsonNamingPolicy.KebabCaseLower.ConvertName(reason.Code.ToString()), reason.Sentence)),
        ];
        return new RouteProblem(403, items[0].Code, string.Join(" ", items.Select(item => item.Sentence)), next)
        {
            Refusals = items,
        };
    }
}
