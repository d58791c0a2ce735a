using System.Globalization;
using System.Text.Json;

namespace Bailiwick.Proxy.Seeing;

/// <summary>One element of a set of counters.</summary>
/// <param name="Client">Who opened it, as far as that can be told.</param>
/// <param name="Server">Whom it was opened to.</param>
/// <param name="Protocol">tcp, udp, icmp, or the number of another.</param>
/// <param name="Port">The server's port; 0 where there is none.</param>
/// <param name="Packets">How many.</param>
/// <param name="Bytes">Their length at the network layer, or above it as the kernel counts it there.</param>
public sealed record FlowCount(string Client, string Server, string Protocol, int Port, long Packets, long Bytes);

/// <summary>Reads what <c>nft -j list set</c> prints of a set of counters (libnftables-json(5)).</summary>
public static class FlowListing
{
    /// <summary>The elements.</summary>
    /// <exception cref="JsonException">Not the listing it should be.</exception>
    public static IReadOnlyList<FlowCount> Read(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        List<FlowCount> counts = [];
        foreach (JsonElement row in document.RootElement.GetProperty("nftables").EnumerateArray())
        {
            if (row.TryGetProperty("set", out JsonElement set) && set.TryGetProperty("elem", out JsonElement elements))
            {
                counts.AddRange(elements.EnumerateArray().Select(Count));
            }
        }

        return counts;
    }

    private static FlowCount Count(JsonElement row)
    {
        JsonElement element = row.GetProperty("elem");
        JsonElement[] parts = [.. element.GetProperty("val").GetProperty("concat").EnumerateArray()];
        JsonElement counter = element.GetProperty("counter");
        return parts is [var client, var server, var protocol, var port]
            ? new FlowCount(
                Text(client), Text(server), Text(protocol) is "ipv6-icmp" ? "icmp" : Text(protocol), Number(port),
                counter.GetProperty("packets").GetInt64(), counter.GetProperty("bytes").GetInt64())
            : throw new JsonException("nft printed an element of another shape.");
    }

    private static string Text(JsonElement part) => part.ValueKind switch
    {
        JsonValueKind.String => part.GetString() ?? "",
        JsonValueKind.Number => part.GetInt32().ToString(CultureInfo.InvariantCulture),
        _ => throw new JsonException("nft printed a part of an element that is neither text nor number."),
    };

    private static int Number(JsonElement part) => part.ValueKind == JsonValueKind.Number
        ? part.GetInt32()
        : throw new JsonException("nft printed a port that is no number.");
}
