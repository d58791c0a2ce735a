using System.Security.Cryptography;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.HostTests.Lab;

namespace Bailiwick.HostTests.Whole;

/// <summary>A machine whose encrypted boot volume begins with its image's disk, under the whole product.</summary>
[Collection(LabCollection.Name)]
public sealed class FilledMachineTests(ITestOutputHelper output)
{
    private const int SizeMib = 64;

    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_machine_starts_from_the_disk_of_its_image_and_not_before_all_of_it_is_there()
    {
        byte[] content = RandomNumberGenerator.GetBytes(SizeMib << 20);
        string stated = Convert.ToHexStringLower(SHA256.HashData(content));
        await using MeasuredLab lab = await MeasuredLab.Up(
            directory => Write(directory, stated), SealedPolicies.Machine);
        await lab.Drain("host-2", true);

        await lab.Until("refused", "host-1", "[content-missing]");
        output.WriteLine("no image, no start");
        string file = Path.Combine(lab.Paths.Images, stated);
        content[^1] ^= 1;
        await File.WriteAllBytesAsync(file, content, TestContext.Current.CancellationToken);
        await lab.Until("refused", "host-1", "[content-differs]");
        Assert.Empty(Directory.GetFiles(lab.Paths.Pool, "*.luks"));
        output.WriteLine("another content, no start");

        // What the machine's owner states of its boot volume is measured by the code that always does.
        content[^1] ^= 1;
        await File.WriteAllBytesAsync(file, content, TestContext.Current.CancellationToken);
        await lab.Until("running", "host-1");
        Assert.Contains(
            await new WholeHost(lab.Host("host-1"), lab.Deployment).Log(0, IntegrityKind.MachineMeasured),
            entry => entry.Detail.Contains($"\"boot-volume\":\"{stated}\"", StringComparison.Ordinal));
        string volume = Assert.Single(Directory.GetFiles(lab.Paths.Pool));
        Assert.EndsWith(".luks", volume, StringComparison.Ordinal);
        Assert.Equal(-1, (await File.ReadAllBytesAsync(volume, TestContext.Current.CancellationToken))
            .AsSpan().IndexOf(content.AsSpan(20 << 20, 64)));
        output.WriteLine("it runs");
    }

    private static string Write(string directory, string content)
    {
        SealedPolicies.Write(directory);
        string image = Path.Combine(directory, MeasuredPolicies.ImageFile);
        File.WriteAllText(image, SealedPolicies.Image(content)
            + $"disk: {{sha256: \"{content}\", sizeMiB: {SizeMib}}}\n");
        string vault = Path.Combine(directory, "bank", "vault.yaml");
        File.AppendAllText(vault, "from: {image: measured}\n");
        return directory;
    }
}
