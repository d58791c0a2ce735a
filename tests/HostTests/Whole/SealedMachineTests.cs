using System.Text.RegularExpressions;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.HostTests.Lab;

namespace Bailiwick.HostTests.Whole;

/// <summary>A machine whose owner states what is on its encrypted boot volume, under the whole product.</summary>
[Collection(LabCollection.Name)]
public sealed partial class SealedMachineTests(ITestOutputHelper output)
{
    [Fact]
    [Trait("Category", "Slow")]
    public async Task A_machine_starts_from_the_content_that_its_owner_states_and_from_no_other()
    {
        await using MeasuredLab lab = await MeasuredLab.Up(SealedPolicies.Write, SealedPolicies.Machine);
        await lab.Drain("host-2", true);

        // Nobody has written the volume yet: what its cipher makes of nothing is as good a content as any.
        string said = await lab.Until("failed", "host-1", "[BootVolumeDiffers]");
        string content = Found().Match(said).Groups[1].Value;
        output.WriteLine($"it holds {content}");
        await lab.SetImage(SealedPolicies.Image(content));
        await lab.Until("running", "host-1");
        Assert.Contains(
            await new WholeHost(lab.Host("host-1"), lab.Deployment).Log(0, IntegrityKind.MachineMeasured),
            entry => entry.Detail.Contains($"\"boot-volume\":\"{content}\"", StringComparison.Ordinal));
        output.WriteLine("it runs");

        await lab.SetPower(false);
        await lab.Until("stopped");
        string file = Assert.Single(Directory.GetFiles(lab.Paths.Pool));
        Flip(file);
        await lab.SetPower(true);
        Assert.DoesNotContain(
            $"the host has {content}", await lab.Until("failed", "host-1", "[BootVolumeDiffers]"),
            StringComparison.Ordinal);
        output.WriteLine("one changed bit is refused");
        Flip(file);
        await lab.Until("running", "host-1");
    }

    private static void Flip(string file)
    {
        using FileStream stream = new(file, FileMode.Open, FileAccess.ReadWrite);
        stream.Seek(-1, SeekOrigin.End);
        int last = stream.ReadByte();
        stream.Seek(-1, SeekOrigin.End);
        stream.WriteByte((byte)(last ^ 1));
    }

    [GeneratedRegex("the host has ([0-9a-f]{64})")]
    private static partial Regex Found();
}
