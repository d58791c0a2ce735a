using System.Collections.Immutable;
using System.Text.Json;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.Ledger.Statements;

/// <summary>
/// The keys of a root and how many of them must sign. At least one key, none twice, and a threshold between one and
/// their number; a set that breaks this cannot be made.
/// </summary>
public sealed class RootKeys
{
    private readonly ImmutableDictionary<KeyId, PublicKey> _byId;

    private RootKeys(ImmutableArray<PublicKey> keys, int threshold)
    {
        Keys = keys;
        Threshold = threshold;
        _byId = keys.ToImmutableDictionary(key => key.Id);
    }

    /// <summary>The keys, in the order of the root statement.</summary>
    public ImmutableArray<PublicKey> Keys { get; }

    /// <summary>How many distinct keys must sign.</summary>
    public int Threshold { get; }

    /// <summary>The key with this id, or null.</summary>
    public PublicKey? Find(KeyId id) => _byId.GetValueOrDefault(id);

    /// <summary>How many of these distinct ids are keys of this root.</summary>
    internal int Count(IEnumerable<KeyId> distinct) => distinct.Count(_byId.ContainsKey);

    /// <summary>The one key of the key service that a root's body names; null when it names none.</summary>
    internal static RootKeys? ServiceOf(JsonElement body) =>
        body.TryGetProperty("keyService", out var service) && service.ValueKind == JsonValueKind.Object
        && PublicKey.TryParseBase64(JsonMembers.Text(service, "key"), out var key)
            ? new RootKeys([key], 1)
            : null;

    /// <summary>Reads `roots` and `threshold` of a root statement's body; other members are not its business.</summary>
    internal static RootKeysReading Read(JsonElement body)
    {
        if (!body.TryGetProperty("roots", out var roots) || roots.ValueKind != JsonValueKind.Array
            || JsonMembers.Integer(body, "threshold") is not { } threshold)
        {
            return Refuse(
                StatementRefusal.MalformedRoot, "A root's body must have a list roots and an integer threshold.");
        }

        if (roots.GetArrayLength() is 0 or > LedgerLimits.RootKeys)
        {
            return Refuse(
                StatementRefusal.WrongNumberOfRootKeys,
                $"A root has from 1 to {LedgerLimits.RootKeys} keys, not {roots.GetArrayLength()}.");
        }

        var keys = ImmutableArray.CreateBuilder<PublicKey>(roots.GetArrayLength());
        foreach (var item in roots.EnumerateArray())
        {
            if (ReadKey(item, keys) is { } refused)
            {
                return refused;
            }
        }

        if (threshold < 1 || threshold > keys.Count)
        {
            return Refuse(
                StatementRefusal.InvalidThreshold,
                $"The threshold must be from 1 to the {keys.Count} keys there are, not {threshold}.");
        }

        return new RootKeysReading.Read(new RootKeys(keys.MoveToImmutable(), (int)threshold));
    }

    private static RootKeysReading.Refused? ReadKey(JsonElement item, ImmutableArray<PublicKey>.Builder keys)
    {
        if (!JsonMembers.AreExactly(item, "key") || JsonMembers.Text(item, "key") is not { } text)
        {
            return Refuse(StatementRefusal.MalformedRoot, $"Entry {keys.Count} of roots must have exactly key.");
        }

        if (!PublicKey.TryParseBase64(text, out var key))
        {
            return Refuse(
                StatementRefusal.InvalidRootKey,
                $"Entry {keys.Count} of roots is not a P-256 SubjectPublicKeyInfo in DER with an uncompressed point.");
        }

        if (keys.Contains(key))
        {
            return Refuse(StatementRefusal.DuplicateRootKey, $"The key {key.Id.Short} is listed twice in roots.");
        }

        keys.Add(key);
        return null;
    }

    private static RootKeysReading.Refused Refuse(StatementRefusal reason, string sentence) => new(reason, sentence);
}

/// <summary>The outcome of reading a root's keys.</summary>
internal abstract record RootKeysReading
{
    private RootKeysReading()
    {
    }

    /// <summary>The keys are usable.</summary>
    public sealed record Read(RootKeys Keys) : RootKeysReading;

    /// <summary>They are not.</summary>
    public sealed record Refused(StatementRefusal Reason, string Sentence) : RootKeysReading;
}
