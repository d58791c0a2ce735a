using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Bailiwick.Durable;
using Bailiwick.Durable.Files;
using Bailiwick.Tests.Fakes;

namespace Bailiwick.Tests.Durable.Files;

/// <summary>The real system calls on a real directory, with what a stranger may have placed there before us.</summary>
public sealed partial class PrivateDirectoryTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("bailiwick-durable-").FullName;

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public void Creates_directories_0700_and_files_0600_under_a_zero_umask()
    {
        uint before = umask(0);
        try
        {
            using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, $"{_path}/a/b");
            DurableFile.Replace(directory, "secret", "x"u8);
            using AppendLog log = AppendLog.Open(directory, "log");
            log.Append(new byte[] { 1 });
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
                File.GetUnixFileMode($"{_path}/a"));
            foreach (string file in Directory.GetFiles($"{_path}/a/b"))
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }
        }
        finally
        {
            _ = umask(before);
        }
    }

    [Fact]
    public void Creates_a_usable_file_under_a_umask_that_takes_everything()
    {
        uint before = umask(0x1FF);
        try
        {
            using PrivateDirectory directory = PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, $"{_path}/a");
            DurableFile.Replace(directory, "secret", "x"u8);
            Assert.Equal("x", Read(directory, "secret"));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode($"{_path}/a/secret"));
        }
        finally
        {
            _ = umask(before);
        }
    }

    [Fact]
    public void Refuses_links_fifos_directories_and_hard_links_in_place_of_a_file()
    {
        using PrivateDirectory directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        File.WriteAllText($"{_path}/victim", "victim");
        File.SetUnixFileMode($"{_path}/victim", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.CreateSymbolicLink($"{_path}/link", $"{_path}/victim");
        File.CreateSymbolicLink($"{_path}/dangling", $"{_path}/nowhere");
        Directory.CreateDirectory($"{_path}/directory");
        Assert.Equal(0, mkfifo($"{_path}/fifo", 0x180));
        Assert.Equal(0, link($"{_path}/victim", $"{_path}/hard"));
        foreach (string name in new[] { "link", "dangling", "directory", "fifo", "hard" })
        {
            Stopwatch time = Stopwatch.StartNew();
            Assert.Throws<DurableException>(() => DurableFile.Replace(directory, name, "x"u8));
            Assert.Throws<DurableException>(() => DurableFile.Read(directory, name, 10));
            Assert.Throws<DurableException>(() => AppendLog.Open(directory, name));
            Assert.True(time.Elapsed < TimeSpan.FromSeconds(5));
        }

        Assert.Equal("victim", File.ReadAllText($"{_path}/victim"));
        Assert.False(File.Exists($"{_path}/nowhere"));
        DurableFile.Replace(directory, "plain", "x"u8);
        Assert.Equal("x", Read(directory, "plain"));
    }

    [Fact]
    public void A_link_in_place_of_the_temporary_file_is_removed_not_followed()
    {
        using PrivateDirectory directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        File.WriteAllText($"{_path}/victim", "victim");
        File.CreateSymbolicLink($"{_path}/plan{DurableFile.TemporarySuffix}", $"{_path}/victim");
        DurableFile.Replace(directory, "plan", "new"u8);
        Assert.Equal("victim", File.ReadAllText($"{_path}/victim"));
        Assert.Equal("new", Read(directory, "plan"));
    }

    [Theory]
    [InlineData(0x1FF)]
    [InlineData(0x1F8)]
    [InlineData(0x1D0)]
    [InlineData(0x1C1)]
    [InlineData(0x1E8)]
    public void Refuses_a_directory_that_others_may_use(int mode)
    {
        Directory.CreateDirectory($"{_path}/loose");
        File.SetUnixFileMode($"{_path}/loose", (UnixFileMode)mode);
        Assert.Throws<DurableException>(() => PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, $"{_path}/loose"));
        File.SetUnixFileMode($"{_path}/loose", (UnixFileMode)0x1C0);
        using PrivateDirectory tight = PrivateDirectory.OpenOrCreate(LinuxDisk.Instance, $"{_path}/loose");
    }

    [Fact]
    public void Refuses_a_file_that_others_may_read()
    {
        using PrivateDirectory directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        DurableFile.Replace(directory, "key", "x"u8);
        File.SetUnixFileMode($"{_path}/key", (UnixFileMode)0x1A4);
        Assert.Throws<DurableException>(() => DurableFile.Read(directory, "key", 10));
    }

    [Fact]
    public void Refuses_a_path_through_a_link_or_a_loose_ancestor()
    {
        Directory.CreateDirectory($"{_path}/real/private", (UnixFileMode)0x1C0);
        Directory.CreateSymbolicLink($"{_path}/way", $"{_path}/real");
        Assert.Throws<DurableException>(() => PrivateDirectory.Open(LinuxDisk.Instance, $"{_path}/way/private"));
        Assert.Throws<DurableException>(() => PrivateDirectory.Open(LinuxDisk.Instance, $"{_path}/way"));
        PrivateDirectory.Open(LinuxDisk.Instance, $"{_path}/real/private").Dispose();
        File.SetUnixFileMode($"{_path}/real", (UnixFileMode)0x1FF);
        Assert.Throws<DurableException>(() => PrivateDirectory.Open(LinuxDisk.Instance, $"{_path}/real/private"));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("../victim")]
    [InlineData("a\0b")]
    public void Refuses_names_that_are_not_plain(string name)
    {
        using PrivateDirectory directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        Assert.Throws<ArgumentException>(() => DurableFile.Replace(directory, name, "x"u8));
        Assert.Throws<ArgumentException>(() => directory.OpenOrCreateChild(name));
        Assert.Throws<ArgumentException>(() => directory.Remove(name));
        Assert.Throws<ArgumentException>(() => DurableFile.Replace(directory, new string('n', 256), "x"u8));
    }

    [Fact]
    public void Refuses_what_belongs_to_another_user()
    {
        FakeDisk disk = new(1);
        disk.Place("/mine", DiskKind.Directory, 0x1C0, disk.EffectiveUser);
        disk.Place("/mine/file", DiskKind.File, 0x180, owner: 77);
        disk.Place("/theirs", DiskKind.Directory, 0x1ED, owner: 77);
        disk.Place("/theirs/mine", DiskKind.Directory, 0x1C0, disk.EffectiveUser);
        using PrivateDirectory mine = PrivateDirectory.Open(disk, "/mine");
        Assert.Throws<DurableException>(() => DurableFile.Read(mine, "file", 10));
        Assert.Throws<DurableException>(() => PrivateDirectory.Open(disk, "/theirs"));
        Assert.Throws<DurableException>(() => PrivateDirectory.Open(disk, "/theirs/mine"));
    }

    [Fact]
    public void A_real_second_opener_of_a_log_is_refused()
    {
        using PrivateDirectory directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        using (AppendLog log = AppendLog.Open(directory, "log"))
        {
            log.Append("one"u8.ToArray());
            Assert.Equal("flock", Assert.Throws<DurableException>(() => AppendLog.Open(directory, "log")).Operation);
        }

        using AppendLog again = AppendLog.Open(directory, "log");
        Assert.Equal(1, again.Count);
    }

    [Fact]
    public void A_closed_log_is_free_although_a_child_still_holds_its_descriptor()
    {
        using PrivateDirectory directory = PrivateDirectory.Open(LinuxDisk.Instance, _path);
        int inherited;
        using (AppendLog log = AppendLog.Open(directory, "log"))
        {
            string open = Directory.GetFiles("/proc/self/fd")
                .Single(entry => new FileInfo(entry).LinkTarget == $"{_path}/log");
            // What every started program has between fork and exec, when descriptors are not closed yet.
            inherited = dup(int.Parse(Path.GetFileName(open), CultureInfo.InvariantCulture));
            Assert.True(inherited >= 0);
            Assert.Throws<DurableException>(() => AppendLog.Open(directory, "log"));
        }

        try
        {
            using AppendLog again = AppendLog.Open(directory, "log");
            Assert.Equal(0, again.Count);
        }
        finally
        {
            Assert.Equal(0, LinuxDisk.Instance.Close(inherited));
        }
    }

    [Fact]
    public void A_failed_fsync_is_an_error_with_its_errno()
    {
        // fsync(2) of a closed descriptor fails with EBADF: the return code is looked at.
        Assert.Equal(-Errno.BadDescriptor, LinuxDisk.Instance.Sync(1_000_000));
    }

    private static string? Read(PrivateDirectory directory, string name) =>
        DurableFile.Read(directory, name, 10) is { } content ? System.Text.Encoding.UTF8.GetString(content) : null;

    [LibraryImport("libc")]
    private static partial int dup(int descriptor);

    [LibraryImport("libc")]
    private static partial uint umask(uint mask);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkfifo(string path, uint mode);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int link(string from, string to);
}
