using System.Collections.Immutable;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Volumes;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Scrubbing;

/// <summary>What a scrubber reaches, in this order; a test kills it at each.</summary>
public enum ScrubStep
{
    /// <summary>The intent is in the integrity log.</summary>
    IntentRecorded = 1,

    /// <summary>What is to go is noted.</summary>
    Noted,

    /// <summary>A part is overwritten, and not yet noted.</summary>
    PartWritten,

    /// <summary>All is overwritten and read back.</summary>
    ReadBack,

    /// <summary>The name is gone, and that is not yet noted.</summary>
    Unlinked,

    /// <summary>The end is in the integrity log.</summary>
    EndRecorded,

    /// <summary>The report is signed and kept.</summary>
    ReportKept,
}

/// <summary>What the scrubber reaches outside its own files.</summary>
/// <param name="InUse">Whether this host has given a key out for it that was not given back.</param>
/// <param name="Record">Writes an entry of the integrity log: whether it is the end, and what is said.</param>
/// <param name="Sign">Signs a report.</param>
/// <param name="Trace">Told of each step; what it throws counts as a death there.</param>
public sealed record ScrubSurroundings(
    Func<KeySubject, bool> InUse, Action<KeySubject, bool, string> Record, Func<ScrubOrder, ScrubFindings, byte[]> Sign,
    Action<ScrubStep> Trace);

/// <summary>
/// Removes from the pool what an order names: notes it, overwrites it in place, reads back, takes the name away,
/// reports. Each step can be repeated, by a successor too; what is not the very file that was noted is never touched.
/// One order at a time.
/// </summary>
public sealed class Scrubber(IDisk disk, string pool, ScrubBook book, ScrubSurroundings around)
{
    /// <summary>Removes what of a machine's TPM is in this host's own directory; nobody has the key of it.</summary>
    public Action<KeySubject> Forget { get; init; } = _ => { };

    /// <summary>
    /// How much is overwritten in one turn, at least: after that the others have theirs, so that a large volume delays
    /// no small one.
    /// </summary>
    public long TurnBytes { get; init; } = long.MaxValue;

    private const int PartBytes = 1 << 20;
    private const int PartsBetweenNotes = 16;

    /// <summary>Does what is left to do, for one turn.</summary>
    /// <exception cref="WorldException">The disk refused; to be tried again.</exception>
    public ScrubTurn Run(ScrubOrder order, ReadOnlyMemory<byte> envelope, CancellationToken stop)
    {
        KeySubject key = order.Thing.Key;
        if (book.All.FirstOrDefault(one => one.Serial == order.Thing.Serial.Hex) is not { } work)
        {
            if (around.InUse(key))
            {
                return new ScrubTurn.InUse();
            }

            Forget(key);
            (ScrubOutcome? against, ScrubTarget[] files) = Look(order.Thing);
            around.Record(
                key, false, against is { } reason
                    ? $"Nothing is touched: {WireText.Of(reason)}."
                    : $"{files.Length} file(s), {files.Sum(file => file.Length)} bytes, by the order "
                        + $"{order.Digest.Hex[..16]}: {WireText.Of(order.Thing.Wipe)}.");
            around.Trace(ScrubStep.IntentRecorded);
            work = new ScrubWork(order.Thing.Serial.Hex, envelope.ToArray(), files);
            if (against is { } outcome)
            {
                return new ScrubTurn.Reported(Report(
                    order, work, new ScrubFindings(outcome, 0, 0) { Storage = default, FileSystem = "" }));
            }

            book.Put(work);
            around.Trace(ScrubStep.Noted);
        }

        return work.Report.Length > 0 ? new ScrubTurn.Reported(work.Report) : Erase(order, work, stop);
    }

    private ScrubTurn Erase(ScrubOrder order, ScrubWork work, CancellationToken stop)
    {
        int directory = OpenDirectory(order.Thing.Key);
        try
        {
            for (int i = 0; i < work.Files.Length; i++)
            {
                if (!work.Files[i].IsRemoved && Erase(order, ref work, i, directory, stop) is { } unfinished)
                {
                    return unfinished;
                }
            }
        }
        finally
        {
            disk.Close(directory);
        }

        ScrubOutcome outcome = order.Thing.Wipe == WipeMethod.CryptoErase ? ScrubOutcome.Removed
            : work.Files.Any(file => file.Differs) ? ScrubOutcome.SampleDiffers
            : ScrubOutcome.Overwritten;
        ScrubFindings findings = new(
            outcome, work.Files.Sum(file => file.Written), work.Files.Sum(file => Math.Max(0, file.Sampled)))
        {
            Storage = default, FileSystem = "",
        };
        around.Record(
            order.Thing.Key, true,
            $"{WireText.Of(outcome)}: {findings.Bytes} bytes overwritten, {findings.Sampled} blocks read back.");
        around.Trace(ScrubStep.EndRecorded);
        return new ScrubTurn.Reported(Report(order, work, findings));
    }

