using System.Text.Json;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Ledger.Statements;

/// <summary>What a key service tells the ledger: signed by it and by nobody else, one chain for each tenant.</summary>
public sealed class KeyChangeTests
{
    private static readonly DateTimeOffset Issued = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);
    private readonly EcdsaSigner _service = Signatory.NewKey();
    private readonly EcdsaSigner _root = Signatory.NewKey();
    private readonly StatementBook _book;
    private readonly PartyId _bank;

    public KeyChangeTests() => (_book, _bank) = Rooted(StatementBook.Empty, "bank", _root, _service.PublicKey);

    [Fact]
    public void Accepts_a_change_that_the_roots_key_service_signed_and_its_successor()
    {
        byte[] first = Change(1, null), second = Change(2, Digest(first));
        StatementBook book = _book.MustAccept(EnvelopeWriter.Sign(first, _service));
        book.MustAccept(EnvelopeWriter.Sign(second, _service));
        book.MustRepeat(EnvelopeWriter.Sign(first, _service));
    }

    [Fact]
    public void Refuses_a_change_that_anybody_else_signed()
    {
        byte[] change = Change(1, null);
        _book.MustRefuse(EnvelopeWriter.Sign(change, _root), StatementRefusal.UnknownKey);
        _book.MustRefuse(EnvelopeWriter.Sign(change, Signatory.NewKey()), StatementRefusal.UnknownKey);
        _book.MustRefuse(EnvelopeWriter.Sign(change, _service, _root), StatementRefusal.UnknownKey);
        _book.MustAccept(EnvelopeWriter.Sign(change, _service));
    }

    [Fact]
    public void Refuses_everything_else_that_the_key_service_signs()
    {
        foreach (StatementKind kind in StatementKinds.All.Where(kind => kind.OwnerRoot() == StatementKind.Tenant
            && kind.IsPolicy() && !kind.IsRoot()))
        {
            byte[] payload = Payload(kind, "data", 1, null);
            _book.MustRefuse(EnvelopeWriter.Sign(payload, _service), StatementRefusal.UnknownKey);
            _book.MustAccept(EnvelopeWriter.Sign(payload, _root));
        }
    }

    [Fact]
    public void Refuses_a_second_chain_a_fork_and_a_step_back()
    {
        _book.MustRefuse(
            EnvelopeWriter.Sign(Payload(StatementKind.KeyChange, "more", 1, null), _service),
            StatementRefusal.InvalidName);
        byte[] first = Change(1, null), second = Change(2, Digest(first));
        StatementBook book = _book.MustAccept(EnvelopeWriter.Sign(first, _service));
        book.MustRefuse(EnvelopeWriter.Sign(Change(1, null, "other"), _service), StatementRefusal.Fork);
        book.MustAccept(EnvelopeWriter.Sign(second, _service))
            .MustRefuse(EnvelopeWriter.Sign(first, _service), StatementRefusal.Rollback);
    }

    [Fact]
    public void Refuses_a_change_where_the_root_names_no_key_service()
    {
        EcdsaSigner root = Signatory.NewKey();
        (StatementBook book, PartyId other) = Rooted(_book, "other", root, null);
        book.MustRefuse(
            EnvelopeWriter.Sign(Payload(StatementKind.KeyChange, "keys", 1, null, owner: other), root),
            StatementRefusal.UnknownKey);
        book.MustRefuse(
            EnvelopeWriter.Sign(Payload(StatementKind.KeyChange, "keys", 1, null, owner: other), _service),
            StatementRefusal.UnknownKey);
    }

    private byte[] Change(long revision, Digest32? previous, string what = "") =>
        Payload(StatementKind.KeyChange, "keys", revision, previous, what);

    private byte[] Payload(
        StatementKind kind, string name, long revision, Digest32? previous, string what = "", PartyId? owner = null) =>
        StatementPayload.Compose(
            kind, owner ?? _bank, StatementName.Parse(name), revision, previous, Issued,
            Signatory.Json(new { receipt = what, record = 1, generation = 2 }));

    private static Digest32 Digest(byte[] payload) => Digest32.Of(payload);

    private static (StatementBook Book, PartyId Party) Rooted(
        StatementBook book, string name, EcdsaSigner root, PublicKey? service)
    {
        JsonElement body = service is null
            ? Signatory.Json(new { roots = new[] { new { key = root.PublicKey.Base64 } }, threshold = 1 })
            : Signatory.Json(new
            {
                roots = new[] { new { key = root.PublicKey.Base64 } },
                threshold = 1,
                keyService = new { key = service.Base64, address = "10.99.0.3:7600" },
            });
        byte[] payload = StatementPayload.Compose(
            StatementKind.Tenant, null, StatementName.Parse(name), 1, null, Issued, body);
        return (book.MustAccept(EnvelopeWriter.Sign(payload, root)), PartyId.OfFirstRoot(payload));
    }
}
