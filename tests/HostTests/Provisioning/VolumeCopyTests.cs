using System.Diagnostics;
using System.Globalization;
using System.Text;
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

/// <summary>Volumes are copied by the real qemu-nbd, from ciphertext into ciphertext.</summary>
public sealed class VolumeCopyTests : IDisposable
{
    private const int BaseMib = 40, CopyMib = 44;
    private const string Canary = "BAILIWICK-CANARY-0123456789";
    private readonly string _root = Directory.CreateTempSubdirectory("bw-copy-").FullName;
    private readonly SecretBytes _baseKey = SecretBytes.Random(32), _copyKey = SecretBytes.Random(32);
    private readonly byte[] _content = new byte[BaseMib << 20];
    private readonly RecordingHost _host = new();
    private readonly VolumeFiles _files;
    private readonly VolumeServer _server;
    private readonly string _pool;
    private readonly DiskPlan _base, _copy;

    public VolumeCopyTests()
    {
        Random.Shared.NextBytes(_content);
        Encoding.ASCII.GetBytes(Canary).CopyTo(_content.AsSpan(33 << 20));
        _pool = Directory.CreateDirectory(Path.Combine(_root, "po,ol")).FullName;
        _files = new VolumeFiles(_host, _pool);
        _server = new VolumeServer(_host);
        _base = Disk("base", BaseMib, "vda-source") with { Access = VolumeAccess.Read };
        _copy = Disk("copy", CopyMib, "vda") with { CopyOf = _base };
        _files.CreateEncrypted(_base, _baseKey);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _baseKey.Dispose();
        _copyKey.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Theory]
    [InlineData("noise")]
    [InlineData("qcow2")]
    [InlineData("vmdk")]
    [InlineData("luks")]
    [InlineData("json")]
    public async Task A_copy_has_the_machines_bytes_whatever_they_look_like_and_opens_no_other_file(string form)
    {
        string target = Path.Combine(_root, "of-somebody-else");
        await File.WriteAllTextAsync(target, "SOMEBODY ELSE", Stop);
        await Written(form, target);
        DateTime read = File.GetLastAccessTimeUtc(target);
        Digest32 header = await Copy(_ => { });
        Assert.NotEqual(_files.Inspect(_base).Header, header);
        Filler().Complete(_copy);
        Assert.Equal(header, _files.Inspect(_copy).Header);
        AssertSame(await Content(_copy, _copyKey));
        AssertSame(await Content(_base, _baseKey));
        Assert.Equal(read, File.GetLastAccessTimeUtc(target));

        // Neither key opens the other's file, and the pool has nothing of it in clear.
        await Assert.ThrowsAsync<WorldException>(() => Content(_copy, _baseKey));
        await File.WriteAllBytesAsync(Path.Combine(_root, "clear"), _content, Stop);
        Assert.Equal(1, Grep(_pool));
        Assert.Equal(0, Grep(Path.Combine(_root, "clear")));
        Assert.All(
            Directory.GetFiles(_pool),
            file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Fact]
    public async Task Every_call_names_the_format_and_no_call_has_a_key()
    {
        await Written("qcow2", "/etc/shadow");
        await Copy(_ => { });
        string[] keys =
        [
            .. new[] { _baseKey, _copyKey }.Select(key => Encoding.ASCII.GetString(VolumeFiles.Passphrase(key))),
        ];
        Assert.All(_host.Calls, call => Assert.All(
            keys, key => Assert.DoesNotContain(key, string.Join(' ', call), StringComparison.Ordinal)));
        // A making that failed because QEMU misread its clock is tried again, by the same call.
        string[][] disks =
        [
            .. _host.Calls.Where(call => call.Any(word => word is "qemu-img" or "qemu-nbd"))
                .DistinctBy(call => string.Join(' ', call)),
        ];

        // The base's making and writing, the copy's making, reading the one, writing and reading the other.
        Assert.Equal(6, disks.Length);
        Assert.All(disks, call => Assert.True(
            call.Contains("luks") && call.Contains("-f")
            || call.Any(word => word.StartsWith("driver=luks,", StringComparison.Ordinal)
                && word.Contains("file.driver=file,", StringComparison.Ordinal))));
        Assert.All(
            disks.Where(call => call[^1].EndsWith("/base.luks", StringComparison.Ordinal)).Skip(1),
            call => Assert.Contains("--read-only", call));
    }

    [Fact]
    public async Task Killed_in_the_middle_it_goes_on_where_it_was()
    {
        await Written("noise", "");
        await Interrupted();
        FillMark mark = Assert.IsType<FillMark>(Marks().Find(_copy.Volume.ToString()));
        Assert.Equal(32 << 20, mark.Bytes);
        Assert.Equal(mark.Header, _files.InspectFilling(_copy).Header?.Hex);
        Assert.False(_files.Inspect(_copy).Exists);
        Assert.Equal(mark.Header, (await Copy(_ => { })).Hex);
        Filler().Complete(_copy);
        AssertSame(await Content(_copy, _copyKey));
    }

    [Fact]
    public async Task What_was_written_into_the_source_between_is_found_and_the_copy_is_begun_anew()
    {
        await Written("noise", "");
        await Interrupted();
        _content[5 << 20] ^= 1;
        await Write();
        WorldException fault = await Assert.ThrowsAsync<WorldException>(() => Copy(_ => { }));
        Assert.EndsWith("[content-differs]", fault.Stderr, StringComparison.Ordinal);
        Assert.False(File.Exists(_files.FillingOf(_copy)));
        await Copy(_ => { });
    }

    [Fact]
    public async Task A_source_that_a_program_has_open_to_write_is_not_read_beside_it()
    {
        await Written("noise", "");
        WorldException fault = await _server.UseAsync(
            Use(_base, _baseKey) with { Writes = true, Directory = Other() },
            async (_, _) => await Assert.ThrowsAsync<WorldException>(() => Copy(_ => { })), Stop);
        Assert.EndsWith("[source-written]", fault.Stderr, StringComparison.Ordinal);

        // Nor does a program open it to write that comes later.
        Task<bool>? late = null;
        await Copy(bytes => late ??= bytes > 0 ? Write() : null);
        WorldException refused = await Assert.ThrowsAsync<WorldException>(
            () => late ?? throw new InvalidOperationException("nothing was copied"));
        Assert.Contains("lock", refused.Stderr, StringComparison.Ordinal);
        Assert.True(await Write());
    }

    private static DiskPlan Disk(string name, int sizeMib, string target) => new(
        new VolumeRef(PartyId.Unsigned("bank"), StatementName.Parse(name)), $"{name}.luks", sizeMib, true,
        VolumeAccess.Write, target, Guid.NewGuid(), new Reason("a test", []))
    {
        Sharing = VolumeSharing.Exclusive,
    };

    private void AssertSame(byte[] read) =>
        Assert.True(_content.AsSpan().SequenceEqual(read.AsSpan(0, _content.Length)));

    /// <summary>What a machine may have written into the beginning of its disk.</summary>
    private async Task Written(string form, string target)
    {
        string lie = Path.Combine(_root, "lie");
        string[]? making = form switch
        {
            "qcow2" => ["qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", target, "-F", "raw", lie, "64M"],
            "vmdk" => ["qemu-img", "create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", lie, "64M"],
            "luks" =>
            [
                "qemu-img", "create", "-q", "-f", "luks", "--object", "secret,id=k,data=guest", "-o",
                "key-secret=k,iter-time=10", lie, "1M",
            ],
            _ => null,
        };
        if (making is not null)
        {
            QemuLuks.Run(new RealHost(), new ProgramCall([.. making]));
            File.ReadAllBytes(lie).AsSpan().CopyTo(_content);
        }
        else if (form == "json")
        {
            Encoding.ASCII.GetBytes("json:{\"driver\":\"raw\",\"file.filename\":\"/etc/shadow\"}").CopyTo(_content, 0);
        }

        await Write();
    }

    private Task<bool> Write() => _server.UseAsync(
        Use(_base, _baseKey) with { Writes = true, Directory = Other() },
        async (export, stop) =>
        {
            for (int at = 0; at < _content.Length; at += 1 << 20)
            {
                await export.WriteAsync(at, _content.AsMemory(at, 1 << 20), stop);
            }

            await export.FlushAsync(stop);
            return true;
        },
        Stop);

    /// <summary>The server of the copy is ended by SIGKILL while it writes.</summary>
    private async Task Interrupted()
    {
        bool killed = false;
        await Assert.ThrowsAsync<WorldException>(() => Copy(bytes =>
        {
            if (bytes >= 36 << 20 && !killed)
            {
                killed = true;
                using Process server = Server(_files.FillingOf(_copy));
                server.Kill();
            }
        }));
        Assert.True(killed);
    }

    private static Process Server(string file)
    {
        string name = file.Replace(",", ",,", StringComparison.Ordinal);
        string process = Directory.EnumerateDirectories("/proc").Single(one =>
            int.TryParse(Path.GetFileName(one), CultureInfo.InvariantCulture, out _)
            && CommandLine(one) is ['q', ..] line && line.Contains(name, StringComparison.Ordinal));
        return Process.GetProcessById(int.Parse(Path.GetFileName(process), CultureInfo.InvariantCulture));
    }

    private static string CommandLine(string process)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes($"{process}/cmdline"));
        }
        catch (IOException)
        {
            return "";
        }
    }

    /// <summary>As a Proxy that was just started does: what it knows of earlier ones is on the disk.</summary>
    private async Task<Digest32> Copy(Action<long> progress)
    {
        Digest32 header = _files.Inspect(_base).Header ?? throw new InvalidOperationException("no header");
        return await Filler().FillAsync(
            new FillOrder(_copy, _copyKey, new CopySource(_baseKey, header)), _root, progress, Stop);
    }

    private VolumeFiller Filler() => new(_server, _files, Marks(), Path.Combine(_root, "images"));

    private FillMarks Marks() => FillMarks.Open(
        PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, Path.Combine(_root, "private")));

    private VolumeUse Use(DiskPlan disk, SecretBytes key) =>
        new(disk, _files.PathOf(disk), key, _root, (long)disk.SizeMib << 20);

    private Task<byte[]> Content(DiskPlan disk, SecretBytes key) => _server.UseAsync(
        Use(disk, key),
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

    private string Other() => Directory.CreateDirectory(Path.Combine(_root, "other")).FullName;

    private static int Grep(string where)
    {
        using Process grep = Process.Start("grep", ["-r", "-q", "-a", "-F", Canary, where]);
        grep.WaitForExit();
        return grep.ExitCode;
    }
}
