using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Ledger.Statements;

/// <summary>Revisions, predecessors and roots: hostile case P02 and the revoked key of P03.</summary>
public sealed class ChainTests
{
    private readonly Signatory _tenant = new(StatementKind.Tenant, "hospital", keys: 3, threshold: 2);
    private readonly StatementBook _book;

    public ChainTests() => _book = StatementBook.Empty.MustAccept(_tenant.Root());

    [Fact]
    public void Refuses_revision_7_after_revision_8()
    {
        var book = _book;
        var envelopes = new List<byte[]>();
        Digest32? previous = null;
        for (var revision = 1; revision <= 8; revision++)
        {
            var payload = _tenant.Payload(StatementKind.Domain, "records", revision, previous);
            previous = Digest32.Of(payload);
            envelopes.Add(_tenant.Sign(payload, 0, 1));
            book = book.MustAccept(envelopes[^1]);
        }

        book.MustRefuse(envelopes[6], StatementRefusal.Rollback);
        book.MustRefuse(envelopes[0], StatementRefusal.Rollback);
        book.MustRepeat(envelopes[7]);

        // A book that was wiped cannot be started in the middle.
        _book.MustRefuse(envelopes[6], StatementRefusal.Gap);
        _book.MustAccept(envelopes[0]).MustRefuse(envelopes[2], StatementRefusal.Gap);
    }

    [Fact]
    public void Refuses_the_second_of_two_statements_of_one_revision()
    {
        var one = _tenant.Sign(_tenant.Payload(StatementKind.Domain, "records", body: new { flow = "deny" }), 0, 1);
        var other = _tenant.Sign(_tenant.Payload(StatementKind.Domain, "records", body: new { flow = "all" }), 0, 1);
        _book.MustAccept(one).MustRefuse(other, StatementRefusal.Fork);
        _book.MustAccept(other).MustRefuse(one, StatementRefusal.Fork);
    }

    [Fact]
    public void Accuses_nobody_of_a_fork_without_their_signatures()
    {
        var book = _book.MustAccept(_tenant.Sign(_tenant.Payload(StatementKind.Domain, "records"), 0, 1));
        var invented = _tenant.Payload(StatementKind.Domain, "records", body: new { flow = "all" });
        book.MustRefuse(_tenant.Sign(invented, 0), StatementRefusal.BelowThreshold);
        book.MustRefuse(EnvelopeWriter.Sign(invented, Signatory.NewKey()), StatementRefusal.UnknownKey);
        book.MustRefuse(_tenant.Sign(invented, 0, 1), StatementRefusal.Fork);
    }

    [Fact]
    public void Refuses_another_predecessor()
    {
        var first = _tenant.Payload(StatementKind.Domain, "records");
        var book = _book.MustAccept(_tenant.Sign(first, 0, 1));
        var good = _tenant.Payload(StatementKind.Domain, "records", 2, Digest32.Of(first));
        var foreign = _tenant.Payload(StatementKind.Domain, "records", 2, Digest32.Of([1]));
        var none = _tenant.Payload(StatementKind.Domain, "records", 2);
        var orphan = _tenant.Payload(StatementKind.Domain, "other", 1, Digest32.Of(first));
        book.MustRefuse(_tenant.Sign(foreign, 0, 1), StatementRefusal.WrongPredecessor);
        book.MustRefuse(_tenant.Sign(none, 0, 1), StatementRefusal.WrongPredecessor);
        book.MustRefuse(_tenant.Sign(orphan, 0, 1), StatementRefusal.WrongPredecessor);
        book.MustAccept(_tenant.Sign(good, 0, 1));
    }

    [Fact]
    public void Keeps_subjects_apart_by_kind_and_name()
    {
        var book = _book
            .MustAccept(_tenant.Sign(_tenant.Payload(StatementKind.Domain, "records"), 0, 1))
            .MustAccept(_tenant.Sign(_tenant.Payload(StatementKind.Volume, "records"), 0, 1))
            .MustAccept(_tenant.Sign(_tenant.Payload(StatementKind.Domain, "archive"), 0, 1));
        Assert.Equal(["archive", "records"], book.Current(StatementKind.Domain).Select(one => one.Name.Text));
        Assert.Single(book.Current(StatementKind.Volume));
        Assert.Empty(book.Current(StatementKind.Host));
        Assert.Equal([_tenant.Id], book.Parties);
    }

