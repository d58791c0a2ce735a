using System.Runtime.InteropServices;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Volumes;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Scrubbing;
using Bailiwick.Tests.Fakes;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Proxy.Scrubbing;

/// <summary>
/// What a destroyed key had opened is overwritten and removed, whatever step the Proxy dies at, and nothing else is
/// touched. Real files; a descriptor that was opened before shows what became of the bytes (hostile case S01).
/// </summary>
public sealed partial class ScrubberTests : IDisposable
{
    private const int PayloadOffset = 2_068_480;
    private static readonly byte[] Pattern = [.. Enumerable.Range(0, 64).Select(i => (byte)((i * 37) + 11))];
    private static readonly PartyId Bank = PartyId.Unsigned("bank");
    private static readonly HostRef Host = new(PartyId.Unsigned("alpine"), StatementName.Parse("host-1"));
    private static readonly KeySubject.Volume Volume = new(new VolumeRef(Bank, StatementName.Parse("web-1-data")));
    private static readonly KeySubject.MachineTpm Tpm = new(new CompartmentRef(Bank, StatementName.Parse("web-1")));

    private readonly EcdsaSigner _service = Signatory.NewKey(), _host = Signatory.NewKey();
    private readonly string _root = Directory.CreateTempSubdirectory("bw-scrub-").FullName;
    private readonly string _pool;
    private readonly List<string> _log = [];
    private bool _inUse;

    public ScrubberTests()
    {
        _pool = Path.Combine(_root, "pool");
        Directory.CreateDirectory(_pool);
        Directory.CreateDirectory(
            Path.Combine(_root, "own"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public static TheoryData<ScrubStep> Steps => [.. Enum.GetValues<ScrubStep>()];

    private string FileOf => Path.Combine(_pool, ScrubOrder.FileOf(Volume));

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Overwrites_all_of_a_volume_reads_it_back_and_removes_it()
    {
        byte[] order = Order(Filled());
        using FileStream before = File.OpenRead(FileOf);
        ScrubFindings findings = Ran(order);
        Assert.Equal(ScrubOutcome.Overwritten, findings.Outcome);
        Assert.Equal(before.Length, findings.Bytes);
        Assert.InRange(findings.Sampled, 50, 64);
        Assert.False(File.Exists(FileOf));
        byte[] left = Content(before);
        Assert.Equal(-1, left.AsSpan().IndexOf(Pattern.AsSpan(0, 16)));
        Assert.True(left.AsSpan(0, 512).IndexOfAnyExcept((byte)0) >= 0, "it was overwritten with zeros");
        Assert.False(left.AsSpan().StartsWith("LUKS"u8));
        Assert.Equal([false, true], _log.Select(line => line.StartsWith("end", StringComparison.Ordinal)));
    }

    [Fact]
    public void Removes_without_overwriting_where_the_statement_asks_for_no_more()
    {
        byte[] order = Order(Filled(), WipeMethod.CryptoErase);
        using FileStream before = File.OpenRead(FileOf);
        ScrubFindings findings = Ran(order);
        Assert.Equal((ScrubOutcome.Removed, 0, 0), (findings.Outcome, findings.Bytes, findings.Sampled));
        Assert.False(File.Exists(FileOf));
        Assert.NotEqual(-1, Content(before).AsSpan().IndexOf(Pattern.AsSpan(0, 16)));
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void Goes_on_after_a_death_at_any_step(ScrubStep step)
    {
        byte[] order = Order(Filled());
        using FileStream before = File.OpenRead(FileOf);
        Assert.Throws<InvalidOperationException>(() => Run(
            order, at => _ = at == step ? throw new InvalidOperationException("death") : 0));
        ScrubFindings findings = Ran(order);
        Assert.Equal(ScrubOutcome.Overwritten, findings.Outcome);
        Assert.Equal(before.Length, findings.Bytes);
        Assert.False(File.Exists(FileOf));
        Assert.Equal(-1, Content(before).AsSpan().IndexOf(Pattern.AsSpan(0, 16)));
    }

    [Theory]
    [InlineData(ScrubStep.Noted)]
    [InlineData(ScrubStep.PartWritten)]
    [InlineData(ScrubStep.Unlinked)]
    public void A_file_that_took_the_name_meanwhile_is_not_touched(ScrubStep step)
    {
        byte[] order = Order(Filled());
        Assert.Throws<InvalidOperationException>(() => Run(
            order, at => _ = at == step ? throw new InvalidOperationException("death") : 0));
        File.Delete(FileOf);
        Filled();
        using (FileStream other = File.OpenWrite(FileOf))
        {
            // Another volume has another name in its header; the number of the file may be the same.
            other.Position = 168;
            other.Write("7"u8);
        }

        byte[] content = File.ReadAllBytes(FileOf);
        Ran(order);
        Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(FileOf)));
    }

    [Fact]
    public void What_was_answered_is_answered_the_same_and_done_once()
    {
        byte[] order = Order(Filled());
        byte[]? first = Run(order);
        Filled();
        Assert.Equal(first, Run(order));
        Assert.True(File.Exists(FileOf));
    }

    [Fact]
    public void Touches_no_file_of_another_header_and_says_when_there_is_none()
    {
        Assert.Equal(ScrubOutcome.NotFound, Ran(Order(Digest32.Of("h"u8))).Outcome);
        Filled();
        byte[] content = File.ReadAllBytes(FileOf);
        Assert.Equal(ScrubOutcome.OtherHeader, Ran(Order(Digest32.Of("other"u8))).Outcome);
        Assert.Equal(ScrubOutcome.OtherHeader, Ran(Order(null)).Outcome);
        Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(FileOf)));
        Assert.Equal(ScrubOutcome.Overwritten, Ran(Order(Header())).Outcome);
    }