    private byte[] Report(ScrubOrder order, ScrubWork work, ScrubFindings findings)
    {
        int root = OpenDirectory(null);
        long number = StorageCalls.FileSystem(root);
        disk.Close(root);
        (ScrubStorage storage, string name) = PoolStorage.Of(number, PoolStorage.Turns(pool));
        work = work with { Report = around.Sign(order, findings with { Storage = storage, FileSystem = name }) };
        book.Put(work);
        around.Trace(ScrubStep.ReportKept);
        return work.Report;
    }

    /// <summary>One file; null when it is gone, else why it is not yet.</summary>
    private ScrubTurn? Erase(ScrubOrder order, ref ScrubWork work, int index, int directory, CancellationToken stop)
    {
        ScrubTarget target = work.Files[index];
        int descriptor = disk.OpenFile(directory, target.Name, DiskOpen.ReadWrite);
        if (descriptor == -Errno.NoEntry)
        {
            // The name went, and the note of it did not come to be.
            work = Noted(work, index, target with { IsRemoved = true });
            return null;
        }

        Checked("open", target.Name, descriptor);
        try
        {
            using ScrubNoise noise = new(order.Thing.Seed);
            if (!IsNoted(descriptor, target, noise))
            {
                // Another file has the name now; ours is gone, and this one is nobody's business here.
                work = Noted(work, index, target with { IsRemoved = true });
                return null;
            }

            if (!ImageLock.TryAgainstAll(descriptor))
            {
                return new ScrubTurn.InUse();
            }

            if (order.Thing.Wipe == WipeMethod.Overwrite && target.Sampled < 0)
            {
                target = Overwrite(ref work, index, descriptor, noise, stop);
                if (target.Written < target.Length)
                {
                    return new ScrubTurn.Halfway();
                }

                target = ReadBack(target, descriptor, noise);
                work = Noted(work, index, target);
                around.Trace(ScrubStep.ReadBack);
            }

            Checked("remove", target.Name, disk.Unlink(directory, target.Name));
            Checked("synchronise", pool, disk.Sync(directory));
            around.Trace(ScrubStep.Unlinked);
            work = Noted(work, index, target with { IsRemoved = true });
            return null;
        }
        finally
        {
            disk.Close(descriptor);
        }
    }

    private ScrubTarget Overwrite(
        ref ScrubWork work, int index, int descriptor, ScrubNoise noise, CancellationToken stop)
    {
        ScrubTarget target = work.Files[index];
        byte[] part = new byte[PartBytes];
        long until = Math.Min(target.Length - target.Written, TurnBytes) + target.Written;
        for (int parts = 1; target.Written < until; parts++)
        {
            stop.ThrowIfCancellationRequested();
            int length = (int)Math.Min(PartBytes, target.Length - target.Written);
            noise.Fill(target.Written, part.AsSpan(0, length));
            for (int done = 0; done < length;)
            {
                done += Checked(
                    "overwrite", target.Name,
                    disk.WriteAt(descriptor, target.Written + done, part.AsSpan(done, length - done)));
            }

            target = target with { Written = target.Written + length };
            if (parts % PartsBetweenNotes == 0 || target.Written >= until)
            {
                Checked("synchronise", target.Name, disk.Sync(descriptor));
                around.Trace(ScrubStep.PartWritten);
                work = Noted(work, index, target);
            }
        }

        return target;
    }

    private ScrubTarget ReadBack(ScrubTarget target, int descriptor, ScrubNoise noise)
    {
        StorageCalls.DropCache(descriptor);
        int direct = StorageCalls.OpenDirect(descriptor);
        try
        {
            (byte[] buffer, int start) = StorageCalls.Aligned(ScrubNoise.BlockBytes);
            Span<byte> read = buffer.AsSpan(start, ScrubNoise.BlockBytes);
            byte[] expected = new byte[ScrubNoise.BlockBytes];
            ImmutableArray<long> places = noise.Sample(target.Length);
            bool differs = false;
            foreach (long place in places)
            {
                noise.Fill(place, expected);
                int count = disk.ReadAt(direct < 0 ? descriptor : direct, place, read);
                differs |= count != read.Length || !read.SequenceEqual(expected);
            }

            return target with { Sampled = places.Length, Differs = differs };
        }
        finally
        {
            if (direct >= 0)
            {
                disk.Close(direct);
            }
        }
    }

