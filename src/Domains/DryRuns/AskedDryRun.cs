using System.Collections.Immutable;
using System.Text.Json;

namespace Bailiwick.Domains.DryRuns;

/// <summary>What is asked of a host: what publishing these would do.</summary>
/// <param name="Envelopes">Signed statements that the board does not have, in the order in which they were signed.
/// </param>
public sealed record AskedDryRun(ImmutableArray<JsonElement> Envelopes)
{
    /// <summary>Most bytes of one question.</summary>
    public const int MaxBytes = 1 << 20;
}
