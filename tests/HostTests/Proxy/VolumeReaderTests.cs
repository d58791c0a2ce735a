using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.HostTests.Proxy;

/// <summary>Volumes' contents by the real qemu-nbd, on the LUKS files that the product makes.</summary>
public sealed class VolumeReaderTests : IDisposable
{
    private const int SizeMib = 8;
    private readonly string _root = Directory.CreateTempSubdirectory("bw-read-").FullName;
    private readonly SecretBytes _key = SecretBytes.Random(32);
    private readonly byte[] _content = RandomNumberGenerator.GetBytes(SizeMib << 20);
    private readonly RealHost _host = new();
    private readonly VolumeFiles _files;
    private readonly DiskPlan _disk = Disk("root.luks", encrypted: true);

    public VolumeReaderTests()
    {
        // A comma means something to QEMU's options.
        string pool = Directory.CreateDirectory(Path.Combine(_root, "po,ol")).FullName;
        _files = new VolumeFiles(_host, pool);
        _files.CreateEncrypted(_disk, _key);
        string raw = Path.Combine(_root, "raw");
        File.WriteAllBytes(raw, _content);
        string file = _files.PathOf(_disk).Replace(",", ",,", StringComparison.Ordinal);
        byte[] passphrase = VolumeFiles.Passphrase(_key);
        _host.Run(new ProgramCall(
            "qemu-img", "convert", "-n", "-f", "raw", raw, "--object", "secret,id=k,file=/dev/stdin",
            "--target-image-opts", $"driver=luks,key-secret=k,file.filename={file}")
        { Input = passphrase });
    }

    private string Stated => Convert.ToHexStringLower(SHA256.HashData(_content));

    public void Dispose()
    {
        _key.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public async Task The_digest_is_of_every_byte_that_the_machine_reads()
    {
        long seen = 0;
        Assert.Equal(Stated, await Digest(_disk, _key, bytes => seen = bytes));
        Assert.Equal(SizeMib << 20, seen);
    }

    [Fact]
    public async Task One_changed_byte_of_the_pools_file_is_another_digest()
    {
        string path = _files.PathOf(_disk);
        byte[] file = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        file[^1] ^= 1;
        await File.WriteAllBytesAsync(path, file, TestContext.Current.CancellationToken);
        Assert.NotEqual(Stated, await Digest(_disk, _key));
        file[^1] ^= 1;
        await File.WriteAllBytesAsync(path, file, TestContext.Current.CancellationToken);
        Assert.Equal(Stated, await Digest(_disk, _key));
    }

    [Fact]
    public async Task A_plain_volume_is_read_as_it_lies_there()
    {
        DiskPlan plain = Disk("plain.raw", encrypted: false);
        await File.WriteAllBytesAsync(_files.PathOf(plain), _content, TestContext.Current.CancellationToken);
        Assert.Equal(Stated, await Digest(plain, null));
    }

    [Fact]
    public async Task Nothing_is_read_with_another_key_of_another_size_or_from_nowhere()
    {
        using SecretBytes other = SecretBytes.Random(32);
        Assert.Contains("password", await Failure(_disk, other), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("bytes, and its statement", await Failure(_disk with { SizeMib = SizeMib - 1 }, _key),
            StringComparison.Ordinal);
        Assert.Contains("bytes, and its statement", await Failure(_disk with { SizeMib = SizeMib + 1 }, _key),
            StringComparison.Ordinal);
        Assert.Contains("No such file", await Failure(Disk("none.luks", encrypted: true), _key),
            StringComparison.Ordinal);
        using (FileStream file = File.OpenWrite(_files.PathOf(_disk)))
        {
            file.SetLength(file.Length - 1024);
        }

        Assert.NotEqual("", await Failure(_disk, _key));
    }

    [Fact]
    public async Task A_reading_that_is_given_up_leaves_no_program_behind()
    {
        using CancellationTokenSource stop = new();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Digest(_disk, _key, _ => stop.Cancel(), stop.Token));
        Assert.DoesNotContain(Directory.GetDirectories("/proc"), process =>
        {
            try
            {
                return File.ReadAllText(Path.Combine(process, "cmdline")).Contains(_root, StringComparison.Ordinal);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        });
        Assert.Equal(Stated, await Digest(_disk, _key));
    }

    private async Task<string> Failure(DiskPlan disk, SecretBytes key)
    {
        Stopwatch clock = Stopwatch.StartNew();
        string said = (await Assert.ThrowsAsync<WorldException>(() => Digest(disk, key))).Message;
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(15), $"{clock.Elapsed}: {said}");
        return said;
    }

    private Task<string> Digest(
        DiskPlan disk, SecretBytes? key, Action<long>? progress = null, CancellationToken stop = default) =>
        new VolumeReader(new VolumeServer(_host), _files).DigestAsync(disk, key, _root, progress ?? (_ => { }), stop);

    private static DiskPlan Disk(string file, bool encrypted) => new(
        new VolumeRef(PartyId.Unsigned("bank"), StatementName.Parse("root")), file, SizeMib, encrypted,
        VolumeAccess.Read, "vda", Guid.Empty, new Reason("the test says so", ImmutableArray<StatementOrigin>.Empty))
    {
        Sharing = VolumeSharing.Exclusive,
    };
}
