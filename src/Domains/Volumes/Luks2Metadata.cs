using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Bailiwick.Domains.Volumes;

/// <summary>
/// The metadata of LUKS2 (On-Disk Format 1.1.3, section 3), read strictly: every member is one that is known, of its
/// own type, once. What cryptsetup would only warn of, or what another program would make its own sense of, is a reason
/// against it.
/// </summary>
internal sealed class Luks2Metadata
{
    private const int Slots = 32;
    private readonly LuksRefusals _against;

    private Luks2Metadata(LuksRefusals against) => _against = against;

    /// <summary>Reads the area behind the binary header: JSON, ended by a zero and with zeros behind it.</summary>
    public static LuksHeader? Read(ReadOnlyMemory<byte> area, string uuid, ulong headerBytes, LuksRefusals against)
    {
        int end = area.Span.IndexOf((byte)0);
        if (end < 0 || area.Span[end..].ContainsAnyExcept((byte)0) || !IsPlain(area.Span[..end]))
        {
            against.Add(LuksRefusalCode.Metadata, "The metadata is no plain text with zeros behind it.");
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(
                area[..end],
                new JsonDocumentOptions { MaxDepth = DiskLimits.JsonDepth, AllowDuplicateProperties = false });
            return new Luks2Metadata(against).Header(document.RootElement, uuid, headerBytes);
        }
        catch (JsonException error)
        {
            against.Add(LuksRefusalCode.Metadata, $"The metadata is no JSON: {error.Message}");
            return null;
        }
    }

