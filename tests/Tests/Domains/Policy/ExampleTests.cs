namespace Bailiwick.Tests.Domains.Policy;

public sealed class ExampleTests
{
    [Fact]
    public void The_example_checks_clean()
    {
        var result = Example.ThreeTenants.Check();

        Assert.Empty(result.Findings);
        Assert.Equal(3, result.Datacentre.Tenants.Count);
        Assert.Equal(4, result.Datacentre.Domains.Count);
        Assert.Equal(3, result.Datacentre.Inventory.Hosts.Count);
        Assert.Equal(7, result.Datacentre.Machinery.Compartments.Count);
        Assert.Equal(8, result.Datacentre.Machinery.Volumes.Count);
        Assert.Equal(3, result.Datacentre.Machinery.Images.Count);
    }
}
