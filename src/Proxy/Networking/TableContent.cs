using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// What the kernel holds of one nftables table, reduced to what filters: without handles and counters. Two contents
/// with the same <see cref="Digest"/> filter the same.
/// </summary>
/// <param name="Digest">SHA-256 over the reduced listing, lower hex.</param>
/// <param name="Rules">How many rules there are.</param>
public sealed record TableContent(string Digest, int Rules)
{
    private static readonly string[] Passing = ["handle", "packets", "bytes", "used"];

    /// <summary>Reads what <c>nft -j list table</c> printed (libnftables-json(5)).</summary>
    /// <param name="json">The listing.</param>
    /// <exception cref="JsonException">Not the listing it should be.</exception>
    public static TableContent Read(string json)
    {
        JsonArray rows = JsonNode.Parse(json)?["nftables"] as JsonArray
            ?? throw new JsonException("nft printed a listing without \"nftables\".");
        int rules = 0;
        List<string> kept = [];
        foreach (JsonNode? row in rows)
        {
            if (row is not JsonObject item || item.ContainsKey("metainfo"))
            {
                continue;
            }

            rules += item.ContainsKey("rule") ? 1 : 0;
            Reduce(item);
            kept.Add(item.ToJsonString());
        }

        // The order of rules within a chain is kept by the listing; that of sets and chains carries no meaning to us
        // but is the same for the same table.
        byte[] text = System.Text.Encoding.UTF8.GetBytes(string.Join('\n', kept));
        return new TableContent(Convert.ToHexStringLower(SHA256.HashData(text)), rules);
    }

    private static void Reduce(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject item:
                foreach (string name in Passing)
                {
                    item.Remove(name);
                }

                foreach (JsonNode? member in item.Select(m => m.Value).ToList())
                {
                    Reduce(member);
                }

                if (item["elem"] is JsonArray elements)
                {
                    // A hash set lists its elements in the order of its buckets.
                    List<JsonNode?> sorted =
                        [.. elements.OrderBy(e => e?.ToJsonString() ?? "", StringComparer.Ordinal)];
                    elements.Clear();
                    sorted.ForEach(elements.Add);
                }

                break;
            case JsonArray list:
                foreach (JsonNode? element in list)
                {
                    Reduce(element);
                }

                break;
            default:
                break;
        }
    }
}
