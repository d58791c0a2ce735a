using System.Security.Cryptography;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Custody.Backups;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Checkpoints;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Backups;
using Bailiwick.Proxy.Storage;
using Bailiwick.Tests.Fakes;
using Bailiwick.Tests.Ledger.Checkpoints;
using Bailiwick.Tests.Ledger.Statements;

namespace Bailiwick.Tests.Proxy.Backups;

/// <summary>What a host gives away as a backup, and when it does not.</summary>
public sealed class VolumeBackupsTests : IDisposable
{
    private static readonly EcdsaSigner Host = Signatory.NewKey();
    private readonly ProxyBench _bench = new();
    private readonly LogUnderTest _log = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("bw-backup-").FullName;
    private VerifiedCheckpoint? _seen;

    public VolumeBackupsTests() => _seen = _log.Head();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private VolumeRef Volume => new(_bench.Datacentre.Acme.Id, StatementName.Parse("web-1-data"));

    private string Place => Path.Combine(_bench.Pool, VolumeBackup.FileOf(Volume));

    public void Dispose()
    {
        _bench.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_backup_is_the_files_own_bytes_with_a_manifest_of_what_was_in_force_and_is_recorded()
    {
        Publish("required");
        FakeImages.Luks(Place, "16M");
        using MemoryStream sent = new();
        Assert.Null(await Backups().SendAsync(Volume, "acme's desk", sent, Stop));
        sent.Position = 0;
        BackedUpVolume what = (await BackupFolder.ReceiveAsync(
            sent, _directory, Host.PublicKey, (_, _) => { }, Stop)).What;
        byte[] place = await File.ReadAllBytesAsync(Place, Stop);
        Assert.Equal((Volume, 16, (long)place.Length), (what.Volume, what.SizeMib, what.Bytes));
        Assert.Equal(Digest32.Of(place), what.Sha256);
        Assert.Equal(place, await File.ReadAllBytesAsync(Path.Combine(_directory, BackupFolder.VolumeName), Stop));
        VerifiedStatement stated = _bench.Plans.Book.Find(Volume.Tenant, StatementKind.Volume, Volume.Name)
            ?? throw new InvalidOperationException("it is not stated");
        Assert.Equal((stated.Digest, stated.Revision), what.Statement);
        Assert.Equal((_seen?.Origin, _seen?.Size, _seen?.Root), what.Ledger);
        Assert.Equal(_bench.Datacentre.Host(1), what.Host);
        Assert.Contains(_bench.Integrity.Read(0, 1000), line => line.Entry.Kind == IntegrityKind.ManagementRead
            && line.Detail.Text.Contains("by acme's desk", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_program_writes_is_not_given_away()
    {
        Publish("required");
        FakeImages.Luks(Place, "16M");
        using (FileStream writer = new(Place, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            Assert.True(ImageLock.TryAgainstAll((int)writer.SafeFileHandle.DangerousGetHandle()));
            await Refused("volume-written");
        }

        // Who only keeps others from writing, as one who reads does, is no hindrance.
        using (ImageLock.AgainstWriters(Place))
        {
            Assert.Null(await Backups().SendAsync(Volume, "", new MemoryStream(), Stop));
        }
    }

    [Fact]
    public async Task Nothing_is_given_away_of_what_is_not_there_not_ours_not_stated_or_in_clear()
    {
        Publish("required");
        await Refused("no-file");
        await File.WriteAllBytesAsync(Place, RandomNumberGenerator.GetBytes(4096), Stop);
        await Refused("not-ours");
        FakeImages.Luks(Place, "17M");
        await Refused("not-ours");
        FakeImages.Luks(Place, "16M");
        _seen = null;
        await Refused("no-checkpoint");
        _seen = _log.Head();
        Assert.Null(await Backups().SendAsync(Volume, "", new MemoryStream(), Stop));
        await Refused("not-found", new VolumeRef(Volume.Tenant, StatementName.Parse("web-9-data")));
        await Refused("not-found", new VolumeRef(_bench.Datacentre.Rival.Id, Volume.Name));
    }

    [Fact]
    public async Task A_volume_in_clear_is_not_backed_up()
    {
        Publish("none");
        await Refused("not-encrypted");
    }

    [Fact]
    public async Task A_file_that_is_exchanged_while_it_is_sent_gets_no_manifest()
    {
        Publish("required");
        FakeImages.Luks(Place, "16M");
        await using Exchanging output = new(() =>
        {
            File.Delete(Place);
            FakeImages.Luks(Place, "15M");
        });
        Assert.Null(await Backups().SendAsync(Volume, "", output, Stop));
        output.Position = 0;
        await Assert.ThrowsAsync<Bailiwick.Custody.CustodyException>(() => BackupFolder.ReceiveAsync(
            output, _directory, Host.PublicKey, (_, _) => { }, Stop));
        Assert.Empty(Directory.GetFiles(_directory));
    }

    private async Task Refused(string code, VolumeRef? volume = null)
    {
        using MemoryStream sent = new();
        Assert.Equal(code, (await Backups().SendAsync(volume ?? Volume, "", sent, Stop))?.Code);
        Assert.Equal(0, sent.Length);
    }

    private VolumeBackups Backups() => new(
        (_bench.Datacentre.Host(1), Host), _bench.Plans, () => _seen,
        new VolumeFiles(_bench.Host, _bench.Pool) { SizesOf = _bench.Sizes.Of }, _bench.Integrity, _bench.Clock);

    private void Publish(string storage)
    {
        _bench.Datacentre.With(_bench.Datacentre.Acme, "web", "10.20.1.0/24", 1, storage: storage);
        _bench.Publish((_bench.Datacentre.Acme, "web-1"));
    }

    /// <summary>Something happens once, after its first mebibyte.</summary>
    private sealed class Exchanging(Action happens) : MemoryStream
    {
        private bool _happened;

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Length > 1 << 20 && !_happened)
            {
                _happened = true;
                happens();
            }

            return base.WriteAsync(buffer, cancellationToken);
        }
    }
}
