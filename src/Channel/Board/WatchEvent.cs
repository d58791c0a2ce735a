using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bailiwick.Channel.Board;

/// <summary>One line of the watch stream. Nothing of it is verified; the follower does that.</summary>
[JsonPolymorphic(
    TypeDiscriminatorPropertyName = "type",
    UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization)]
[JsonDerivedType(typeof(Entry), "entry")]
[JsonDerivedType(typeof(Checkpoint), "checkpoint")]
[JsonDerivedType(typeof(Placements), "placements")]
[JsonDerivedType(typeof(Heartbeat), "heartbeat")]
[JsonDerivedType(typeof(Reread), "reread")]
public abstract record WatchEvent
{
    private WatchEvent()
    {
    }

    /// <summary>The next leaf; see <see cref="BoardEntry"/> for its members.</summary>
    public sealed record Entry(
        long Index,
        string Commitment,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Salt = null,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Envelope = null)
        : WatchEvent;

    /// <summary>A checkpoint that covers exactly the leaves sent so far.</summary>
    public sealed record Checkpoint(string Note) : WatchEvent;

    /// <summary>All present suggestions, whole.</summary>
    public sealed record Placements([property: JsonPropertyName("placements")] ImmutableArray<PlacementRow> Rows)
        : WatchEvent;

    /// <summary>The board is there and has nothing new; each five seconds.</summary>
    public sealed record Heartbeat : WatchEvent;

    /// <summary>
    /// The next leaf is the first again: what was not open to the reader then is open now, because another tenant's
    /// machine names a volume of the reader's.
    /// </summary>
    public sealed record Reread : WatchEvent;
}
