using System.Buffers.Binary;
using System.Collections.Immutable;
using Bailiwick.Custody;
using Bailiwick.Custody.Backups;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Volumes;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Volumes;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Custody.Backups;

/// <summary>A backup is kept as a whole or not at all, and says itself when it is not what a host signed.</summary>
public sealed class BackupFolderTests : IDisposable
{
    private const int SizeMib = 4;
    private static readonly EcdsaSigner Host = Signatory.NewKey(), Stranger = Signatory.NewKey();
    private static readonly byte[] Content = DiskImage.Vector("luks1").Content;
    private readonly string _directory = Directory.CreateTempSubdirectory("bw-backup-").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static BackedUpVolume What { get; } = new(
        new VolumeRef(PartyId.Unsigned("bank"), StatementName.Parse("data")),
        VolumeContent.Check(DiskImage.Vector("luks1").Bytes, SizeMib << 20).HeaderDigest
            ?? throw new InvalidOperationException(),
        SizeMib, Content.Length, Digest32.Of(Content))
    {
        Statement = (Digest32.Of("statement"u8), 3),
        Ledger = ("log.example", 7, Digest32.Of("root"u8)),
        Host = new HostRef(PartyId.Unsigned("alpine"), StatementName.Parse("host-1")),
        At = new DateTimeOffset(2026, 11, 21, 10, 0, 0, TimeSpan.Zero),
    };

    private static byte[] Manifest { get; } = VolumeBackup.Write(What, Host);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task What_a_host_sent_is_kept_privately_and_verified_without_asking_anybody()
    {
        List<long> told = [];
        VolumeBackup backup = await BackupFolder.ReceiveAsync(
            new MemoryStream(Sent(Content, Manifest)), _directory, Host.PublicKey, (came, _) => told.Add(came), Stop);
        Assert.Equal(What, backup.What);
        Assert.Equal(Content.Length, told[^1]);
        Assert.Equal(
            [BackupFolder.ManifestName, BackupFolder.VolumeName],
            Directory.GetFiles(_directory).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.All(
            Directory.GetFiles(_directory),
            file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
        (VolumeBackup again, ImmutableArray<string> against) = BackupFolder.Verify(_directory, Host.PublicKey);
        Assert.Empty(against);
        Assert.Equal(backup.Digest, again.Digest);
        Assert.Throws<CustodyException>(() => BackupFolder.Verify(_directory, Stranger.PublicKey));

        // It is never written over.
        await Assert.ThrowsAsync<CustodyException>(() => Receive(Sent(Content, Manifest)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(100_000)]
    [InlineData(-1)]
    [InlineData(-900)]
    public async Task What_ends_early_is_refused_and_nothing_of_it_stays(int length)
    {
        byte[] sent = Sent(Content, Manifest);
        await Assert.ThrowsAsync<CustodyException>(
            () => Receive(sent[..(length < 0 ? sent.Length + length : length)]));
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(-1L)]
    [InlineData(long.MaxValue)]
    public async Task A_length_that_no_volume_has_is_believed_in_nothing(long length)
    {
        byte[] sent = Sent(Content, Manifest);
        BinaryPrimitives.WriteInt64BigEndian(sent, length);
        await Assert.ThrowsAsync<CustodyException>(() => Receive(sent));
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public async Task A_bit_that_was_flipped_on_the_way_is_found_before_anything_is_kept()
    {
        for (int tried = 0; tried < 40; tried++)
        {
            byte[] sent = Sent(Content, Manifest);
            int at = tried == 0 ? sent.Length - 5 : Random.Shared.Next(8, 8 + Content.Length);
            sent[at] ^= (byte)(1 << Random.Shared.Next(8));
            await Assert.ThrowsAsync<CustodyException>(() => Receive(sent));
            Assert.Empty(Directory.GetFiles(_directory));
        }

        await Receive(Sent(Content, Manifest));
    }

    [Theory]
    [InlineData(5, "[backup-content]", "[luks-")]
    [InlineData(9000, "[backup-content]", "[backup-header]")]
    [InlineData(2_100_000, "[backup-content]", "")]
    public async Task A_bit_that_was_flipped_at_rest_is_found_wherever_it_lies(int at, string first, string second)
    {
        await Receive(Sent(Content, Manifest));
        string file = Path.Combine(_directory, BackupFolder.VolumeName);
        byte[] bytes = await File.ReadAllBytesAsync(file, Stop);
        bytes[at] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, Stop);
        ImmutableArray<string> against = BackupFolder.Verify(_directory, Host.PublicKey).Against;
        Assert.Contains(against, one => one.Contains(first, StringComparison.Ordinal));
        Assert.Contains(against, one => one.Contains(second, StringComparison.Ordinal));
        await File.WriteAllBytesAsync(file, bytes[..^512], Stop);
        Assert.Contains(
            BackupFolder.Verify(_directory, Host.PublicKey).Against,
            one => one.EndsWith("[backup-length]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_manifest_that_was_changed_anywhere_is_none_of_the_host()
    {
        await Receive(Sent(Content, Manifest));
        string file = Path.Combine(_directory, BackupFolder.ManifestName);
        for (int at = 0; at < Manifest.Length; at += 7)
        {
            byte[] changed = [.. Manifest];
            changed[at] ^= 1;
            await File.WriteAllBytesAsync(file, changed, Stop);
            Assert.Throws<CustodyException>(() => BackupFolder.Verify(_directory, Host.PublicKey));
        }

        await File.WriteAllBytesAsync(file, Manifest, Stop);
        Assert.Empty(BackupFolder.Verify(_directory, Host.PublicKey).Against);
    }

    [Fact]
    public async Task A_manifest_of_another_host_or_for_other_bytes_is_refused()
    {
        await Assert.ThrowsAsync<CustodyException>(
            () => Receive(Sent(Content, VolumeBackup.Write(What, Stranger))));
        foreach (BackedUpVolume other in new[]
        {
            What with { Sha256 = Digest32.Of("other"u8) }, What with { Header = Digest32.Of("other"u8) },
            What with { SizeMib = SizeMib + 1 }, What with { Bytes = What.Bytes + 1 },
        })
        {
            await Assert.ThrowsAsync<CustodyException>(() => Receive(Sent(Content, VolumeBackup.Write(other, Host))));
        }

        Assert.Empty(Directory.GetFiles(_directory));
    }

    private Task<VolumeBackup> Receive(byte[] sent) => BackupFolder.ReceiveAsync(
        new MemoryStream(sent), _directory, Host.PublicKey, (_, _) => { }, Stop);

    private static byte[] Sent(byte[] volume, byte[] manifest)
    {
        byte[] long8 = new byte[8], int4 = new byte[4];
        BinaryPrimitives.WriteInt64BigEndian(long8, volume.Length);
        BinaryPrimitives.WriteInt32BigEndian(int4, manifest.Length);
        return [.. long8, .. volume, .. int4, .. manifest];
    }
}