    private ScrubWork Noted(ScrubWork work, int index, ScrubTarget target)
    {
        ScrubTarget[] files = [.. work.Files];
        files[index] = target;
        work = work with { Files = files };
        book.Put(work);
        return work;
    }

    /// <summary>What is to go, or why nothing is touched.</summary>
    private (ScrubOutcome? Against, ScrubTarget[] Files) Look(ScrubbedThing thing)
    {
        int directory = OpenDirectory(thing.Key);
        if (directory == -Errno.NoEntry)
        {
            return (ScrubOutcome.NotFound, []);
        }

        if (directory < 0)
        {
            return (ScrubOutcome.NotOurs, []);
        }

        try
        {
            List<ScrubTarget> files = [];
            foreach (string name in Names(thing.Key))
            {
                int descriptor = disk.OpenFile(directory, name, DiskOpen.Read);
                if (descriptor == -Errno.NoEntry)
                {
                    continue;
                }

                if (descriptor < 0)
                {
                    return (ScrubOutcome.NotOurs, []);
                }

                (ScrubOutcome? against, ScrubTarget? target) = Look(thing, name, descriptor);
                disk.Close(descriptor);
                if (against is not null)
                {
                    return (against, []);
                }

                files.AddRange(target is null ? [] : [target]);
            }

            return files.Count == 0 ? (ScrubOutcome.NotFound, []) : (null, [.. files]);
        }
        finally
        {
            disk.Close(directory);
        }
    }

    private (ScrubOutcome? Against, ScrubTarget? File) Look(ScrubbedThing thing, string name, int descriptor)
    {
        Checked("look at", name, disk.Status(descriptor, out DiskStatus status));
        if (status.Kind != DiskKind.File || status.Links != 1 || status.Owner != disk.EffectiveUser)
        {
            return (ScrubOutcome.NotOurs, null);
        }

        // A volume is told by its header. Where the key service knew none, nothing was ever written under the key but
        // what a filling had come to; and such an order is given only while nobody has a key of that name again.
        if (thing.Key is KeySubject.Volume)
        {
            DiskBytes bytes = new(
                status.Length, (offset, into) => Checked("read", name, disk.ReadAt(descriptor, offset, into)));
            Digest32? header = LuksReader.Read(bytes).Accepted is { } accepted
                ? HeaderDigest.Of(bytes, accepted)
                : null;
            bool isOurs = thing.Header is { } bound ? header == bound : name == ScrubOrder.FillingOf(thing.Key);
            if (header is null || !isOurs)
            {
                return (ScrubOutcome.OtherHeader, null);
            }
        }

        return (null, new ScrubTarget(name, status.Inode, status.Length, First(descriptor, name).Hex));
    }

    /// <summary>Whether an open file is the one that was noted, before or in the middle of being overwritten.</summary>
    private bool IsNoted(int descriptor, ScrubTarget target, ScrubNoise noise)
    {
        Checked("look at", target.Name, disk.Status(descriptor, out DiskStatus status));
        byte[] block = new byte[(int)Math.Min(ScrubNoise.BlockBytes, target.Length)];
        noise.Fill(0, block);
        return status.Kind == DiskKind.File && status.Inode == target.Inode && status.Length == target.Length
            && First(descriptor, target.Name) is var first
            && (first.Hex == target.First || first == Digest32.Of(block));
    }

    private Digest32 First(int descriptor, string name)
    {
        byte[] block = new byte[ScrubNoise.BlockBytes];
        return Digest32.Of(block.AsSpan(0, Checked("read", name, disk.ReadAt(descriptor, 0, block))));
    }

    private string[] Names(KeySubject key)
    {
        if (key is KeySubject.Volume)
        {
            return [ScrubOrder.FileOf(key), ScrubOrder.FillingOf(key)];
        }

        try
        {
            return
            [
                .. new DirectoryInfo(Path.Combine(pool, ScrubOrder.FileOf(key))).EnumerateFileSystemInfos()
                    .Select(file => file.Name).Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new WorldException(["list", key.ToString()], -1, error.Message);
        }
    }

    /// <summary>The directory that the key's files are in, reached through no link; or a negated errno.</summary>
    private int OpenDirectory(KeySubject? key)
    {
        string path = Path.GetFullPath(
            key is KeySubject.MachineTpm ? Path.Combine(pool, ScrubOrder.FileOf(key)) : pool);
        int at = disk.OpenRoot();
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (at < 0)
            {
                break;
            }

            int next = disk.OpenDirectory(at, part);
            disk.Close(at);
            at = next;
        }

        return at;
    }

    private static int Checked(string what, string name, int result) => result >= 0
        ? result
        : throw new WorldException([what, name], -result, Errno.Text(-result));
}
