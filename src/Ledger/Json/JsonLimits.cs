namespace Bailiwick.Ledger.Json;

/// <summary>What a JSON document may cost its reader.</summary>
/// <param name="MaxDepth">Deepest nesting of arrays and objects, in levels.</param>
/// <param name="MaxBytes">Largest document, in bytes.</param>
/// <param name="MaxMembers">Most object members and array items, counted together.</param>
public sealed record JsonLimits(int MaxDepth, int MaxBytes, int MaxMembers)
{
    /// <summary>The limits of a signed document: see <see cref="LedgerLimits"/>.</summary>
    public static JsonLimits Standard { get; } =
        new(LedgerLimits.JsonDepth, LedgerLimits.JsonBytes, LedgerLimits.JsonMembers);
}
