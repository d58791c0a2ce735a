using System.Diagnostics;
using System.Security.Cryptography;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Durable.Files;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Provisioning;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.HostTests.Provisioning;

/// <summary>Volumes are filled by the real qemu-nbd into the LUKS files that the product makes.</summary>
public sealed class VolumeFillerTests : IDisposable
{
    private const int ImageMib = 96, VolumeMib = 100;
    private readonly string _root = Directory.CreateTempSubdirectory("bw-fill-").FullName;
    private readonly SecretBytes _key = SecretBytes.Random(32);
    private readonly byte[] _image = new byte[ImageMib << 20];
    private readonly RecordingHost _host = new();
    private readonly VolumeFiles _files;
    private readonly VolumeServer _server;
    private readonly string _pool, _images;
    private readonly DiskPlan _disk;

    public VolumeFillerTests()
    {
        // What a machine may have written into its disk: it looks like a copy-on-write file over the host's secrets.
        Random.Shared.NextBytes(_image);
        "QFI\xfb\0\0\0\x03"u8.CopyTo(_image);
        "BAILIWICK-CANARY-0123456789"u8.CopyTo(_image.AsSpan(40 << 20));
        _pool = Directory.CreateDirectory(Path.Combine(_root, "po,ol")).FullName;
        _images = Directory.CreateDirectory(Path.Combine(_root, "images")).FullName;
        File.WriteAllBytes(Path.Combine(_images, Stated), _image);
        _files = new VolumeFiles(_host, _pool);
        _server = new VolumeServer(_host);
        Reason reason = new("a test", []);
        PartyId bank = PartyId.Unsigned("bank");
        _disk = new DiskPlan(
            new VolumeRef(bank, StatementName.Parse("base")), "base.luks", VolumeMib, true, VolumeAccess.Write, "vda",
            Guid.NewGuid(), reason)
        {
            Content = new ContentPlan(Stated, ImageMib, reason),
            Sharing = VolumeSharing.Exclusive,
        };
    }

    private string Stated => Convert.ToHexStringLower(SHA256.HashData(_image));

