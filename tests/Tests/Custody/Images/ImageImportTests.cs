using System.Security.Cryptography;
using Bailiwick.Custody;
using Bailiwick.Custody.Images;
using Bailiwick.Domains.Volumes;
using Bailiwick.Tests.Domains.Volumes;

namespace Bailiwick.Tests.Custody.Images;

/// <summary>The way of a file through an import, with a converter that says what it was given.</summary>
public sealed class ImageImportTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("bw-import-").FullName;
    private readonly RecordingConverter _converter = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void What_is_raw_needs_no_tool_and_keeps_its_bytes_up_to_whole_MiB()
    {
        byte[] content = RandomNumberGenerator.GetBytes((1 << 20) + 512);
        ImportOutcome.Imported made = Assert.IsType<ImportOutcome.Imported>(Import("base.img", content));
        byte[] padded = [.. content, .. new byte[(1 << 20) - 512]];
        Assert.Equal(padded, File.ReadAllBytes(made.File));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(padded)), made.Sha256);
        Assert.Equal((2, (1 << 20) - 512, null), (made.SizeMib, made.Padding, made.Format));
        Assert.Null(_converter.Order);
        Assert.Equal(["base.img", "base.raw"], Names());
    }

    [Fact]
    public void What_is_converted_is_a_private_copy_and_the_digest_is_of_what_came_out()
    {
        ImportOutcome.Imported made =
            Assert.IsType<ImportOutcome.Imported>(Import("base.qcow2", DiskImage.Vector("qcow2").Content));
        Assert.Equal((DiskFormat.Qcow2, 4L << 20), (_converter.Order?.Format, _converter.Order?.Bytes));
        Assert.Contains(ImageImport.StagePrefix, _converter.Order?.Input, StringComparison.Ordinal);
        byte[] content = File.ReadAllBytes(made.File);
        Assert.Equal(Enumerable.Repeat((byte)0x5a, 512), content[..512]);
        Assert.Equal(4 << 20, content.Length);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(content)), made.Sha256);
        Assert.Equal(["base.qcow2", "base.raw"], Names());
    }

    [Fact]
    public void Nothing_is_converted_that_is_refused()
    {
        foreach (string name in new[] { "qcow2-backing", "qcow2-petabyte", "vmdk-flat", "qed", "optical" })
        {
            ImportOutcome outcome = Import(name, DiskImage.Vector(name).Content);
            Assert.NotEmpty(Assert.IsType<ImportOutcome.Refused>(outcome).Reasons);
        }

        Assert.Null(_converter.Order);
        Assert.DoesNotContain(Names(), name => name.EndsWith(".raw", StringComparison.Ordinal));
    }

    [Fact]
    public void After_a_failure_nothing_stays()
    {
        _converter.Fails = true;
        Assert.Throws<CustodyException>(() => Import("base.qcow2", DiskImage.Vector("qcow2").Content));
        Assert.Equal(["base.qcow2"], Names());
    }

    [Fact]
    public void A_converter_that_leaves_another_length_is_refused()
    {
        _converter.Length = 1 << 20;
        Assert.Throws<CustodyException>(() => Import("base.qcow2", DiskImage.Vector("qcow2").Content));
        Assert.Equal(["base.qcow2"], Names());
    }

    [Fact]
    public void A_result_that_is_there_is_not_overwritten()
    {
        File.WriteAllText(Path.Combine(_directory, "base.raw"), "mine");
        Assert.Throws<CustodyException>(() => Import("base.qcow2", DiskImage.Vector("qcow2").Content));
        Assert.Equal("mine", File.ReadAllText(Path.Combine(_directory, "base.raw")));
    }

    [Fact]
    public void The_next_import_removes_what_a_killed_one_left_and_nothing_that_is_in_use()
    {
        string dead = Directory.CreateDirectory(Path.Combine(_directory, ImageImport.StagePrefix + "dead")).FullName;
        string live = Directory.CreateDirectory(Path.Combine(_directory, ImageImport.StagePrefix + "live")).FullName;
        File.WriteAllText(Path.Combine(dead, "input"), "left");
        using (new FileStream(Path.Combine(live, "lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            Import("base.img", new byte[1 << 20]);
        }

        Assert.False(Directory.Exists(dead));
        Assert.True(Directory.Exists(live));
    }

    private ImportOutcome Import(string name, byte[] content)
    {
        string file = Path.Combine(_directory, name);
        File.WriteAllBytes(file, content);
        return new ImageImport(_converter).Run(file, _directory, 1L << 30, (_, _) => { }, default);
    }

    private string[] Names() => [.. Directory.EnumerateFileSystemEntries(_directory)
        .Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private sealed class RecordingConverter : IImageConverter
    {
        public ConversionOrder? Order { get; private set; }

        public bool Fails { get; set; }

        public long? Length { get; set; }

        public void Convert(ConversionOrder order, Action<double> progress, CancellationToken stop)
        {
            Order = order;
            if (Fails)
            {
                throw new CustodyException("The converter refused.");
            }

            using FileStream output = File.OpenWrite(order.Output);
            output.Write([.. Enumerable.Repeat((byte)0x5a, 512)]);
            output.SetLength(Length ?? order.Bytes);
        }
    }
}
