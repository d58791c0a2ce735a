using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bailiwick.Channel.Secrets;

/// <summary>A secret in something that is written as JSON is a mistake in the program: it throws.</summary>
public sealed class SecretJsonRefusal : JsonConverter<SecretBytes>
{
    /// <inheritdoc/>
    public override SecretBytes Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        throw new NotSupportedException("A secret is never read from JSON.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, SecretBytes value, JsonSerializerOptions options) =>
        throw new NotSupportedException("A secret is never written as JSON.");
}
