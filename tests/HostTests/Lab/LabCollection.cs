namespace Bailiwick.HostTests.Lab;

/// <summary>The tests of the lab share one lab and run one after the other: they look at the whole machine.</summary>
[CollectionDefinition(Name)]
public sealed class LabCollection : ICollectionFixture<LabFixture>
{
    public const string Name = "lab";
}
