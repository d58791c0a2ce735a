using System.Text.Json;

namespace Bailiwick.Ledger.Json;

/// <summary>The outcome of reading a JSON document: <see cref="Understood"/> or <see cref="Rejected"/>.</summary>
public abstract record JsonReading
{
    private JsonReading()
    {
    }

    /// <summary>The document was read.</summary>
    /// <param name="Root">The value; it owns its memory and needs no disposal.</param>
    public sealed record Understood(JsonElement Root) : JsonReading;

    /// <summary>The document was refused.</summary>
    /// <param name="Fault">Why and where.</param>
    public sealed record Rejected(JsonFault Fault) : JsonReading;
}
