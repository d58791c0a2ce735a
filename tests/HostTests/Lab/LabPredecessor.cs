using Bailiwick.Lab.Hosts;

namespace Bailiwick.HostTests.Lab;

/// <summary>Runs in a process of its own, which <see cref="LabLifeTests"/> kills; so it has no fixture.</summary>
public sealed class LabPredecessor
{
    public const string DirectoryVariable = "BAILIWICK_TEST_LAB";

    [Fact(Explicit = true)]
    public async Task Builds_a_lab_and_waits_to_be_killed()
    {
        var directory = Environment.GetEnvironmentVariable(DirectoryVariable)
            ?? throw new InvalidOperationException("only for the test that kills it");
        await using var lab = await LabDatacentre.Up(
            LabFixture.Options() with { Directory = directory, Hosts = ["host-1"] });
        await Task.Delay(TimeSpan.FromMinutes(1));
    }
}