    [Theory]
    [InlineData("link")]
    [InlineData("second name")]
    [InlineData("directory")]
    public void Touches_nothing_that_is_no_file_of_ours(string what)
    {
        Digest32 header = Filled();
        string aside = Path.Combine(_root, "aside");
        byte[] content = File.ReadAllBytes(FileOf);
        File.Move(FileOf, aside);
        switch (what)
        {
            case "link":
                File.CreateSymbolicLink(FileOf, aside);
                break;
            case "second name":
                Assert.Equal(0, Link(aside, FileOf));
                break;
            default:
                Directory.CreateDirectory(FileOf);
                break;
        }

        Assert.Equal(ScrubOutcome.NotOurs, Ran(Order(header)).Outcome);
        Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(aside)));
        Assert.True(Path.Exists(FileOf));
    }

    [Fact]
    public void Waits_while_the_file_is_in_use_here_or_anywhere()
    {
        byte[] order = Order(Filled());
        _inUse = true;
        Assert.Null(Run(order));
        Assert.Empty(_log);
        _inUse = false;
        using (FileStream other = File.Open(FileOf, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            // As QEMU holds an image: a shared lock of the open file, on one byte.
            byte[] flock = new byte[32];
            BitConverter.TryWriteBytes(flock.AsSpan(8), 100L);
            BitConverter.TryWriteBytes(flock.AsSpan(16), 1L);
            Assert.Equal(0, Fcntl((int)other.SafeFileHandle.DangerousGetHandle(), 37, flock));
            Assert.Null(Run(order));
            Assert.True(File.ReadAllBytes(FileOf).AsSpan().StartsWith("LUKS"u8));
        }

        Assert.Equal(ScrubOutcome.Overwritten, Ran(order).Outcome);
    }

    [Fact]
    public void What_a_filling_had_come_to_goes_too_and_nothing_else_under_that_name()
    {
        Filled();
        string filling = Path.Combine(_pool, ScrubOrder.FillingOf(Volume));
        File.Move(FileOf, filling);
        Assert.Equal(ScrubOutcome.OtherHeader, Ran(Order(Digest32.Of("another volume's"u8))).Outcome);
        Assert.True(File.Exists(filling));
        using FileStream before = File.OpenRead(filling);
        ScrubFindings findings = Ran(Order(null));
        Assert.Equal((ScrubOutcome.Overwritten, before.Length), (findings.Outcome, findings.Bytes));
        Assert.False(File.Exists(filling));
        Assert.Equal(-1, Content(before).AsSpan().IndexOf(Pattern.AsSpan(0, 16)));

        File.WriteAllBytes(filling, Pattern);
        Assert.Equal(
            ScrubOutcome.OtherHeader, Ran(Order(null, WipeMethod.CryptoErase, "no volume at all")).Outcome);
        Assert.Equal(Pattern, File.ReadAllBytes(filling));
    }

    [Fact]
    public void A_large_volume_is_overwritten_in_turns_between_which_another_is_done_whole()
    {
        byte[] order = Order(Filled());
        using FileStream before = File.OpenRead(FileOf);
        Assert.IsType<ScrubTurn.Halfway>(Turn(order, turnBytes: 3 << 20));
        string directory = Path.Combine(_pool, ScrubOrder.FileOf(Tpm));
        Directory.CreateDirectory(directory);
        File.WriteAllBytes(Path.Combine(directory, Digest32.Of("one"u8).Hex), Pattern);
        byte[] small = ScrubOrder.Write(Thing(Tpm, null, WipeMethod.Overwrite), Host, _service);
        Assert.IsType<ScrubTurn.Reported>(Turn(small, turnBytes: 3 << 20));
        Assert.True(File.Exists(FileOf));
        Assert.NotEqual(-1, Content(before).AsSpan().IndexOf(Pattern.AsSpan(0, 16)));

        // A death in the middle takes no turn back.
        Assert.Throws<InvalidOperationException>(() => Turn(order, 3 << 20, at => _ = at == ScrubStep.PartWritten
            ? throw new InvalidOperationException("death") : 0));
        int turns = 1;
        while (Turn(order, 3 << 20) is ScrubTurn.Halfway)
        {
            turns++;
            Assert.InRange(turns, 1, 10);
        }

        Assert.Equal((before.Length - 1) / (3 << 20), turns);
        Assert.False(File.Exists(FileOf));
        Assert.Equal(-1, Content(before).AsSpan().IndexOf(Pattern.AsSpan(0, 16)));
    }

    [Fact]
    public void All_states_of_a_machines_TPM_go_and_those_that_came_after_the_beginning_stay()
    {
        string directory = Path.Combine(_pool, ScrubOrder.FileOf(Tpm));
        Directory.CreateDirectory(directory);
        byte[] state = [.. Enumerable.Repeat(Pattern, 100).SelectMany(part => part)];
        File.WriteAllBytes(Path.Combine(directory, Digest32.Of("one"u8).Hex), state);
        File.WriteAllBytes(Path.Combine(directory, Digest32.Of("two"u8).Hex), state[..100]);
        byte[] order = ScrubOrder.Write(Thing(Tpm, null, WipeMethod.Overwrite), Host, _service);
        Assert.Throws<InvalidOperationException>(() => Run(
            order, at => _ = at == ScrubStep.ReadBack ? throw new InvalidOperationException("death") : 0));
        string later = Path.Combine(directory, Digest32.Of("three"u8).Hex);
        File.WriteAllBytes(later, state);
        ScrubFindings findings = Ran(order);
        Assert.Equal((ScrubOutcome.Overwritten, state.Length + 100), (findings.Outcome, findings.Bytes));
        Assert.Equal([later], Directory.GetFiles(directory));
        Assert.Equal(state, File.ReadAllBytes(later));
    }

    [Fact]
    public void Storage_is_called_in_place_only_where_that_is_known()
    {
        Assert.Equal((ScrubStorage.InPlace, "ext"), PoolStorage.Of(0xEF53, turns: true));
        Assert.Equal((ScrubStorage.Remapped, "ext"), PoolStorage.Of(0xEF53, turns: false));
        Assert.Equal((ScrubStorage.Remapped, "xfs"), PoolStorage.Of(0x58465342, turns: null));
        Assert.Equal((ScrubStorage.CopyOnWrite, "btrfs"), PoolStorage.Of(unchecked((int)0x9123683E), turns: true));
        Assert.Equal((ScrubStorage.CopyOnWrite, "overlay"), PoolStorage.Of(0x794C7630, turns: true));
        Assert.Equal((ScrubStorage.Unknown, "nfs"), PoolStorage.Of(0x6969, turns: true));
        Assert.Equal((ScrubStorage.Unknown, "0x4d44"), PoolStorage.Of(0x4D44, turns: true));
    }

    [Fact]
    public void Noise_is_the_same_wherever_it_is_begun_and_nothing_repeats_in_it()
    {
        using ScrubNoise noise = new(Digest32.Of("seed"u8)), other = new(Digest32.Of("other"u8));
        byte[] whole = new byte[65536], part = new byte[1000], others = new byte[65536];
        noise.Fill(0, whole);
        noise.Fill(4096, part);
        other.Fill(0, others);
        Assert.True(part.AsSpan().SequenceEqual(whole.AsSpan(4096, 1000)));
        Assert.False(whole.AsSpan().SequenceEqual(others));
        Assert.Equal(
            4096, Enumerable.Range(0, 4096).Select(i => Convert.ToHexString(whole, i * 16, 16)).Distinct().Count());
        Assert.Contains(0, noise.Sample(1 << 20));
        Assert.Contains((1 << 20) - 4096, noise.Sample(1 << 20));
        Assert.NotEqual(noise.Sample(1 << 30), other.Sample(1 << 30));
        Assert.Empty(noise.Sample(100));
    }

    private ScrubFindings Ran(byte[] order)
    {
        byte[] report = Run(order) ?? throw new InvalidOperationException("the file is in use");
        ScrubReport read = ScrubReport.Verify(report, _host.PublicKey, out string fault)
            ?? throw new InvalidOperationException(fault);
        Assert.Null(ScrubReport.Verify(report, _service.PublicKey, out _));
        Assert.Equal(Read(order).Digest, read.Order);
        return read.Findings;
    }

    private byte[]? Run(byte[] order, Action<ScrubStep>? trace = null) =>
        Turn(order, long.MaxValue, trace) switch
        {
            ScrubTurn.Reported { Report: var report } => report,
            ScrubTurn.InUse => null,
            _ => throw new InvalidOperationException("a turn without an end"),
        };

    private ScrubTurn Turn(byte[] order, long turnBytes, Action<ScrubStep>? trace = null)
    {
        using PrivateDirectory own = PrivateDirectory.Open(LinuxDisk.Instance, Path.Combine(_root, "own"));
        Scrubber scrubber = new(
            LinuxDisk.Instance, _pool, ScrubBook.Open(own),
            new ScrubSurroundings(
                _ => _inUse, (_, isEnd, said) => _log.Add((isEnd ? "end " : "begin ") + said),
                (asked, findings) => ScrubReport.Write(asked, findings, _host), trace ?? (_ => { })))
        {
            TurnBytes = turnBytes,
        };
        return scrubber.Run(Read(order), order, TestContext.Current.CancellationToken);
    }

    private ScrubOrder Read(byte[] order) =>
        ScrubOrder.Verify(order, Bank, _service.PublicKey, out string fault)
        ?? throw new InvalidOperationException(fault);

    private byte[] Order(Digest32? header, WipeMethod wipe = WipeMethod.Overwrite, string? serial = null) =>
        ScrubOrder.Write(Thing(Volume, header, wipe, serial), Host, _service);

    private static ScrubbedThing Thing(KeySubject key, Digest32? header, WipeMethod wipe, string? serial = null) =>
        new(key, Digest32.Of(System.Text.Encoding.UTF8.GetBytes(serial ?? $"{key} {header}")), Digest32.Of("seed"u8))
        {
            Header = header, Wipe = wipe,
        };

    /// <summary>A volume as QEMU makes it, full of a pattern behind its header; its header's digest.</summary>
    private Digest32 Filled()
    {
        FakeImages.Luks(FileOf, "20M");
        using FileStream file = File.OpenWrite(FileOf);
        file.Position = PayloadOffset;
        byte[] part = [.. Enumerable.Repeat(Pattern, 1024).SelectMany(one => one)];
        while (file.Position < file.Length)
        {
            file.Write(part.AsSpan(0, (int)Math.Min(part.Length, file.Length - file.Position)));
        }

        file.Dispose();
        return Header();
    }

    private Digest32 Header()
    {
        using FileStream file = File.OpenRead(FileOf);
        DiskBytes bytes = new(file.Length, (offset, into) => RandomAccess.Read(file.SafeFileHandle, into, offset));
        return VolumeContent.Check(bytes, 20 << 20).HeaderDigest ?? throw new InvalidOperationException();
    }

    private static byte[] Content(FileStream file)
    {
        byte[] content = new byte[file.Length];
        RandomAccess.Read(file.SafeFileHandle, content, 0);
        return content;
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string from, string to);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Fcntl(int descriptor, int command, byte[] value);
}
