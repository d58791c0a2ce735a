using System.Text.Json;
using System.Text.Json.Serialization;
using Bailiwick.Ledger.Json;

namespace Bailiwick.Channel.Wire;

/// <summary>
/// The JSON of every body on the channel: members exactly as declared, none twice, none unknown, none missing, enums by
/// their names, bounded in size, depth and members before anything is made of it.
/// </summary>
public static class StrictJson
{
    /// <summary>The options by which bodies are read and written.</summary>
    public static JsonSerializerOptions Options { get; } = MakeOptions();

    /// <summary>Reads one body.</summary>
    /// <param name="utf8">The whole body.</param>
    /// <param name="maxBytes">Its limit, in bytes.</param>
    /// <exception cref="StrictJsonException">It is not JSON, breaks a limit, or is not of this shape.</exception>
    public static T Read<T>(ReadOnlySpan<byte> utf8, int maxBytes = LedgerJsonBytes)
    {
        var limits = new JsonLimits(ChannelLimits.JsonDepth, maxBytes, ChannelLimits.JsonMembers);
        if (CanonicalJson.Parse(utf8, limits) is JsonReading.Rejected rejected)
        {
            throw new StrictJsonException($"The JSON is refused: {rejected.Fault.Clause}.");
        }

        try
        {
            return JsonSerializer.Deserialize<T>(utf8, Options)
                ?? throw new StrictJsonException("The JSON is null where an object is needed.");
        }
        catch (JsonException error)
        {
            throw new StrictJsonException($"The JSON has another shape than is asked: {error.Message}", error);
        }
    }

    /// <summary>Writes one body.</summary>
    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Options);

    private const int LedgerJsonBytes = 1024 * 1024;

    private static JsonSerializerOptions MakeOptions()
    {
        var options = new JsonSerializerOptions(JsonSerializerOptions.Strict)
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            MaxDepth = ChannelLimits.JsonDepth + 1,
            NumberHandling = JsonNumberHandling.Strict,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
        };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}

/// <summary>A body was refused; the message says why.</summary>
public sealed class StrictJsonException : Exception
{
    /// <summary>A body that was refused.</summary>
    public StrictJsonException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
