using System.Text.Json;
using Bailiwick.Custody.Parties;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Custody.Signing;

/// <summary>One statement as a party wants it to be.</summary>
public sealed record StatementWish(StatementKind Kind, StatementName Name, JsonElement Body);

/// <summary>
/// Signs what changed. A statement whose body is the one already signed is left alone, so signing twice signs once;
/// every other one gets the next revision and the digest of its predecessor.
/// </summary>
public sealed class StatementSigner(PartyDirectory party, StatementFolder folder, DateTimeOffset now)
{
    /// <summary>Signs a wish if it differs from what is signed.</summary>
    /// <returns>The new statement, or null when nothing changed.</returns>
    public VerifiedStatement? Sign(StatementWish wish)
    {
        ArgumentNullException.ThrowIfNull(wish);
        IReadOnlyList<EcdsaSigner> signers = party.OpenRoots(party.Facts.Threshold);
        return wish.Kind.IsRoot() ? SignRoot(wish, signers) : SignWith(wish, signers);
    }

    /// <summary>
    /// Signs a new root in which one key is replaced: a threshold of the old root's keys and of the new root's must
    /// sign (The Update Framework, section 5.3.4).
    /// </summary>
    /// <param name="number">Number of the root key to replace.</param>
    /// <param name="root">The root as it shall be, asked for once the new key is there.</param>
    public VerifiedStatement Rotate(int number, Func<StatementWish> root)
    {
        ArgumentNullException.ThrowIfNull(root);
        (EcdsaSigner old, EcdsaSigner next) = party.ReplaceRoot(number);
        IEnumerable<EcdsaSigner> kept = party.OpenRoots(party.Facts.Roots.Length)
            .Where(s => s.Id != next.Id).Take(party.Facts.Threshold);
        return SignRoot(root(), [next, old, .. kept])
            ?? throw new CustodyException("The new root equals the old one.");
    }

    private VerifiedStatement? SignRoot(StatementWish wish, IReadOnlyList<ISigner> signers)
    {
        if (party.Facts.Id is null && folder.Book.Current(wish.Kind).FirstOrDefault(s => s.Name == wish.Name) is { } made)
        {
            // Signed before, and the desk died before the id was noted.
            party.Bind(made.Owner);
        }

        VerifiedStatement? signed = SignWith(wish, signers);
        if (party.Facts.Id is null && signed is not null)
        {
            party.Bind(PartyId.OfFirstRoot(signed.Payload.Span));
        }

        return signed;
    }

    private VerifiedStatement? SignWith(StatementWish wish, IReadOnlyList<ISigner> signers)
    {
        VerifiedStatement? held = party.Facts.Id is { } id ? folder.Book.Find(id, wish.Kind, wish.Name) : null;
        if (held is not null && CanonicalJson.Write(held.Body).AsSpan().SequenceEqual(CanonicalJson.Write(wish.Body)))
        {
            return null;
        }

        byte[] payload = StatementPayload.Compose(
            wish.Kind, party.Facts.Id, wish.Name, (held?.Revision ?? 0) + 1, held?.Digest, now, wish.Body);
        return folder.Add(EnvelopeWriter.Sign(payload, signers));
    }
}
