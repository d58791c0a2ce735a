using System.Buffers;
using System.Buffers.Text;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;

namespace Bailiwick.Attestation.IntegrityLog;

/// <summary>
/// A part of a host's integrity log as it is shown to one verifier beside evidence: the commitments of all entries, and
/// openings of those that concern it. As read, it is in form and nothing in it is verified:
/// <see cref="IntegrityReading"/> does that.
/// </summary>
/// <param name="After">Where it goes on from; null when it begins with the boot.</param>
/// <param name="Commitments">32 bytes for each entry, in order, up to the head of the evidence.</param>
/// <param name="Openings">What the verifier may read of them, by number.</param>
public sealed record IntegrityTail(
    IntegrityPosition? After, ReadOnlyMemory<byte> Commitments, ImmutableArray<IntegrityOpening> Openings)
{
    /// <summary>The most entries in one tail.</summary>
    public const int MostEntries = 256 * 1024;

    /// <summary>The most openings in one tail: the newest.</summary>
    public const int MostOpenings = 1024;

    /// <summary>The longest document, in bytes.</summary>
    public const int MostBytes = 15 * 1024 * 1024;

    private const string Version = "integrity-tail/v1";
    private const int MostMembers = MostOpenings * (16 + IntegrityReaders.MostParties);
    private static readonly JsonLimits Limits = new(8, MostBytes, MostMembers);

    /// <summary>How many entries it has.</summary>
    public int Count => Commitments.Length / Digest32.Length;

    /// <summary>The commitment at a place, from 0.</summary>
    public Digest32 Commitment(int place) =>
        Digest32.FromBytes(Commitments.Span.Slice(place * Digest32.Length, Digest32.Length));

    /// <summary>Its canonical JSON.</summary>
    public byte[] Write() => CanonicalJson.Write(JsonSerializer.SerializeToElement(new JsonObject
    {
        ["after"] = After?.ToJson(),
        ["bailiwick"] = Version,
        ["commitments"] = Convert.ToBase64String(Commitments.Span),
        ["openings"] = new JsonArray([.. Openings.Select(opening => (JsonNode)opening.ToJson())]),
    }));

    /// <summary>Reads canonical JSON; null with one sentence for anything that has not the strict form.</summary>
    public static IntegrityTail? Read(ReadOnlySpan<byte> canonical, out string fault)
    {
        switch (CanonicalJson.ParseCanonical(canonical, Limits))
        {
            case JsonReading.Rejected rejected:
                fault = $"The integrity log is refused: {rejected.Fault.Clause}.";
                return null;
            case JsonReading.Understood { Root: var root }:
                fault = "A member of the integrity log has not the form it must have.";
                return Of(root);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static IntegrityTail? Of(JsonElement root)
    {
        if (DocumentObject.Of(root) is not { } value
            || !value.HasExactly("after", "bailiwick", "commitments", "openings")
            || value.Text("bailiwick") != Version
            || ReadCommitments(root.GetProperty("commitments")) is not { } commitments
            || ReadOpenings(root.GetProperty("openings")) is not { } openings)
        {
            return null;
        }

        JsonElement after = root.GetProperty("after");
        return after.ValueKind == JsonValueKind.Null
            ? new IntegrityTail(null, commitments, openings)
            : IntegrityPosition.Read(after) is { } position
                ? new IntegrityTail(position, commitments, openings)
                : null;
    }

    /// <summary>From the bytes, and held against their one base64: no text of many megabytes is made.</summary>
    private static byte[]? ReadCommitments(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out byte[]? bytes)
        && bytes.Length % Digest32.Length == 0 && bytes.Length <= MostEntries * Digest32.Length
        && EncodedIs(value, bytes)
            ? bytes
            : null;

    private static bool EncodedIs(JsonElement value, ReadOnlySpan<byte> bytes)
    {
        byte[] text = new byte[Base64.GetMaxEncodedToUtf8Length(bytes.Length)];
        return Base64.EncodeToUtf8(bytes, text, out _, out int written) == OperationStatus.Done
            && value.ValueEquals(text.AsSpan(0, written));
    }

    private static ImmutableArray<IntegrityOpening>? ReadOpenings(JsonElement array)
    {
        if (array.ValueKind != JsonValueKind.Array || array.GetArrayLength() > MostOpenings)
        {
            return null;
        }

        var openings = ImmutableArray.CreateBuilder<IntegrityOpening>(array.GetArrayLength());
        foreach (JsonElement item in array.EnumerateArray())
        {
            if (IntegrityOpening.Read(item) is not { } opening
                || (openings.Count > 0 && opening.Entry.Sequence <= openings[^1].Entry.Sequence))
            {
                return null;
            }

            openings.Add(opening);
        }

        return openings.ToImmutable();
    }
}
