using System.Collections.Immutable;

namespace Bailiwick.Channel.Board;

/// <summary>The Master's suggestion for one machine.</summary>
/// <param name="Compartment">`tenant id/name`.</param>
/// <param name="Host">`operator id/name`, or null: nowhere, because of the reason.</param>
/// <param name="Running">Whether the machine should run.</param>
/// <param name="Reason">Why there, or why nowhere, in a sentence.</param>
public sealed record PlacementRow(string Compartment, string? Host, bool Running, string Reason);

/// <summary>All suggestions that the caller may see.</summary>
public sealed record PlacementList(ImmutableArray<PlacementRow> Placements);

/// <summary>The power that a machine should have.</summary>
public sealed record PowerOrder(bool Running);

/// <summary>Whether a host should be emptied of machines.</summary>
public sealed record DrainOrder(bool Draining);