    [Fact]
    public void Rotates_keys_by_a_threshold_of_the_old_root_and_of_the_new()
    {
        var fresh = new[] { Signatory.NewKey(), Signatory.NewKey() };
        var payload = _tenant.NextRoot(2, Digest32.Of(_tenant.FirstRoot), [_tenant.Keys[0], .. fresh], 2);
        _book.MustRefuse(
            EnvelopeWriter.Sign(payload, fresh), StatementRefusal.BelowThreshold);
        _book.MustRefuse(
            EnvelopeWriter.Sign(payload, _tenant.Keys[0], fresh[0]), StatementRefusal.BelowThreshold);
        _book.MustRefuse(
            EnvelopeWriter.Sign(payload, _tenant.Keys[1], _tenant.Keys[2]), StatementRefusal.BelowNewThreshold);
        _book.MustRefuse(
            EnvelopeWriter.Sign(payload, _tenant.Keys[0], _tenant.Keys[1]), StatementRefusal.BelowNewThreshold);
        var book = _book.MustAccept(EnvelopeWriter.Sign(payload, _tenant.Keys[0], _tenant.Keys[1], fresh[0]));

        Assert.Equal(2, book.Roots(_tenant.Id).Count);
        Assert.Equal(2, book.RootInForce(_tenant.Id)?.Statement.Revision);
        Assert.Equal(_tenant.Id, book.RootInForce(_tenant.Id)?.Statement.Owner);
    }

    [Fact]
    public void Refuses_a_revoked_key_and_still_knows_what_it_signed_before()
    {
        var before = _tenant.Sign(_tenant.Payload(StatementKind.Domain, "records"), 0, 1);
        var fresh = Signatory.NewKey();
        var rotation = EnvelopeWriter.Sign(
            _tenant.NextRoot(2, Digest32.Of(_tenant.FirstRoot), [_tenant.Keys[0], fresh], 2),
            _tenant.Keys[0], _tenant.Keys[1], fresh);
        var book = _book.MustAccept(before).MustAccept(rotation);

        book.MustRepeat(before);
        book.MustRepeat(rotation);
        book.MustRefuse(_tenant.Root(), StatementRefusal.Rollback);
        var later = _tenant.Payload(StatementKind.Domain, "archive");
        book.MustRefuse(_tenant.Sign(later, 0, 1), StatementRefusal.UnknownKey);
        book.MustAccept(EnvelopeWriter.Sign(later, _tenant.Keys[0], fresh));
        _book.MustAccept(_tenant.Sign(later, 0, 1));
    }

    [Fact]
    public void Replays_every_rotation_from_the_first_root()
    {
        var log = new List<byte[]> { _tenant.Root() };
        var book = _book;
        var previous = Digest32.Of(_tenant.FirstRoot);
        var keys = _tenant.Keys;
        for (var revision = 2; revision <= 6; revision++)
        {
            var next = new[] { keys[1], Signatory.NewKey(), Signatory.NewKey() };
            var payload = _tenant.NextRoot(revision, previous, next, 2);
            previous = Digest32.Of(payload);
            log.Add(EnvelopeWriter.Sign(payload, keys[0], keys[1], next[1]));
            book = book.MustAccept(log[^1]);
            keys = next;
        }

        var replayed = log.Aggregate(StatementBook.Empty, (state, envelope) => state.MustAccept(envelope));
        Assert.Equal(
            book.Roots(_tenant.Id).Select(root => root.Statement.Digest),
            replayed.Roots(_tenant.Id).Select(root => root.Statement.Digest));
        StatementBook.Empty.MustAccept(log[0]).MustRefuse(log[2], StatementRefusal.Gap);
        StatementBook.Empty.MustRefuse(log[1], StatementRefusal.UnknownOwner);
    }

    [Fact]
    public void Shows_a_fork_of_the_root_as_a_fork()
    {
        var (one, other) = (Signatory.NewKey(), Signatory.NewKey());
        var first = Digest32.Of(_tenant.FirstRoot);
        var left = EnvelopeWriter.Sign(
            _tenant.NextRoot(2, first, [one], 1), _tenant.Keys[0], _tenant.Keys[1], one);
        var right = EnvelopeWriter.Sign(
            _tenant.NextRoot(2, first, [other], 1), _tenant.Keys[1], _tenant.Keys[2], other);
        _book.MustAccept(left).MustRefuse(right, StatementRefusal.Fork);
        _book.MustAccept(right).MustRefuse(left, StatementRefusal.Fork);
    }

    [Fact]
    public void Refuses_a_root_under_another_name_or_kind()
    {
        var previous = Digest32.Of(_tenant.FirstRoot);
        var body = Signatory.RootBody(_tenant.Keys, 2);
        byte[] Root(StatementKind kind, string name) => StatementPayload.Compose(
            kind, _tenant.Id, StatementName.Parse(name), 2, previous, DateTimeOffset.UnixEpoch, body);
        _book.MustRefuse(_tenant.Sign(Root(StatementKind.Tenant, "clinic"), 0, 1), StatementRefusal.RootRenamed);
        _book.MustRefuse(
            _tenant.Sign(Root(StatementKind.Datacentre, "hospital"), 0, 1), StatementRefusal.WrongOwnerForKind);
        _book.MustAccept(_tenant.Sign(Root(StatementKind.Tenant, "hospital"), 0, 1));
    }
}
