using System.Text.Json;
using Bailiwick.Domains.Volumes;
using Bailiwick.Proxy.Host;
using Bailiwick.Tests.Domains.Volumes;

namespace Bailiwick.HostTests.Volumes;

/// <summary>qemu-img itself, which probes: on files of our own that name no other one, alone in a directory.</summary>
public sealed class ImageToolTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("bw-disks-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("raw", "raw")]
    [InlineData("gpt", "raw")]
    [InlineData("optical", "raw")]
    [InlineData("qcow", "qcow")]
    [InlineData("qcow2", "qcow2")]
    [InlineData("qcow2-v2", "qcow2")]
    [InlineData("qcow2-extended", "qcow2")]
    [InlineData("qed", "qed")]
    [InlineData("vmdk", "vmdk")]
    [InlineData("vmdk-stream", "vmdk")]
    [InlineData("vdi", "vdi")]
    [InlineData("vhd", "vpc")]
    [InlineData("vhdx", "vhdx")]
    [InlineData("parallels", "parallels")]
    [InlineData("luks1", "luks")]
    public void QEMU_sees_the_same_format_and_size(string name, string format)
    {
        DiskImage image = DiskImage.Vector(name);
        string file = Path.Combine(_directory, name);
        File.WriteAllBytes(file, image.Content);
        ProgramResult result = new RealHost().Run(new ProgramCall("qemu-img", "info", "--output=json", file));
        using var info = JsonDocument.Parse(result.Output);
        Assert.Equal(format, info.RootElement.GetProperty("format").GetString());
        DiskFinding found = DiskInspector.Inspect(image.Bytes, 1L << 40);
        if (format != "raw")
        {
            DiskMatch match = Assert.Single(found.Matches);
            ulong size = info.RootElement.GetProperty("virtual-size").GetUInt64();
            // A VHD's size by its geometry is what QEMU shows; the field beside it is what the footer says.
            Assert.True(match.VirtualBytes is null || format == "vpc" || match.VirtualBytes == size);
        }
    }
}
