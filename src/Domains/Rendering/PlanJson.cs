using System.Text.Json;
using System.Text.Json.Serialization;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Rendering;

/// <summary>A plan as canonical JSON (RFC 8785), with all its reasons; equal plans give equal bytes.</summary>
public static class PlanJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters =
        {
            new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false),
            new TextConverter<DomainRef>(), new TextConverter<CompartmentRef>(), new TextConverter<VolumeRef>(),
            new TextConverter<HostRef>(), new TextConverter<PartyId>(), new TextConverter<StatementName>(),
            new OriginConverter(),
        },
    };

    /// <summary>The canonical bytes.</summary>
    public static byte[] Write(HostPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return CanonicalJson.Write(JsonSerializer.SerializeToElement(plan, Options));
    }

    /// <summary>The canonical bytes of one domain's part.</summary>
    public static byte[] Write(DomainPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return CanonicalJson.Write(JsonSerializer.SerializeToElement(plan, Options));
    }

    /// <summary>SHA-256 of <see cref="Write(HostPlan)"/>: what a host records before a plan takes effect.</summary>
    public static Digest32 Digest(HostPlan plan) => Digest32.Of(Write(plan));

    /// <summary>Plans are written and never read back.</summary>
    private sealed class TextConverter<T> : JsonConverter<T>
        where T : notnull
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("A plan is computed, not read.");

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }

    /// <summary>A statement by its digest; the place of an unsigned document on someone's disk is left out.</summary>
    private sealed class OriginConverter : JsonConverter<StatementOrigin>
    {
        public override StatementOrigin Read(
            ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("A plan is computed, not read.");

        public override void Write(Utf8JsonWriter writer, StatementOrigin value, JsonSerializerOptions options)
        {
            writer.WriteStartObject();
            writer.WriteString("statement", value.ToString());
            writer.WriteString("owner", value.Owner.ToString());
            writer.WriteString("digest", value.Digest);
            writer.WriteEndObject();
        }
    }
}
