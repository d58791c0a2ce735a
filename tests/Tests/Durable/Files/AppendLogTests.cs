using System.Text;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Tests.Durable.Files;

public class AppendLogTests
{
    private const string File = "/state/log";

    [Fact]
    public void Finds_what_was_appended_with_the_same_head()
    {
        FakeDisk disk = Filled(out ReadOnlyMemory<byte> head, out _);
        List<string> found = [];
        using AppendLog log = Open(disk, found);
        Assert.Equal(["one", "two", "three", "four"], found);
        Assert.Equal(head.ToArray(), log.Head.ToArray());
        Assert.False(log.Recovery.WasTorn);
    }

    [Fact]
    public void Cuts_a_last_record_that_ends_early_at_every_length_and_reports_it()
    {
        _ = Filled(out _, out List<long> offsets);
        for (int cut = 1; cut < 36 + "four".Length; cut++)
        {
            FakeDisk disk = Filled(out _, out offsets);
            disk.Damage(File, bytes => bytes[..^cut]);
            List<string> found = [];
            using AppendLog log = Open(disk, found);
            Assert.Equal(["one", "two", "three"], found);
            Assert.Equal(new LogRecovery(3, offsets[3], 36 + "four".Length - cut), log.Recovery);
        }
    }

    [Fact]
    public void Refuses_every_flipped_bit_in_a_record_that_another_batch_follows()
    {
        FakeDisk whole = Filled(out _, out List<long> offsets);
        int length = whole.Content(File).Length;
        for (int at = (int)offsets[0]; at < (int)offsets[3]; at++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                FakeDisk disk = Filled(out _, out offsets);
                int index = offsets.FindLastIndex(offset => offset <= at);
                int position = at;
                disk.Damage(File, bytes =>
                {
                    bytes[position] ^= (byte)(1 << bit);
                    return bytes;
                });
                byte[] damaged = disk.Content(File);
                LogCorruptException corrupt = Assert.Throws<LogCorruptException>(() => Open(disk, []));
                Assert.Equal(index, corrupt.Index);
                Assert.Equal(offsets[index], corrupt.Offset);
                Assert.Equal(damaged, disk.Content(File));
                Assert.Equal(length, damaged.Length);
            }
        }
    }

    [Fact]
    public void Refuses_a_complete_last_record_whose_payload_changed()
    {
        FakeDisk disk = Filled(out _, out List<long> offsets);
        disk.Damage(File, bytes => [.. bytes[..^1], (byte)'R']);
        Assert.Equal(offsets[3], Assert.Throws<LogCorruptException>(() => Open(disk, [])).Offset);
    }

    [Fact]
    public void Refuses_records_exchanged_or_removed()
    {
        FakeDisk disk = Filled(out _, out List<long> offsets);
        disk.Damage(File, bytes => [.. bytes[..(int)offsets[1]], .. bytes[(int)offsets[2]..]]);
        Assert.Throws<LogCorruptException>(() => Open(disk, []));
    }

    [Fact]
    public void Refuses_a_damaged_or_missing_header_and_leaves_the_file()
    {
        foreach (Func<byte[], byte[]> damage in new Func<byte[], byte[]>[]
        {
            bytes => [], bytes => bytes[..39], bytes => [(byte)'X', .. bytes[1..]],
            bytes => [.. bytes[..20], (byte)(bytes[20] ^ 1), .. bytes[21..]],
        })
        {
            FakeDisk disk = Filled(out _, out _);
            disk.Damage(File, damage);
            byte[] before = disk.Content(File);
            Assert.Throws<LogCorruptException>(() => Open(disk, []));
            Assert.Equal(before, disk.Content(File));
        }
    }

    [Fact]
    public void Appends_nothing_after_a_failed_fsync()
    {
        FakeDisk disk = Filled(out _, out _);
        using AppendLog log = Open(disk, []);
        log.Append(Bytes("before"));
        ReadOnlyMemory<byte> head = log.Head;
        // The next call is the write, the one after it the fsync; a short write would shift them.
        DurableException? failed = null;
        for (int i = 0; i < 50 && failed?.Operation != "fsync"; i++)
        {
            disk.Fault = DiskFault.InputOutput;
            disk.FaultAt = disk.Calls + 2;
            head = log.Head;
            failed = Record.Exception(() => log.Append(Bytes("lost"))) as DurableException;
        }

        Assert.Equal("fsync", failed?.Operation);
        disk.FaultAt = 0;
        for (int i = 0; i < 3; i++)
        {
            DurableException poisoned = Assert.Throws<DurableException>(() => log.Append(Bytes("later")));
            Assert.Contains("earlier fsync failed", poisoned.Message, StringComparison.Ordinal);
        }

        Assert.Equal(head.ToArray(), log.Head.ToArray());
    }

    [Fact]
    public void Goes_on_after_a_full_disk_has_room_again()
    {
        FakeDisk disk = Filled(out _, out _);
        using (AppendLog log = Open(disk, []))
        {
            disk.Fault = DiskFault.NoSpace;
            disk.FaultAt = disk.Calls + 1;
            DurableException full = Assert.Throws<DurableException>(() => log.Append(Bytes("too much")));
            Assert.Equal(Errno.NoSpace, full.Errno);
            Assert.Equal(4, log.Append(Bytes("five")));
        }

        List<string> found = [];
        using AppendLog again = Open(disk, found);
        Assert.Equal(["one", "two", "three", "four", "five"], found);
    }

    [Fact]
    public void Refuses_a_second_opener_until_the_first_has_closed()
    {
        FakeDisk disk = Filled(out _, out _);
        using (Open(disk, []))
        {
            DurableException held = Assert.Throws<DurableException>(() => Open(disk, []));
            Assert.Equal("flock", held.Operation);
        }

        using AppendLog free = Open(disk, []);
        Assert.Equal(4, free.Count);
    }

    [Fact]
    public void Refuses_empty_and_oversized_payloads_and_batches()
    {
        FakeDisk disk = Filled(out _, out _);
        using AppendLog log = Open(disk, []);
        Assert.Throws<ArgumentOutOfRangeException>(() => log.Append(ReadOnlyMemory<byte>.Empty));
        Assert.Throws<ArgumentOutOfRangeException>(() => log.Append(new byte[AppendLog.MaxRecordBytes + 1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => log.Append([]));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => log.Append([.. Enumerable.Repeat((ReadOnlyMemory<byte>)new byte[AppendLog.MaxRecordBytes], 16)]));
        Assert.Equal(4, log.Append(Bytes("five")));
    }

    // Four records in three batches: one, (two), three | four is last.
    private static FakeDisk Filled(out ReadOnlyMemory<byte> head, out List<long> offsets)
    {
        FakeDisk disk = new(1);
        disk.Place("/state", DiskKind.Directory, 0x1C0, disk.EffectiveUser);
        List<long> seen = [];
        using (AppendLog log = Open(disk, []))
        {
            log.Append(Bytes("one"));
            log.Append([Bytes("two")]);
            log.Append(Bytes("three"));
            log.Append(Bytes("four"));
            head = log.Head;
        }

        using PrivateDirectory directory = PrivateDirectory.Open(disk, "/state");
        using (AppendLog.Open(directory, "log", record => seen.Add(record.Offset)))
        {
            offsets = seen;
        }

        return disk;
    }

    private static AppendLog Open(FakeDisk disk, List<string> found)
    {
        using PrivateDirectory directory = PrivateDirectory.Open(disk, "/state");
        return AppendLog.Open(directory, "log", record => found.Add(Encoding.UTF8.GetString(record.Payload.Span)));
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
