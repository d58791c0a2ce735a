using System.Collections.Immutable;
using System.Diagnostics;

namespace Bailiwick.Ledger.Statements;

/// <summary>
/// Everything that is verified: the root chain of each party and the newest statement of each subject. Immutable; each
/// accepted statement gives a new book that shares its parts with the old one.
/// </summary>
/// <remarks>
/// A statement is accepted only if its owner's root in force signed it and it directly follows the one held, so a book
/// is the same for everyone who considered the same statements in any order that accepts them, and every rotation of
/// keys can be replayed from the first root. Nothing depends on a clock.
/// Checks come in this order, and the first that fails is the reason: size and form of the envelope, type of the
/// payload, form of the payload, keys of a root, owner, place in the chain as far as it accuses nobody
/// (<see cref="StatementRefusal.Rollback"/>, repetition, <see cref="StatementRefusal.Gap"/>), signatures, and last what
/// accuses the owner and so must be signed to be said: <see cref="StatementRefusal.Fork"/> and
/// <see cref="StatementRefusal.WrongPredecessor"/>.
/// </remarks>
public sealed class StatementBook
{
    private static readonly ImmutableSortedDictionary<Subject, VerifiedStatement> NoStatements =
        ImmutableSortedDictionary.Create<Subject, VerifiedStatement>();

    private readonly ImmutableSortedDictionary<PartyId, ImmutableList<VerifiedRoot>> _roots;
    private readonly ImmutableDictionary<StatementKind, ImmutableSortedDictionary<Subject, VerifiedStatement>> _newest;

    private StatementBook(
        ImmutableSortedDictionary<PartyId, ImmutableList<VerifiedRoot>> roots,
        ImmutableDictionary<StatementKind, ImmutableSortedDictionary<Subject, VerifiedStatement>> newest)
    {
        _roots = roots;
        _newest = newest;
    }

    /// <summary>The book that holds nothing.</summary>
    public static StatementBook Empty { get; } = new(
        ImmutableSortedDictionary<PartyId, ImmutableList<VerifiedRoot>>.Empty,
        ImmutableDictionary<StatementKind, ImmutableSortedDictionary<Subject, VerifiedStatement>>.Empty);

    /// <summary>The parties whose roots are known, in the order of their ids.</summary>
    public IEnumerable<PartyId> Parties => _roots.Keys;

    /// <summary>The newest statement of each subject of one kind, ordered by owner and name.</summary>
    public IEnumerable<VerifiedStatement> Current(StatementKind kind) => Newest(kind).Values;

    /// <summary>The newest statement of one subject, or null if there is none.</summary>
    public VerifiedStatement? Find(PartyId owner, StatementKind kind, StatementName name) =>
        Newest(kind).GetValueOrDefault(new Subject(owner, name));

    /// <summary>A party's root chain from revision 1 to the one in force; empty if the party is unknown.</summary>
    public IReadOnlyList<VerifiedRoot> Roots(PartyId party) => Chain(party);

    /// <summary>A party's root in force, or null if the party is unknown.</summary>
    public VerifiedRoot? RootInForce(PartyId party) => Chain(party) is { Count: > 0 } chain ? chain[^1] : null;

