using System.Text;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.HostTests.Provisioning;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.HostTests.Volumes;

/// <summary>A volume that was made larger, as QEMU's own driver reads it.</summary>
public sealed class VolumeGrowthTests : IDisposable
{
    private const int Before = 8, After = 12;
    private readonly string _root = Directory.CreateTempSubdirectory("bw-grow-").FullName;
    private readonly SecretBytes _key = SecretBytes.Random(32);
    private readonly byte[] _content = new byte[Before << 20];
    private readonly RecordingHost _host = new();
    private readonly VolumeServer _server;
    private readonly VolumeFiles _files;

    public VolumeGrowthTests()
    {
        _server = new VolumeServer(_host);
        _files = new VolumeFiles(_host, Directory.CreateDirectory(Path.Combine(_root, "pool")).FullName)
        {
            SizesOf = _ => [Before, After],
        };
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _key.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_old_content_stays_whatever_it_looks_like_and_the_new_room_is_the_machines(bool encrypted)
    {
        string target = Path.Combine(_root, "of-somebody-else"), lie = Path.Combine(_root, "lie");
        await File.WriteAllTextAsync(target, "SOMEBODY ELSE", Stop);
        new RealHost().Run(new ProgramCall(
            "qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", target, "-F", "raw", lie, "1T"));
        Random.Shared.NextBytes(_content);
        (await File.ReadAllBytesAsync(lie, Stop)).CopyTo(_content, 0);
        DiskPlan small = Disk(Before, encrypted), large = Disk(After, encrypted);
        await Made(small);
        VolumeState before = _files.Inspect(large);
        Assert.Equal((Before, true), (before.FormerMib, before.Refusals.IsEmpty));
        DateTime read = File.GetLastAccessTimeUtc(target);
        int calls = _host.Calls.Count;

        Assert.True(_files.TryGrow(large));
        Assert.Equal(calls, _host.Calls.Count);
        VolumeState after = _files.Inspect(large);
        Assert.Equal((null, true, before.Header), (after.FormerMib, after.Refusals.IsEmpty, after.Header));
        byte[] all = await Content(large);
        Assert.Equal(_content, all[.._content.Length]);
        Assert.Equal(read, File.GetLastAccessTimeUtc(target));

        // Nothing of anybody is in the new end: noise under a key, zeros without.
        Assert.Equal(encrypted, all[_content.Length..].Any(one => one != 0));
        Assert.EndsWith(
            "[volume-length]", Assert.Single(_files.Inspect(small).Refusals), StringComparison.Ordinal);

        // A machine can write there.
        Encoding.ASCII.GetBytes("AT THE NEW END").CopyTo(all, all.Length - 20);
        await Write(large, all);
        Assert.Equal(all, await Content(large));
    }

    [Fact]
    public async Task While_QEMU_has_it_open_it_is_not_made_longer()
    {
        DiskPlan small = Disk(Before, true), large = Disk(After, true);
        await Made(small);
        Assert.False(await _server.UseAsync(Use(small), (_, _) => Task.FromResult(_files.TryGrow(large)), Stop));
        Assert.Equal(Before, _files.Inspect(large).FormerMib);
        Assert.True(_files.TryGrow(large));
        Assert.Null(_files.Inspect(large).FormerMib);
    }

    private static DiskPlan Disk(int sizeMib, bool encrypted) => new(
        new VolumeRef(PartyId.Unsigned("bank"), StatementName.Parse("data")), encrypted ? "data.luks" : "data.raw",
        sizeMib, encrypted, VolumeAccess.Write, "vda", Guid.NewGuid(), new Reason("a test", []))
    {
        Sharing = VolumeSharing.Exclusive,
    };

    private async Task Made(DiskPlan disk)
    {
        if (disk.Encrypted)
        {
            _files.CreateEncrypted(disk, _key);
        }
        else
        {
            _files.CreatePlain(disk);
        }

        await Write(disk, _content);
    }

    private VolumeUse Use(DiskPlan disk) => new(
        disk, _files.PathOf(disk), disk.Encrypted ? _key : null, _root, (long)disk.SizeMib << 20);

    private Task<bool> Write(DiskPlan disk, byte[] content) => _server.UseAsync(
        Use(disk) with { Writes = true },
        async (export, stop) =>
        {
            for (int at = 0; at < content.Length; at += 1 << 20)
            {
                await export.WriteAsync(at, content.AsMemory(at, 1 << 20), stop);
            }

            await export.FlushAsync(stop);
            return true;
        },
        Stop);

    private Task<byte[]> Content(DiskPlan disk) => _server.UseAsync(
        Use(disk),
        async (export, stop) =>
        {
            byte[] all = new byte[disk.SizeMib << 20];
            for (int at = 0; at < all.Length; at += 1 << 20)
            {
                await export.ReadAsync(at, all.AsMemory(at, 1 << 20), stop);
            }

            return all;
        },
        Stop);
}
