using System.Text.Json;
using System.Text.Json.Nodes;
using Bailiwick.Custody.Parties;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Custody.Signing;

/// <summary>One statement as a party wants it to be.</summary>
public sealed record StatementWish(StatementKind Kind, StatementName Name, JsonObject Body);

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
        return wish.Kind.IsRoot()
            ? SignRoot(wish, party.OpenRoots(party.Facts.Threshold))
            : SignWith(wish, party.OpenRoots(party.Facts.Threshold));
    }

    /// <summary>
    /// Signs a new root in which one key is replaced: a threshold of the old root's keys and of the new root's must
    /// sign (The Update Framework, section 5.3.4).
    /// </summary>
    public VerifiedStatement Rotate(StatementWish root, int number)
    {
        ArgumentNullException.ThrowIfNull(root);
        (EcdsaSigner old, EcdsaSigner next) = party.ReplaceRoot(number);
        IEnumerable<EcdsaSigner> kept = party.OpenRoots(party.Facts.Roots.Length)
            .Where(s => s.Id != next.Id).Take(party.Facts.Threshold);
        return SignRoot(root, [next, old, .. kept])
            ?? throw new CustodyException("The new root equals the old one.");
    }

    private VerifiedStatement? SignRoot(StatementWish wish, IReadOnlyList<ISigner> signers)
    {
        if (party.Facts.Id is null && folder.Book.Current(wish.Kind).FirstOrDefault(s => s.Name == wish.Name) is { } made)
        {
            // Signed before, and the desk died before the id was noted.
            party.Bind(made.Owner);
        }

        party.Facts.FillRootBody(wish.Body);
        VerifiedStatement? signed = SignWith(wish, signers);
        if (party.Facts.Id is null && signed is not null)
        {
            party.Bind(PartyId.OfFirstRoot(signed.Payload.Span));
        }

        return signed;
    }

    private VerifiedStatement? SignWith(StatementWish wish, IReadOnlyList<ISigner> signers)
    {
        JsonElement body = JsonElement.Parse(wish.Body.ToJsonString());
        VerifiedStatement? held = party.Facts.Id is { } id ? folder.Book.Find(id, wish.Kind, wish.Name) : null;
        if (held is not null && CanonicalJson.Write(held.Body).AsSpan().SequenceEqual(CanonicalJson.Write(body)))
        {
            return null;
        }

        byte[] payload = StatementPayload.Compose(
            wish.Kind, party.Facts.Id, wish.Name, (held?.Revision ?? 0) + 1, held?.Digest, now, body);
        return folder.Add(EnvelopeWriter.Sign(payload, signers));
    }
}