    /// <summary>Judges an envelope against this book. Never throws for what the bytes contain.</summary>
    /// <param name="envelopeJson">A DSSE envelope as canonical JSON; see <see cref="Envelope"/>.</param>
    public StatementVerdict Consider(ReadOnlyMemory<byte> envelopeJson)
    {
        return Envelope.Read(envelopeJson.Span) switch
        {
            EnvelopeReading.Refused refused => Refuse(refused.Reason, refused.Sentence),
            EnvelopeReading.Read read => ConsiderPayload(envelopeJson, read.Envelope),
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>The book once all of some envelopes are considered, each on top of those before it.</summary>
    /// <param name="envelopes">Envelopes as canonical JSON; one that is held already changes nothing.</param>
    /// <param name="refused">The first that is refused; null when the book is given.</param>
    /// <returns>Null when one is refused.</returns>
    public StatementBook? With(IEnumerable<byte[]> envelopes, out StatementVerdict.Refused? refused)
    {
        ArgumentNullException.ThrowIfNull(envelopes);
        var book = this;
        refused = null;
        foreach (var envelope in envelopes)
        {
            switch (book.Consider(envelope))
            {
                case StatementVerdict.Accepted accepted:
                    book = accepted.Next;
                    break;
                case StatementVerdict.Repeated:
                    break;
                case StatementVerdict.Refused no:
                    refused = no;
                    return null;
                default:
                    throw new UnreachableException();
            }
        }

        return book;
    }

    private StatementVerdict ConsiderPayload(ReadOnlyMemory<byte> envelopeJson, Envelope envelope)
    {
        if (!string.Equals(envelope.PayloadType, StatementPayload.MediaType, StringComparison.Ordinal))
        {
            return Refuse(
                StatementRefusal.WrongPayloadType, $"The payload's type must be {StatementPayload.MediaType}.");
        }

        return StatementPayload.Read(envelope.Payload) switch
        {
            PayloadReading.Refused refused => Refuse(refused.Reason, refused.Sentence),
            PayloadReading.Read read => ConsiderKeys(envelopeJson, envelope, read.Payload),
            _ => throw new UnreachableException(),
        };
    }

    private StatementVerdict ConsiderKeys(
        ReadOnlyMemory<byte> envelopeJson, Envelope envelope, StatementPayload payload)
    {
        RootKeys? keys = null;
        if (payload.Kind.IsRoot())
        {
            var reading = RootKeys.Read(payload.Body);
            if (reading is RootKeysReading.Refused refused)
            {
                return Refuse(refused.Reason, refused.Sentence);
            }

            keys = ((RootKeysReading.Read)reading).Keys;
        }

        return ConsiderOwner(new Candidate(
            envelopeJson.ToArray(), envelope, payload, Digest32.Of(envelope.Payload), keys));
    }

    private StatementVerdict ConsiderOwner(Candidate candidate)
    {
        var (payload, owner) = (candidate.Payload, candidate.Owner);
        var root = RootInForce(owner);
        if (root is null)
        {
            return payload.Owner is null
                ? ConsiderSignatures(candidate, held: null)
                : Refuse(
                    StatementRefusal.UnknownOwner, $"No root of the party {owner.Short} is known; fetch its chain.");
        }

        if (payload.Kind.OwnerRoot() != root.Statement.Kind)
        {
            return Refuse(
                StatementRefusal.WrongOwnerForKind,
                $"A {payload.Kind} belongs to a {payload.Kind.OwnerRoot()}, and {owner.Short} is a "
                + $"{root.Statement.Kind}.");
        }

        if (payload.Kind.IsRoot() && payload.Name != root.Statement.Name)
        {
            return Refuse(
                StatementRefusal.RootRenamed,
                $"The root of {owner.Short} is called {root.Statement.Name}; a root keeps its name.");
        }

        if (payload.Kind.OnlyName() is { } only && payload.Name.Text != only)
        {
            return Refuse(
                StatementRefusal.InvalidName, $"A {payload.Kind} has the name {only}, and a party has one of them.");
        }

        return ConsiderPlace(candidate, Find(owner, payload.Kind, payload.Name));
    }

    private StatementVerdict ConsiderPlace(Candidate candidate, VerifiedStatement? held)
    {
        var payload = candidate.Payload;
        if (held is not null && payload.Revision < held.Revision)
        {
            return Refuse(
                StatementRefusal.Rollback, $"Revision {payload.Revision} is older than what is held: {held}.");
        }

        if (held is not null && candidate.Digest == held.Digest)
        {
            return new StatementVerdict.Repeated(held);
        }

        var next = (held?.Revision ?? 0) + 1;
        return payload.Revision > next
            ? Refuse(
                StatementRefusal.Gap, $"Revision {payload.Revision} came, and revision {next} is missing; fetch it.")
            : ConsiderSignatures(candidate, held);
    }

    private StatementVerdict ConsiderSignatures(Candidate candidate, VerifiedStatement? held)
    {
        var chain = Chain(candidate.Owner);
        var (inForce, next) = candidate.NewKeys is not { } keys ? (chain[^1].Keys, null)
            : chain.Count == 0 ? (keys, (RootKeys?)null)
            // A root is judged by the root before it, also where it competes with one that is already held.
            : (chain[(int)candidate.Payload.Revision - 2].Keys, keys);
        if (!candidate.Payload.Kind.IsPolicy())
        {
            if (RootKeys.ServiceOf(chain[^1].Statement.Body) is not { } service)
            {
                return Refuse(
                    StatementRefusal.UnknownKey,
                    $"The root in force of {candidate.Owner.Short} names no key service.");
            }

            inForce = service;
        }

        return VerifiedStatement.Verify(candidate, inForce, next) switch
        {
            VerifiedStatement.Outcome.Refused refused => Refuse(refused.Reason, refused.Sentence),
            VerifiedStatement.Outcome.Verified verified =>
                ConsiderChain(candidate, verified.Statement, held),
            _ => throw new UnreachableException(),
        };
    }

    private StatementVerdict ConsiderChain(Candidate candidate, VerifiedStatement statement, VerifiedStatement? held)
    {
        if (held is not null && statement.Revision == held.Revision)
        {
            return Refuse(
                StatementRefusal.Fork,
                $"{statement.Owner.Short} signed two of {held}: {held.Digest} is held, and {statement.Digest} came.");
        }

        if (statement.Previous != held?.Digest)
        {
            return Refuse(
                StatementRefusal.WrongPredecessor,
                $"{statement} names the predecessor {statement.Previous?.Hex ?? "null"}; "
                + $"it is {held?.Digest.Hex ?? "null"}.");
        }

        var roots = candidate.NewKeys is { } keys
            ? _roots.SetItem(statement.Owner, Chain(statement.Owner).Add(new VerifiedRoot(statement, keys)))
            : _roots;
        var newest = Newest(statement.Kind).SetItem(new Subject(statement.Owner, statement.Name), statement);
        return new StatementVerdict.Accepted(
            statement, new StatementBook(roots, _newest.SetItem(statement.Kind, newest)));
    }

    private ImmutableSortedDictionary<Subject, VerifiedStatement> Newest(StatementKind kind) =>
        _newest.GetValueOrDefault(kind, NoStatements);

    private ImmutableList<VerifiedRoot> Chain(PartyId party) => _roots.GetValueOrDefault(party, []);

    private static StatementVerdict.Refused Refuse(StatementRefusal reason, string sentence) => new(reason, sentence);

    private sealed record Subject(PartyId Owner, StatementName Name) : IComparable<Subject>
    {
        public int CompareTo(Subject? other)
        {
            var byOwner = Owner.CompareTo(other?.Owner);
            return byOwner != 0 ? byOwner : Name.CompareTo(other?.Name);
        }
    }
}
