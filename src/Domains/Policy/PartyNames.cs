using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// Names of parties for people, both ways. Names carry no authority: only ids are signed, and two parties that call
/// themselves the same are shown with a part of their ids, and found by that only.
/// </summary>
public sealed class PartyNames
{
    private readonly ImmutableSortedDictionary<string, PartyId> _ids;
    private readonly ImmutableDictionary<PartyId, string> _names;

    private PartyNames(ImmutableSortedDictionary<string, PartyId> ids)
    {
        _ids = ids;
        _names = ids.GroupBy(pair => pair.Value).ToImmutableDictionary(group => group.Key, group => group.First().Key);
    }

    /// <summary>Nobody.</summary>
    public static PartyNames None { get; } = Of([]);

    /// <summary>The names, in order.</summary>
    public IEnumerable<string> Names => _ids.Keys;

    /// <summary>Names as given; a name that two ids claim becomes <c>name~12345678</c> for each of them.</summary>
    public static PartyNames Of(IEnumerable<KeyValuePair<string, PartyId>> parties)
    {
        var ids = ImmutableSortedDictionary.CreateBuilder<string, PartyId>(StringComparer.Ordinal);
        foreach (var claim in parties.GroupBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var claimants = claim.Select(pair => pair.Value).Distinct().ToArray();
            foreach (var id in claimants)
            {
                ids[claimants.Length == 1 ? claim.Key : $"{claim.Key}~{id.Short}"] = id;
            }
        }

        return new PartyNames(ids.ToImmutable());
    }

    /// <summary>Stand-in ids for documents that nobody has signed: see <see cref="PartyId.Unsigned"/>.</summary>
    public static PartyNames Unsigned(IEnumerable<string> names) => Of(names.Distinct(StringComparer.Ordinal)
        .Where(name => StatementName.TryParse(name, out _))
        .Select(name => KeyValuePair.Create(name, PartyId.Unsigned(name))));

    /// <summary>Stand-in ids for the directories that the files lie in.</summary>
    public static PartyNames UnsignedOfPaths(IEnumerable<string> paths) =>
        Unsigned(paths.Select(PartyOfPath).OfType<string>());

    /// <summary>Reads <c>{"parties":{"bank":"&lt;hex&gt;"}}</c>; null when it is anything else.</summary>
    public static PartyNames? ReadJson(ReadOnlySpan<byte> utf8)
    {
        if (CanonicalJson.Parse(utf8) is not JsonReading.Understood understood
            || understood.Root.ValueKind != JsonValueKind.Object || understood.Root.GetPropertyCount() != 1
            || !understood.Root.TryGetProperty("parties", out var parties)
            || parties.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        var ids = new Dictionary<string, PartyId>(StringComparer.Ordinal);
        foreach (var party in parties.EnumerateObject())
        {
            if (party.Value.ValueKind != JsonValueKind.String || !StatementName.TryParse(party.Name, out _)
                || !PartyId.TryParse(party.Value.GetString(), out var id) || ids.ContainsValue(id))
            {
                return null;
            }

            ids.Add(party.Name, id);
        }

        return Of(ids);
    }

    /// <summary>The form that <see cref="ReadJson"/> reads, canonical.</summary>
    public byte[] ToJson() => Encoding.UTF8.GetBytes(
        "{\"parties\":{" + string.Join(',', _ids.Select(pair => $"\"{pair.Key}\":\"{pair.Value}\"")) + "}}");

    /// <summary>The party with this name, or null.</summary>
    public PartyId? Find(string name) => _ids.GetValueOrDefault(name);

    /// <summary>The party's name; the first digits of its id when it has none.</summary>
    public string NameOf(PartyId id) => _names.GetValueOrDefault(id) ?? id.Short;

    /// <summary>The party a file belongs to: the name of the directory it lies in; null when there is none.</summary>
    public static string? PartyOfPath(string path)
    {
        var parts = path.Split('/');
        return parts.Length >= 2 ? parts[^2] : null;
    }
}
