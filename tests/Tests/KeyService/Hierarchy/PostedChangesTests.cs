using Bailiwick.Domains.KeyRelease;
using Bailiwick.Durable.Files;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Hierarchy;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Channel;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.KeyService.Hierarchy;

/// <summary>
/// A store that was put back whole knows fewer changes of keys than the ledger: hostile case K05. The ledger here is
/// what a book accepted.
/// </summary>
public sealed class PostedChangesTests : IDisposable
{
    private static readonly DateTimeOffset Issued = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);
    private readonly string _path = Directory.CreateTempSubdirectory("bw-posted-").FullName;
    private readonly EcdsaSigner _service = Signatory.NewKey();
    private readonly PartyId _bank;
    private StatementBook _ledger = StatementBook.Empty;

    public PostedChangesTests()
    {
        EcdsaSigner root = Signatory.NewKey();
        byte[] payload = StatementPayload.Compose(
            StatementKind.Tenant, null, StatementName.Parse("bank"), 1, null, Issued, Signatory.Json(new
            {
                roots = new[] { new { key = root.PublicKey.Base64 } },
                threshold = 1,
                keyService = new { key = _service.PublicKey.Base64, address = "10.99.0.3:7600" },
            }));
        _ledger = _ledger.MustAccept(EnvelopeWriter.Sign(payload, root));
        _bank = PartyId.OfFirstRoot(payload);
    }

    private VerifiedStatement? Shown => _ledger.Find(_bank, StatementKind.KeyChange, KeyChangeNotice.Name);

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public void Agrees_with_a_ledger_that_has_all_and_with_one_that_has_not_yet_all()
    {
        PostedChanges changes = Open();
        Assert.Null(changes.Compare(Shown, isNew: false));
        changes.Note(Notice(7));
        changes.Note(Notice(9));
        Assert.Null(changes.Compare(Shown, isNew: false));
        Assert.Equal(2, changes.Unposted.Length);
        Publish(changes.Unposted[0]);
        Assert.Null(changes.Compare(Shown, isNew: false));
        Publish(Assert.Single(changes.Unposted));
        Assert.Null(changes.Compare(Shown, isNew: false));
        Assert.Empty(changes.Unposted);

        PostedChanges again = Open();
        Assert.Equal(9, again.Record);
        Assert.Null(again.Compare(Shown, isNew: false));
        Assert.Equal(9, KeyChangeNotice.Read(Shown ?? throw new InvalidOperationException())?.Record);
    }

    [Fact]
    public void Flags_a_store_that_is_older_than_the_ledger_for_good()
    {
        PostedChanges before = Open();
        before.Note(Notice(7));
        byte[] yesterday = File.ReadAllBytes(File_);
        before.Note(Notice(9));
        foreach (ReadOnlyMemory<byte> one in before.Unposted)
        {
            Publish(one);
        }

        Assert.Null(before.Compare(Shown, isNew: false));
        File.WriteAllBytes(File_, yesterday);
        PostedChanges restored = Open();
        Assert.True(restored.Compare(Shown, isNew: false)?.IsRolledBack);
        restored.Note(Notice(11));
        Assert.True(restored.Compare(Shown, isNew: false)?.IsRolledBack);
        File.Delete(File_);
        Assert.True(Open().Compare(Shown, isNew: false)?.IsRolledBack);
    }

    [Fact]
    public void Flags_a_restored_store_that_went_on_by_itself_before_the_board_was_heard()
    {
        PostedChanges before = Open();
        byte[] yesterday = [];
        before.Note(Notice(7));
        yesterday = File.ReadAllBytes(File_);
        before.Note(Notice(9));
        foreach (ReadOnlyMemory<byte> one in before.Unposted)
        {
            Publish(one);
        }

        File.WriteAllBytes(File_, yesterday);
        PostedChanges restored = Open();
        restored.Note(Notice(10));
        restored.Note(Notice(12));
        ChangesDoubt? doubt = restored.Compare(Shown, isNew: false);
        Assert.True(doubt?.IsRolledBack);
        Assert.Contains("another", doubt?.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Waits_for_a_board_that_does_not_show_what_it_has_shown_before()
    {
        PostedChanges changes = Open();
        changes.Note(Notice(7));
        Publish(changes.Unposted[0]);
        Assert.Null(changes.Compare(Shown, isNew: false));
        PostedChanges restarted = Open();
        Assert.False(restarted.Compare(null, isNew: false)?.IsRolledBack);
        Assert.Null(restarted.Compare(Shown, isNew: false));

        // What was read a moment before counts no more.
        Assert.Null(restarted.Compare(null, isNew: false));
    }

    [Fact]
    public void A_store_that_never_held_a_key_goes_on_where_the_ledger_is()
    {
        PostedChanges lost = Open();
        lost.Note(Notice(7));
        Publish(lost.Unposted[0]);
        File.Delete(File_);
        PostedChanges begun = Open();
        Assert.Null(begun.Compare(Shown, isNew: true));
        begun.Note(Notice(3));
        Publish(Assert.Single(begun.Unposted));
        Assert.Null(begun.Compare(Shown, isNew: false));
        Assert.Equal(2, Shown?.Revision);
    }

    [Fact]
    public void Refuses_a_damaged_file_and_takes_no_more_than_it_can_keep()
    {
        PostedChanges changes = Open();
        while (changes.HasRoom)
        {
            changes.Note(Notice(1));
        }

        Assert.Throws<CustodyException>(() => changes.Note(Notice(1)));
        File.WriteAllBytes(File_, File.ReadAllBytes(File_)[..^9]);
        Assert.Throws<CustodyException>(Open);
    }

    private string File_ => Path.Combine(_path, "changes.json");

    private static KeyChangeNotice Notice(long record) => new(record, 2, null);

    private void Publish(ReadOnlyMemory<byte> envelope) => _ledger = _ledger.MustAccept(envelope.ToArray());

    private PostedChanges Open() => PostedChanges.Open(
        PrivateDirectory.Open(LinuxDisk.Instance, _path), _bank, _service, new MovedClock());
}
