using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Attestation.IntegrityLog;

/// <summary>
/// Whom an entry of the integrity log concerns, and who therefore may read it. The writer says so, inside what is
/// committed; nobody guesses it from the text. Everybody else sees a commitment that tells nothing. Closed.
/// </summary>
public abstract class IntegrityReaders : IEquatable<IntegrityReaders>
{
    /// <summary>The most parties that one entry names.</summary>
    public const int MostParties = 64;

    private const string All = "all";

    private IntegrityReaders()
    {
    }

    /// <summary>The whole host: every tenant with business on it may read the entry.</summary>
    public static IntegrityReaders Everyone { get; } = new WholeHost();

    /// <summary>Nobody known: committed, and shown to no tenant. What cannot be attributed is this.</summary>
    public static IntegrityReaders Nobody { get; } = new Named([]);

    /// <summary>These parties. None, or more than <see cref="MostParties"/>, is <see cref="Nobody"/>.</summary>
    public static IntegrityReaders Of(params IEnumerable<PartyId> parties)
    {
        ImmutableSortedSet<PartyId> set = [.. parties];
        return set.Count is 0 or > MostParties ? Nobody : new Named(set);
    }

    /// <summary>Whether a tenant may read the entry.</summary>
    public abstract bool Include(PartyId tenant);

    /// <summary>Whether the entry names this tenant, and not only the whole host.</summary>
    public abstract bool Name(PartyId tenant);

    internal abstract JsonNode Write();

    /// <summary>Reads what <see cref="Write"/> wrote; null for anything else.</summary>
    internal static IntegrityReaders? Read(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String)
        {
            return value.GetString() == All ? Everyone : null;
        }

        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > MostParties)
        {
            return null;
        }

        List<PartyId> parties = [];
        foreach (JsonElement item in value.EnumerateArray())
        {
            // In their order and none twice: one form each, so that equal entries have equal commitments.
            if (item.ValueKind != JsonValueKind.String || !PartyId.TryParse(item.GetString(), out PartyId? party)
                || (parties.Count > 0 && party <= parties[^1]))
            {
                return null;
            }

            parties.Add(party);
        }

        return Of(parties);
    }

    /// <inheritdoc/>
    public bool Equals(IntegrityReaders? other) => other is not null && ToString() == other.ToString();

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as IntegrityReaders);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(ToString() ?? "");

    private sealed class WholeHost : IntegrityReaders
    {
        public override bool Include(PartyId tenant) => true;

        public override bool Name(PartyId tenant) => false;

        public override string ToString() => All;

        internal override JsonNode Write() => All;
    }

    private sealed class Named(ImmutableSortedSet<PartyId> set) : IntegrityReaders
    {
        public ImmutableSortedSet<PartyId> Set { get; } = set;

        public override bool Include(PartyId tenant) => Set.Contains(tenant);

        public override bool Name(PartyId tenant) => Set.Contains(tenant);

        public override string ToString() => string.Join(' ', Set);

        internal override JsonNode Write() => new JsonArray([.. Set.Select(party => (JsonNode)party.ToString())]);
    }
}
