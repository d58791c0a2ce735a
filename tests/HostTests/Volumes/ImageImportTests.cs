using System.Diagnostics;
using System.Security.Cryptography;
using Bailiwick.Custody;
using Bailiwick.Custody.Images;
using Bailiwick.Domains.Volumes;
using Bailiwick.Lab.Deployment;
using Bailiwick.Proxy.Host;
using Bailiwick.Tests.Domains.Volumes;

namespace Bailiwick.HostTests.Volumes;

/// <summary>Imports with the real tool where it can do no harm, and what that place is like (S03).</summary>
public sealed class ImageImportTests : IDisposable
{
    private const int Seconds = 30, Identity = 2_000_000_001;
    private readonly string _directory = Directory.CreateTempSubdirectory("bw-import-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("qcow2", "")]
    [InlineData("qcow2", "-c")]
    [InlineData("vmdk", "")]
    [InlineData("vmdk", "-osubformat=streamOptimized")]
    [InlineData("vdi", "")]
    public void An_honest_file_is_converted_byte_for_byte(string format, string how)
    {
        byte[] content = new byte[6 << 20];
        RandomNumberGenerator.Fill(content.AsSpan(1 << 20, 3 << 20));
        string raw = Path.Combine(_directory, "content");
        File.WriteAllBytes(raw, content);
        string file = Path.Combine(_directory, "base." + format);
        string[] options = how.Length == 0 ? [] : [how];
        new RealHost().Run(new ProgramCall(
            ["qemu-img", "convert", "-q", "-f", "raw", "-O", format, .. options, raw, file]));

        List<string> steps = [];
        ImportOutcome outcome = new ImageImport(new ConfinedConverter())
            .Run(file, _directory, 1L << 30, (step, done) => steps.Add($"{step} {done:0}"), default);
        ImportOutcome.Imported made = Assert.IsType<ImportOutcome.Imported>(outcome);
        Assert.Equal(content, File.ReadAllBytes(made.File));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(content)), made.Sha256);
        Assert.Equal(["copy 1", "convert 1", "digest 1"], steps.Where(s => s[^1] == '1').Distinct());
        Assert.Empty(Directory.EnumerateDirectories(_directory));
    }

    [Fact]
    public void What_is_refused_starts_no_program_at_all()
    {
        foreach (string name in new[]
        {
            "qcow2-backing", "qcow2-backing-json", "qcow2-data-file", "qcow2-petabyte", "vmdk-flat", "qed",
            "qed-backing", "optical",
        })
        {
            string file = Path.Combine(_directory, name + ".img");
            File.WriteAllBytes(file, DiskImage.Vector(name).Content);
            Assert.DoesNotContain("qemu", ProgramsOf(file, exitCode: 1), StringComparison.Ordinal);
        }

        string honest = Path.Combine(_directory, "honest.img");
        File.WriteAllBytes(honest, DiskImage.Vector("qcow2-v2").Content);
        Assert.Contains("qemu-img", ProgramsOf(honest, exitCode: null), StringComparison.Ordinal);
    }

    [Fact]
    public void What_breaks_within_is_said_and_the_room_is_given_back()
    {
        // Our reader has no reason against it, and the tool has: a table is where none can be.
        DiskImage image = DiskImage.Vector("qcow2");
        image.Resize(4 << 20).Put((int)HeadTable(image), 0x80, 0, 0, 0, 0, 5, 2, 0);
        string file = Path.Combine(_directory, "broken.qcow2");
        File.WriteAllBytes(file, image.Content);
        Assert.True(DiskImport.Judge(image.Bytes, 1L << 30).IsAccepted);
        CustodyException fault = Assert.Throws<CustodyException>(() => new ImageImport(new ConfinedConverter())
            .Run(file, _directory, 1L << 30, (_, _) => { }, default));
        Assert.Contains("refused the file", fault.Message, StringComparison.Ordinal);
        Assert.Equal(["broken.qcow2"], Directory.EnumerateFileSystemEntries(_directory).Select(Path.GetFileName));
    }

    [Fact]
    public void Within_there_is_one_file_to_read_and_one_to_fill_and_an_identity_of_its_own()
    {
        Assert.Equal($"{Identity}", Inside("id", "-u").Output.Trim());
        Assert.Equal(
            ["bin", "dev", "input", "lib", "lib64", "output", "usr"],
            Inside("ls", "/").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal((0, "read me"), Ended(Inside("cat", "/input")));
        Assert.NotEqual(0, Inside("cp", "/usr/bin/true", "/input").ExitCode);
        Assert.Equal(0, Inside("cp", "/input", "/output").ExitCode);
        Assert.NotEqual(0, Inside("cp", "/input", "/other").ExitCode);
        Assert.NotEqual(0, Inside("cat", "/etc/shadow").ExitCode);
    }

    [Fact]
    public void Within_there_are_no_new_namespaces_no_sockets_and_bounded_room()
    {
        Assert.Equal(0, Inside("true").ExitCode);
        Assert.NotEqual(0, Inside("unshare", "--user", "true").ExitCode);
        Assert.NotEqual(0, Inside("mount", "-t", "tmpfs", "none", "/dev").ExitCode);
        Assert.Contains(
            "Function not implemented", Inside("logger", "--socket-errors=on", "x").Errors, StringComparison.Ordinal);
        Assert.NotEqual(0, Inside("dd", "if=/dev/zero", "of=/output", "bs=1M", "count=2").ExitCode);
        Assert.Equal(0, Inside("dd", "if=/dev/zero", "of=/output", "bs=1M", "count=1").ExitCode);
        Assert.NotEqual(0, Inside("dd", "if=/dev/zero", "of=/dev/null", "bs=3G", "count=1").ExitCode);
    }

    [Fact]
    public void What_is_given_up_leaves_no_process()
    {
        ConversionOrder order = Order();
        using SystemCallFilter filter = SystemCallFilter.Create();
        using Process process = Start(order, filter, "sleep", "61.7");
        Thread.Sleep(500);
        Assert.Contains(Sleepers(), line => line.Contains("61.7", StringComparison.Ordinal));
        process.Kill();
        process.WaitForExit();
        Assert.True(SpinWait.SpinUntil(
            () => !Sleepers().Any(line => line.Contains("61.7", StringComparison.Ordinal)), 5000));
    }

    private static IEnumerable<string> Sleepers() => Directory.EnumerateDirectories("/proc")
        .Where(path => char.IsAsciiDigit(Path.GetFileName(path)[0])).Select(path =>
        {
            try
            {
                return File.ReadAllText(path + "/cmdline");
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                return "";
            }
        }).Where(line => line.StartsWith("sleep\0", StringComparison.Ordinal));

    private static ulong HeadTable(DiskImage image) =>
        System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(image.Content.AsSpan(40));

    private static (int, string) Ended((int ExitCode, string Output, string Errors) result) =>
        (result.ExitCode, result.Output);

    private ConversionOrder Order()
    {
        string input = Path.Combine(_directory, "in"), output = Path.Combine(_directory, "out");
        File.WriteAllText(input, "read me");
        File.WriteAllBytes(output, []);
        new RealHost().Run(new ProgramCall("chown", $"{Identity}:{Identity}", input, output));
        return new ConversionOrder(DiskFormat.Qcow2, input, output, 1 << 20);
    }

    private (int ExitCode, string Output, string Errors) Inside(params string[] tool)
    {
        using SystemCallFilter filter = SystemCallFilter.Create();
        using Process process = Start(Order(), filter, tool);
        string output = process.StandardOutput.ReadToEnd(), errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors);
    }

    private static Process Start(ConversionOrder order, SystemCallFilter filter, params string[] tool)
    {
        IReadOnlyList<string> command =
            ConfinedConverter.Confined(order, tool, Seconds, Identity, filter.Descriptor);
        return Process.Start(new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        }) ?? throw new InvalidOperationException("nothing started");
    }

    /// <summary>Every program that an import starts, by strace.</summary>
    private string ProgramsOf(string file, int? exitCode)
    {
        string trace = Path.Combine(_directory, "trace");
        ProgramResult result = new RealHost().Run(new ProgramCall(
            "strace", "-f", "-qq", "-e", "trace=execve", "-o", trace, ProductPrograms.CommandLine, "image", "import",
            file, "--out", _directory)
        { Answers = [0, 1, 2] });
        if (exitCode is { } expected)
        {
            Assert.True(result.ExitCode == expected, result.Errors);
        }

        return string.Join('\n', File.ReadLines(trace).Skip(1));
    }
}