    /// <summary>ASCII, and of escapes only the one that json-c writes: <c>\/</c>.</summary>
    private static bool IsPlain(ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] is not ((>= 0x20 and < 0x7f) or (byte)'\n' or (byte)'\t')
                || (text[i] == '\\' && (++i == text.Length || text[i] != '/')))
            {
                return false;
            }
        }

        return true;
    }

    private LuksHeader? Header(JsonElement root, string uuid, ulong headerBytes)
    {
        Known(root, "metadata", ["config", "digests", "keyslots", "segments", "tokens"]);
        ulong keyBytes = Config(Member(root, "config"), headerBytes);
        _against.Unless(
            !Entries(Member(root, "tokens"), "tokens").Any(), LuksRefusalCode.Tokens,
            "There are tokens, by which other programs would look for a key.");
        (string Id, JsonElement Value)[] slots = [.. Entries(Member(root, "keyslots"), "keyslots").Take(Slots)];
        (string Id, JsonElement Value)[] segments = [.. Entries(Member(root, "segments"), "segments").Take(Slots)];
        (string Id, JsonElement Value)[] digests = [.. Entries(Member(root, "digests"), "digests").Take(Slots)];
        ImmutableArray<LuksSlot> read = [.. slots.Select(slot => Slot(slot.Id, slot.Value))];
        if (segments is not [var segment] || digests is not [var digest])
        {
            _against.Unless(
                segments.Length == 1, LuksRefusalCode.Segments, $"It has {segments.Length} segments and not one.");
            _against.Unless(
                digests.Length == 1, LuksRefusalCode.Digests, $"It has {digests.Length} digests and not one.");
            return null;
        }

        string cipher = Text(segment.Value, "encryption");
        LuksPayload payload = Segment(segment.Value);
        _against.Unless(
            new LuksArea(2 * headerBytes, keyBytes).LiesIn(0, payload.Offset), LuksRefusalCode.PayloadOffset,
            $"Its data is said to begin at byte {payload.Offset}, in the key material.");
        _against.Unless(
            Names(digest.Value, "keyslots").SequenceEqual(slots.Select(slot => slot.Id), StringComparer.Ordinal)
                && Names(digest.Value, "segments") is [var one] && one == segment.Id,
            LuksRefusalCode.Digests, "Its digest is not that of its slots and its segment.");
        return new LuksHeader(
            2, cipher, Text(digest.Value, "hash"), slots.Length > 0 ? Number(slots[0].Value, "key_size") : 0, uuid,
            payload, read)
        {
            Digest = Digest(digest.Value),
            KeysFrom = 2 * headerBytes,
        };
    }

    /// <summary>Checks the configuration and gives how much room there is for keys, in bytes.</summary>
    private ulong Config(JsonElement config, ulong headerBytes)
    {
        Known(config, "config", ["flags", "json_size", "keyslots_size", "requirements"]);
        _against.Unless(
            Decimal(config, "json_size") == headerBytes - 4096, LuksRefusalCode.Metadata,
            "The size of the metadata is not that of the header.");
        _against.Unless(
            Member(config, "flags").ValueKind == JsonValueKind.Undefined, LuksRefusalCode.Flags,
            "It asks for other behaviour of whoever opens it.");
        _against.Unless(
            Member(config, "requirements").ValueKind == JsonValueKind.Undefined, LuksRefusalCode.Requirements,
            "It demands features of whoever opens it.");
        return Decimal(config, "keyslots_size");
    }

    private LuksPayload Segment(JsonElement segment)
    {
        Known(
            segment, "segment",
            ["encryption", "flags", "integrity", "iv_tweak", "offset", "sector_size", "size", "type"]);
        _against.Unless(
            Text(segment, "type") == "crypt" && Text(segment, "size") == "dynamic" && Text(segment, "iv_tweak") == "0",
            LuksRefusalCode.Segments, "Its segment is not one encrypted range up to the end of the file.");
        _against.Unless(
            Member(segment, "flags").ValueKind == JsonValueKind.Undefined, LuksRefusalCode.Reencryption,
            "Its segment is one of a re-encryption.");
        _against.Unless(
            Member(segment, "integrity").ValueKind == JsonValueKind.Undefined, LuksRefusalCode.Integrity,
            "Its data is said to have integrity tags.");
        uint sector = Number(segment, "sector_size");
        _against.Unless(
            sector is 512 or 4096, LuksRefusalCode.SectorSize, $"It is encrypted in sectors of {sector} bytes.");
        return new LuksPayload(Decimal(segment, "offset"), sector);
    }

    private LuksSlot Slot(string id, JsonElement slot)
    {
        Known(slot, "slot", ["af", "area", "kdf", "key_size", "priority", "type"]);
        string type = Text(slot, "type");
        if (type == "reencrypt")
        {
            _against.Add(LuksRefusalCode.Reencryption, $"Slot {id} is one of a re-encryption.");
        }

        JsonElement af = Member(slot, "af"), area = Member(slot, "area"), kdf = Member(slot, "kdf");
        Known(af, "af", ["hash", "stripes", "type"]);
        Known(area, "area", ["encryption", "key_size", "offset", "size", "type"]);
        _against.Unless(
            type == "luks2" && Text(af, "type") == "luks1" && Text(area, "type") == "raw"
                && Member(slot, "priority").ValueKind == JsonValueKind.Undefined,
            LuksRefusalCode.SlotState, $"Slot {id} is not an ordinary one.");
        _against.Unless(
            Text(af, "hash") == LuksReader.Hash, LuksRefusalCode.Hash, $"Slot {id} is split with another hash.");
        _against.Unless(
            Text(area, "encryption") == LuksReader.Cipher, LuksRefusalCode.Cipher,
            $"Slot {id} is encrypted with '{Text(area, "encryption")}'.");
        _against.Unless(
            !Text(area, "encryption").Contains("null", StringComparison.OrdinalIgnoreCase), LuksRefusalCode.NullCipher,
            $"Slot {id} is encrypted with nothing: any passphrase opens it.");
        _against.Unless(
            Number(slot, "key_size") == LuksReader.KeyBytes && Number(area, "key_size") == LuksReader.KeyBytes,
            LuksRefusalCode.KeySize, $"Slot {id} has a key that is not of {LuksReader.KeyBytes} bytes.");
        return new LuksSlot(
            int.Parse(id, NumberStyles.None, CultureInfo.InvariantCulture), true, Text(kdf, "type"),
            Derivation(id, kdf), Number(af, "stripes"), new LuksArea(Decimal(area, "offset"), Decimal(area, "size")));
    }

    /// <summary>The iterations of PBKDF2, or the rounds of Argon2; what it may cost is checked here.</summary>
    private uint Derivation(string id, JsonElement kdf)
    {
        Bytes(kdf, "salt");
        if (Text(kdf, "type") == "pbkdf2")
        {
            Known(kdf, "kdf", ["hash", "iterations", "salt", "type"]);
            _against.Unless(
                Text(kdf, "hash") == LuksReader.Hash, LuksRefusalCode.Hash, $"Slot {id} is derived with another hash.");
            return Number(kdf, "iterations");
        }

        Known(kdf, "kdf", ["cpus", "memory", "salt", "time", "type"]);
        _against.Unless(
            Text(kdf, "type") is "argon2i" or "argon2id", LuksRefusalCode.Derivation,
            $"Slot {id} is derived with '{Text(kdf, "type")}'.");
        uint rounds = Number(kdf, "time");
        _against.Unless(
            rounds is > 0 and <= DiskLimits.DerivationRounds && Number(kdf, "memory") <= DiskLimits.DerivationKib
                && Number(kdf, "cpus") is > 0 and <= DiskLimits.DerivationThreads,
            LuksRefusalCode.Iterations, $"Slot {id} costs nothing, or more than a start may.");
        return rounds;
    }

    private LuksDigest Digest(JsonElement digest)
    {
        Known(digest, "digest", ["digest", "hash", "iterations", "keyslots", "salt", "segments", "type"]);
        _against.Unless(
            Text(digest, "type") == "pbkdf2", LuksRefusalCode.Digests, $"Its digest is '{Text(digest, "type")}'.");
        return new LuksDigest(Bytes(digest, "digest"), Bytes(digest, "salt"), Number(digest, "iterations"));
    }

    /// <summary>The members of an object of numbered things: 0 to 31, as they are written.</summary>
    private IEnumerable<(string Id, JsonElement Value)> Entries(JsonElement of, string what)
    {
        if (of.ValueKind != JsonValueKind.Object)
        {
            _against.Add(LuksRefusalCode.Metadata, $"There are no {what}.");
            yield break;
        }

        foreach (JsonProperty one in of.EnumerateObject())
        {
            if (int.TryParse(one.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && number < Slots && one.Name == number.ToString(CultureInfo.InvariantCulture))
            {
                yield return (one.Name, one.Value);
            }
            else
            {
                _against.Add(LuksRefusalCode.Metadata, $"One of the {what} has no number.");
            }
        }
    }

    private void Known(JsonElement of, string what, string[] members)
    {
        if (of.ValueKind != JsonValueKind.Object
            || of.EnumerateObject().Any(one => !members.Contains(one.Name, StringComparer.Ordinal)))
        {
            _against.Add(LuksRefusalCode.Metadata, $"The {what} is not as the format has it.");
        }
    }

    private static JsonElement Member(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out JsonElement value) ? value : default;

    private string Text(JsonElement of, string name)
    {
        if (Member(of, name) is { ValueKind: JsonValueKind.String } text && text.GetString() is { } value)
        {
            return value.Length <= DiskLimits.NameLength ? value : value[..DiskLimits.NameLength];
        }

        _against.Add(LuksRefusalCode.Metadata, $"The text '{name}' is not there.");
        return "";
    }

    private ulong Decimal(JsonElement of, string name)
    {
        if (ulong.TryParse(Text(of, name), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            && Text(of, name) == value.ToString(CultureInfo.InvariantCulture))
        {
            return value;
        }

        _against.Add(LuksRefusalCode.Metadata, $"The number '{name}' is not written as one.");
        return 0;
    }

    private uint Number(JsonElement of, string name)
    {
        if (Member(of, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetUInt32(out uint value))
        {
            return value;
        }

        _against.Add(LuksRefusalCode.Metadata, $"The number '{name}' is not there.");
        return 0;
    }

    private ImmutableArray<byte> Bytes(JsonElement of, string name)
    {
        if (Member(of, name) is { ValueKind: JsonValueKind.String } text
            && text.TryGetBytesFromBase64(out byte[]? value) && value.Length == 32)
        {
            return [.. value];
        }

        _against.Add(LuksRefusalCode.Metadata, $"The bytes '{name}' are not 32.");
        return [];
    }

    private string[] Names(JsonElement of, string name)
    {
        JsonElement list = Member(of, name);
        if (list.ValueKind == JsonValueKind.Array
            && list.EnumerateArray().All(one => one.ValueKind == JsonValueKind.String))
        {
            return [.. list.EnumerateArray().Take(Slots).Select(one => one.GetString() ?? "")];
        }

        _against.Add(LuksRefusalCode.Metadata, $"The list '{name}' is not there.");
        return [];
    }
}