    public void Dispose()
    {
        _key.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task The_machine_reads_the_image_and_nothing_of_it_is_in_the_pool_in_clear()
    {
        Digest32 header = await Fill(_ => { }, TestContext.Current.CancellationToken);
        Assert.Equal(header, _files.InspectFilling(_disk).Header);
        Assert.False(_files.Inspect(_disk).Exists);
        Filler().Complete(_disk);
        Assert.Equal(header, _files.Inspect(_disk).Header);
        AssertBegins(await Content());

        string canary = Path.Combine(_root, "canary");
        await File.WriteAllTextAsync(canary, "BAILIWICK-CANARY-0123456789", TestContext.Current.CancellationToken);
        Assert.Equal(1, Grep(canary, _pool));
        Assert.Equal(0, Grep(canary, _images));
    }

    [Fact]
    public async Task Every_call_names_the_format_and_no_call_has_the_key()
    {
        await Fill(_ => { }, TestContext.Current.CancellationToken);
        string key = System.Text.Encoding.ASCII.GetString(VolumeFiles.Passphrase(_key));
        Assert.All(_host.Calls, call => Assert.DoesNotContain(key, string.Join(' ', call), StringComparison.Ordinal));
        // QEMU is asked again, in the same words, where it could not measure how long a passphrase takes.
        string[][] disks =
        [
            .. _host.Calls.Where(call => call.Any(word => word is "qemu-img" or "qemu-nbd"))
                .DistinctBy(call => string.Join(' ', call)),
        ];
        Assert.Equal(3, disks.Length);
        Assert.All(disks, call => Assert.True(
            call.Contains("luks") && call.Contains("-f")
            || call.Any(word => word.StartsWith("driver=luks,", StringComparison.Ordinal)
                && word.Contains("file.driver=file,", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Given_up_in_the_middle_it_goes_on_where_it_was()
    {
        using CancellationTokenSource kill = new();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Fill(
            bytes =>
            {
                if (bytes >= 70 << 20)
                {
                    kill.Cancel();
                }
            },
            kill.Token));
        FillMark mark = Assert.IsType<FillMark>(Marks().Find(_disk.Volume.ToString()));
        Assert.Equal(64 << 20, mark.Bytes);
        Assert.Equal(mark.Header, _files.InspectFilling(_disk).Header?.Hex);

        // The header has random salts: the same one is the same file.
        Digest32 header = await Fill(_ => { }, TestContext.Current.CancellationToken);
        Assert.Equal(mark.Header, header.Hex);
        Filler().Complete(_disk);
        AssertBegins(await Content());
        Assert.Null(Marks().Find(_disk.Volume.ToString()));
    }

    [Fact]
    public async Task What_was_written_before_and_is_not_there_any_more_is_found_and_begun_anew()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(Interrupted);
        await using (FileStream file = File.OpenWrite(_files.FillingOf(_disk)))
        {
            // The last chunk before the position, somewhere in it.
            file.Position = file.Length - ((long)VolumeMib << 20) + (63 << 20) + 777;
            file.Write([1, 2, 3]);
        }

        WorldException fault = await Assert.ThrowsAsync<WorldException>(
            () => Fill(_ => { }, TestContext.Current.CancellationToken));
        Assert.Contains("begun anew", fault.Stderr, StringComparison.Ordinal);
        Assert.False(File.Exists(_files.FillingOf(_disk)));
        await Fill(_ => { }, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task What_was_garbled_long_before_the_position_is_found_when_all_is_read_back()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(Interrupted);
        await using (FileStream file = File.OpenWrite(_files.FillingOf(_disk)))
        {
            file.Position = file.Length - ((long)VolumeMib << 20) + (5 << 20);
            file.Write([1, 2, 3]);
        }

        WorldException fault = await Assert.ThrowsAsync<WorldException>(
            () => Fill(_ => { }, TestContext.Current.CancellationToken));
        Assert.EndsWith("[content-differs]", fault.Stderr, StringComparison.Ordinal);
        Assert.False(File.Exists(_files.FillingOf(_disk)));
        Assert.Null(Marks().Find(_disk.Volume.ToString()));
    }

    private void AssertBegins(byte[] read) =>
        Assert.True(_image.AsSpan().SequenceEqual(read.AsSpan(0, _image.Length)));

    private async Task Interrupted()
    {
        using CancellationTokenSource kill = new();
        await Fill(
            bytes =>
            {
                if (bytes >= 70 << 20)
                {
                    kill.Cancel();
                }
            },
            kill.Token);
    }

    /// <summary>As a Proxy that was just started does: what it knows of earlier ones is on the disk.</summary>
    private Task<Digest32> Fill(Action<long> progress, CancellationToken stop) =>
        Filler().FillAsync(new FillOrder(_disk, _key, null), _root, progress, stop);

    private VolumeFiller Filler() => new(_server, _files, Marks(), _images);

    private FillMarks Marks() => FillMarks.Open(
        PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, Path.Combine(_root, "private")));

    private Task<byte[]> Content() => _server.UseAsync(
        new VolumeUse(_disk, _files.PathOf(_disk), _key, _root, (long)VolumeMib << 20),
        async (export, stop) =>
        {
            byte[] all = new byte[VolumeMib << 20];
            for (int at = 0; at < all.Length; at += 1 << 20)
            {
                await export.ReadAsync(at, all.AsMemory(at, 1 << 20), stop);
            }

            return all;
        },
        TestContext.Current.CancellationToken);

    private static int Grep(string pattern, string directory)
    {
        using Process grep = Process.Start("grep", ["-r", "-q", "-a", "-F", "-f", pattern, directory]);
        grep.WaitForExit();
        return grep.ExitCode;
    }
}
