using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Merkle;
using Bailiwick.Ledger.Receipts;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Ledger.Checkpoints;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Ledger.Receipts;

/// <summary>A stored log that was tampered with: hostile case L01.</summary>
public sealed class LedgerAuditTests
{
    private readonly LogUnderTest _log = new();
    private readonly VerifiedCheckpoint _head;
    private readonly Dictionary<NodeAddress, Digest32> _stored = [];

    public LedgerAuditTests()
    {
        var tenant = new Signatory(StatementKind.Tenant, "hospital", keys: 1, threshold: 1);
        _log.Append(tenant.Root());
        for (var i = 1; i < 20; i++)
        {
            _log.Append(tenant.Sign(tenant.Payload(StatementKind.Domain, $"domain-{i}"), 0));
        }

        _head = _log.Head();
        for (var level = 0; _log.Nodes.Size >> level > 0; level++)
        {
            for (var index = 0; index < _log.Nodes.Size >> level; index++)
            {
                var address = new NodeAddress(level, index);
                _stored[address] = Assert.IsType<Digest32>(_log.Nodes.Find(address));
            }
        }
    }

    [Fact]
    public void Finds_an_untouched_log_sound()
    {
        Assert.Equal(20, Assert.IsType<AuditVerdict.Sound>(LedgerAudit.Check(_log.Entries, _head)).Size);
        Assert.IsType<AuditVerdict.Sound>(LedgerAudit.Check(_log.Entries, _head, new Stored(_stored)));
        Assert.IsType<AuditVerdict.Sound>(LedgerAudit.Check([], new LogUnderTest().Head()));
    }

    [Fact]
    public void Names_the_entry_of_every_single_flipped_byte()
    {
        for (var i = 0; i < _log.Entries.Count; i++)
        {
            var entry = _log.Entries[i];
            for (var at = 0; at < entry.Salt.Length; at++)
            {
                MustName(i, AuditFinding.WrongEntry, Replace(i, entry with { Salt = Flip(entry.Salt, at) }));
            }

            for (var at = 0; at < entry.Envelope.Length; at++)
            {
                MustName(i, AuditFinding.WrongEntry, Replace(i, entry with { Envelope = Flip(entry.Envelope, at) }));
            }
        }
    }

    [Fact]
    public void Names_the_place_of_every_deletion_duplication_and_insertion()
    {
        for (var i = 0; i < _log.Entries.Count; i++)
        {
            var deleted = _log.Entries.ToList();
            deleted.RemoveAt(i);
            MustName(i, i == 19 ? AuditFinding.MissingEntry : AuditFinding.WrongEntry, deleted);

            var duplicated = _log.Entries.ToList();
            duplicated.Insert(i, duplicated[i]);
            MustName(i + 1, i == 19 ? AuditFinding.ExtraEntry : AuditFinding.WrongEntry, duplicated);

            var inserted = _log.Entries.ToList();
            inserted.Insert(i, new LedgerEntry(LogUnderTest.Salt(99), "{}"u8.ToArray()));
            MustName(i, AuditFinding.WrongEntry, inserted);
        }
    }

    [Fact]
    public void Names_the_first_of_two_swapped_entries()
    {
        for (var i = 0; i < _log.Entries.Count; i++)
        {
            for (var j = i + 1; j < _log.Entries.Count; j++)
            {
                var swapped = _log.Entries.ToList();
                (swapped[i], swapped[j]) = (swapped[j], swapped[i]);
                MustName(i, AuditFinding.WrongEntry, swapped);
            }
        }
    }

    [Fact]
    public void Names_the_first_missing_entry_of_every_truncation()
    {
        for (var length = 0; length < _log.Entries.Count; length++)
        {
            MustName(length, AuditFinding.MissingEntry, _log.Entries.Take(length).ToList());
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    public void Names_an_entry_whose_salt_has_another_length(int length)
    {
        for (var i = 0; i < _log.Entries.Count; i++)
        {
            var wrong = _log.Entries[i] with { Salt = new byte[length] };
            MustName(i, AuditFinding.WrongEntry, Replace(i, wrong));
        }
    }

    [Fact]
    public void Names_every_flipped_byte_of_the_stored_hashes()
    {
        foreach (var (address, hash) in _stored)
        {
            for (var at = 0; at < Digest32.Length; at++)
            {
                var damaged = new Dictionary<NodeAddress, Digest32>(_stored)
                {
                    [address] = Digest32.FromBytes(Flip(hash.Bytes.ToArray(), at).Span),
                };
                var verdict = LedgerAudit.Check(_log.Entries, _head, new Stored(damaged));
                var found = Assert.IsType<AuditVerdict.Damaged>(verdict);
                Assert.Equal(AuditFinding.WrongNode, found.Finding);
                Assert.Equal(address.Index << address.Level, found.FirstBadIndex);
            }
        }
    }

    [Fact]
    public void Says_so_when_no_stored_hash_tells_which_entry_is_wrong()
    {
        var damaged = Replace(13, _log.Entries[13] with { Salt = Flip(_log.Entries[13].Salt, 0) });
        var blind = Assert.IsType<AuditVerdict.Damaged>(LedgerAudit.Check(damaged, _head));
        Assert.False(blind.IsExact);
        Assert.Equal(0, blind.FirstBadIndex);

        // Hashes made to fit the damage do not lead to the signed root, so they are not believed.
        var fitted = new NodeTable();
        foreach (var entry in damaged)
        {
            fitted.Append(LeafCommitment.LeafHash(entry.Salt.Span, entry.Envelope.Span));
        }

        Assert.False(Assert.IsType<AuditVerdict.Damaged>(LedgerAudit.Check(damaged, _head, fitted)).IsExact);
        MustName(13, AuditFinding.WrongEntry, damaged);

        // One stored hash is gone too: what is before it is still vouched for.
        var partly = new Dictionary<NodeAddress, Digest32>(_stored);
        partly.Remove(new NodeAddress(2, 3));
        var near = Assert.IsType<AuditVerdict.Damaged>(LedgerAudit.Check(damaged, _head, new Stored(partly)));
        Assert.False(near.IsExact);
        Assert.InRange(near.FirstBadIndex, 8, 13);
    }

    private void MustName(long index, AuditFinding finding, IReadOnlyList<LedgerEntry> entries)
    {
        var found = Assert.IsType<AuditVerdict.Damaged>(LedgerAudit.Check(entries, _head, new Stored(_stored)));
        Assert.Equal((index, finding, true), (found.FirstBadIndex, found.Finding, found.IsExact));
    }

    private List<LedgerEntry> Replace(int index, LedgerEntry entry)
    {
        var entries = _log.Entries.ToList();
        entries[index] = entry;
        return entries;
    }

    private static ReadOnlyMemory<byte> Flip(ReadOnlyMemory<byte> bytes, int at)
    {
        var flipped = bytes.ToArray();
        flipped[at] ^= 0xff;
        return flipped;
    }

    private sealed class Stored(Dictionary<NodeAddress, Digest32> hashes) : INodeReader
    {
        public Digest32? Find(NodeAddress address) => hashes.GetValueOrDefault(address);
    }
}
