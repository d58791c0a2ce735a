using System.Text;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Tests.Durable.Files;

/// <summary>Every changing call of a workload fails or kills once; what was acknowledged is found again.</summary>
public class CrashTests
{
    private const int MaxCalls = 400;
    private const int Seeds = 12;

    [Theory]
    [InlineData(DiskFault.Die)]
    [InlineData(DiskFault.InputOutput)]
    [InlineData(DiskFault.NoSpace)]
    public void A_replaced_file_is_whole_and_as_new_as_acknowledged(DiskFault fault)
    {
        bool reachedEnd = false;
        for (int k = 1; k < MaxCalls && !reachedEnd; k++)
        {
            for (int seed = 0; seed < Seeds; seed++)
            {
                FakeDisk disk = new(seed) { FaultAt = k, Fault = fault, ShortWrites = true };
                int acknowledged = -1;
                int attempted = -1;
                Survive(() =>
                {
                    using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(disk, "/state/proxy");
                    for (int i = 0; i < 4; i++)
                    {
                        attempted = i;
                        DurableFile.Replace(directory, "plan", Content(i));
                        acknowledged = i;
                    }
                });
                reachedEnd = disk.Calls < k;
                disk.Restart();
                using PrivateDirectory after = PrivateDirectory.OpenOrCreate(disk, "/state/proxy");
                byte[]? found = DurableFile.Read(after, "plan", 1 << 20);
                int version = found is null ? -1 : found[0];
                Assert.InRange(version, acknowledged, attempted);
                Assert.True(found is null || found.AsSpan().SequenceEqual(Content(version)));
                DurableFile.Replace(after, "plan", Content(9));
                Assert.Equal(Content(9), DurableFile.Read(after, "plan", 1 << 20));
            }
        }

        Assert.True(reachedEnd);
    }

    [Theory]
    [InlineData(DiskFault.Die)]
    [InlineData(DiskFault.InputOutput)]
    [InlineData(DiskFault.NoSpace)]
    public void A_log_keeps_what_it_acknowledged_and_nothing_by_half(DiskFault fault)
    {
        bool reachedEnd = false;
        for (int k = 1; k < MaxCalls && !reachedEnd; k++)
        {
            for (int seed = 0; seed < Seeds; seed++)
            {
                FakeDisk disk = new(seed) { FaultAt = k, Fault = fault, ShortWrites = true };
                List<string> acknowledged = [];
                List<string> attempted = [];
                Survive(() => Work(disk, acknowledged, attempted));
                reachedEnd = disk.Calls < k;
                if (seed % 3 == 0)
                {
                    disk.KillProcess();
                }
                else
                {
                    disk.Restart();
                }

                List<string> found = ReadLog(disk, out _);
                Assert.True(found.Count >= acknowledged.Count, $"k={k} seed={seed}: {found.Count} left");
                Assert.Equal(acknowledged, found.Take(acknowledged.Count));
                Assert.Equal(attempted.Take(found.Count), found);
                // Opening repaired it: a second opening finds the same and nothing to cut.
                Assert.Equal(found, ReadLog(disk, out LogRecovery second));
                Assert.False(second.WasTorn);
            }
        }

        Assert.True(reachedEnd);
    }

    [Fact]
    public void A_log_survives_a_second_crash_during_its_recovery()
    {
        bool torn = false;
        for (int seed = 0; seed < 60; seed++)
        {
            for (int again = 1; again < 6; again++)
            {
                FakeDisk disk = new(seed) { FaultAt = 20, Fault = DiskFault.Die, ShortWrites = true };
                List<string> acknowledged = [];
                List<string> attempted = [];
                Survive(() => Work(disk, acknowledged, attempted));
                disk.Restart();
                disk.FaultAt = disk.Calls + again;
                Survive(() => ReadLog(disk, out _));
                disk.Restart();
                List<string> found = ReadLog(disk, out LogRecovery recovery);
                torn |= recovery.WasTorn;
                Assert.Equal(acknowledged, found.Take(acknowledged.Count));
                Assert.Equal(attempted.Take(found.Count), found);
            }
        }

        Assert.True(torn);
    }

    private static void Work(FakeDisk disk, List<string> acknowledged, List<string> attempted)
    {
        using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(disk, "/state/log");
        using AppendLog log = AppendLog.Open(directory, "integrity.log");
        (int At, int Count) failed = (0, 0);
        for (int i = 0; i < 6; i++)
        {
            List<string> batch = [.. Enumerable.Range(0, 1 + (i % 3)).Select(n => Text(i, n))];
            int before = attempted.Count;
            attempted.AddRange(batch);
            bool poisoned = false;
            try
            {
                log.Append([.. batch.Select(text => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(text))]);
                acknowledged.AddRange(batch);
                batch = [];
            }
            catch (DurableException problem) when (problem.Operation is "pwrite" or "append")
            {
                poisoned = problem.Operation == "append";
            }
            finally
            {
                // That the log goes on shows that the failed write before this one was undone.
                if (!poisoned)
                {
                    attempted.RemoveRange(failed.At, failed.Count);
                    before -= failed.Count;
                }
            }

            if (poisoned)
            {
                return;
            }

            failed = (before, batch.Count);
        }
    }

    private static List<string> ReadLog(FakeDisk disk, out LogRecovery recovery)
    {
        List<string> found = [];
        using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(disk, "/state/log");
        using AppendLog log = AppendLog.Open(
            directory, "integrity.log", record => found.Add(Encoding.UTF8.GetString(record.Payload.Span)));
        Assert.Equal(found.Count, log.Count);
        recovery = log.Recovery;
        return found;
    }

    private static void Survive(Action work)
    {
        try
        {
            work();
        }
        catch (MachineDiedException)
        {
        }
        catch (DurableException failed) when (failed is not LogCorruptException)
        {
        }
    }

    private static string Text(int i, int n) =>
        $"record {i}.{n} " + new string((char)('a' + i), 37 * ((i * 7) + n + 1));

    private static byte[] Content(int version) =>
        [(byte)version, .. Enumerable.Repeat((byte)version, 700 + (100 * version))];
}
