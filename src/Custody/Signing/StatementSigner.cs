using System.Text.Json;
using Bailiwick.Custody.Parties;
using Bailiwick.Keyring.Tokens;
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
    private IReadOnlyList<EcdsaSigner>? _signers;

    /// <summary>Signs a wish if it differs from what is signed.</summary>
    /// <returns>The new statement, or null when nothing changed.</returns>
    /// <exception cref="CustodyException">The folder is not this party's, or too few keys are here.</exception>
    public VerifiedStatement? Sign(StatementWish wish)
    {
        ArgumentNullException.ThrowIfNull(wish);
        return wish.Kind.IsRoot() ? SignRoot(wish) : SignWith(wish, () => _signers ??= Signers(InForce()));
    }

    /// <summary>
    /// Signs a new root in which one key is replaced: a threshold of the old root's keys and of the new root's must
    /// sign (The Update Framework, section 5.3.4). If the desk dies before it is signed, signing the root again
    /// completes the change.
    /// </summary>
    /// <param name="number">Number of the root key to replace.</param>
    /// <param name="root">The root as it shall be, asked for once the new key is there.</param>
    /// <param name="token">The key in a token that takes its place; null makes one in a file.</param>
    public VerifiedStatement Rotate(int number, Func<StatementWish> root, TokenReference? token = null)
    {
        ArgumentNullException.ThrowIfNull(root);
        _ = InForce();
        party.ReplaceRoot(number, token);
        return SignRoot(root()) ?? throw new CustodyException("The new root equals the old one.");
    }

    private VerifiedStatement? SignRoot(StatementWish wish)
    {
        if (party.Facts.Id is null)
        {
            BindToFolder(wish);
        }

        VerifiedStatement? signed = SignWith(wish, () => party.Facts.Id is null
            ? party.OpenRoots(party.Facts.Threshold)
            : [.. Signers(InForce()).UnionBy(party.OpenRoots(party.Facts.Threshold), s => s.Id)]);
        if (signed is null)
        {
            return null;
        }

        _signers = null;
        if (party.Facts.Id is null)
        {
            party.Bind(PartyId.OfFirstRoot(signed.Payload.Span));
        }

        party.RetireRoots();
        return signed;
    }

    /// <summary>A root that is here before the party has an id was signed by a desk that died before it noted the id:
    /// if its keys are ours. If they are not, the folder belongs to another party of that name.</summary>
    private void BindToFolder(StatementWish wish)
    {
        if (folder.Book.Current(wish.Kind).FirstOrDefault(s => s.Name == wish.Name) is not { } made)
        {
            return;
        }

        if (folder.Book.RootInForce(made.Owner) is not { } root || !root.Keys.Keys.SequenceEqual(party.Facts.Roots))
        {
            throw new CustodyException($"The folder of signed statements belongs to another {wish.Name}: its root has "
                + $"not the keys in {party.Files.Path}. Name the folder that belongs to these keys, or an empty one.");
        }

        party.Bind(made.Owner);
    }

    private RootKeys InForce() =>
        (party.Facts.Id is { } id ? folder.Book.RootInForce(id)?.Keys : null) ?? throw new CustodyException(
            $"The folder of signed statements has no root of {party.Facts.Name}; name the folder it signed into "
            + "before.");

    private IReadOnlyList<EcdsaSigner> Signers(RootKeys keys) => party.OpenRoots(keys.Keys, keys.Threshold);

    private VerifiedStatement? SignWith(StatementWish wish, Func<IReadOnlyList<EcdsaSigner>> signers)
    {
        VerifiedStatement? held = party.Facts.Id is { } id ? folder.Book.Find(id, wish.Kind, wish.Name) : null;
        if (held is not null && CanonicalJson.Write(held.Body).AsSpan().SequenceEqual(CanonicalJson.Write(wish.Body)))
        {
            return null;
        }

        IReadOnlyList<EcdsaSigner> keys = signers();
        byte[] payload = StatementPayload.Compose(
            wish.Kind, party.Facts.Id, wish.Name, (held?.Revision ?? 0) + 1, held?.Digest, now, wish.Body);
        return folder.Add(EnvelopeWriter.Sign(payload, keys));
    }
}
