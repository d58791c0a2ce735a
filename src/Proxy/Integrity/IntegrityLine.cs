using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Json;

namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// An entry of the integrity log as this host keeps it. On disk: canonical JSON with the entry and both salts, a line
/// break, and the detail.
/// </summary>
public sealed class IntegrityLine
{
    internal IntegrityLine(IntegrityOpening opening, IntegrityDetail detail, IntegrityHead before)
    {
        Opening = opening;
        Detail = detail;
        Commitment = opening.Commitment();
        Head = before.Extend(Commitment);
    }

    /// <summary>The entry and its salt.</summary>
    public IntegrityOpening Opening { get; }

    /// <summary>The entry.</summary>
    public IntegrityEntry Entry => Opening.Entry;

    /// <summary>What the entry's digest is over; the text is empty when it was too long to keep.</summary>
    public IntegrityDetail Detail { get; }

    /// <summary>What is chained and extended.</summary>
    public Digest32 Commitment { get; }

    /// <summary>The head of the log up to this entry.</summary>
    public IntegrityHead Head { get; }

    internal byte[] Write()
    {
        byte[] header = CanonicalJson.Write(JsonSerializer.SerializeToElement(new JsonObject
        {
            ["detailSalt"] = Convert.ToBase64String(Detail.Salt.Span),
            ["entry"] = JsonNode.Parse(Entry.Write()),
            ["salt"] = Convert.ToBase64String(Opening.Salt.Span),
        }));
        return [.. header, (byte)'\n', .. Encoding.UTF8.GetBytes(Detail.Text)];
    }

    /// <summary>Reads the entry that follows a head; null for anything else.</summary>
    internal static IntegrityLine? Read(ReadOnlySpan<byte> payload, IntegrityHead before)
    {
        int end = payload.IndexOf((byte)'\n');
        if (end < 0 || CanonicalJson.ParseCanonical(payload[..end]) is not JsonReading.Understood { Root: var root }
            || DocumentObject.Of(root) is not { } value || !value.HasExactly("detailSalt", "entry", "salt")
            || value.Bytes("detailSalt", IntegrityOpening.SaltBytes) is not
                { Length: IntegrityOpening.SaltBytes } detailSalt
            || value.Bytes("salt", IntegrityOpening.SaltBytes) is not { Length: IntegrityOpening.SaltBytes } salt
            || value.Canonical("entry") is not { } canonical || IntegrityEntry.Read(canonical) is not { } entry
            || entry.Sequence != before.Entries)
        {
            return null;
        }

        return new IntegrityLine(
            new IntegrityOpening(salt, entry),
            new IntegrityDetail(detailSalt, Encoding.UTF8.GetString(payload[(end + 1)..])),
            entry.Kind == IntegrityKind.Boot ? before with { Digest = IntegrityHead.Zero } : before);
    }
}
