namespace Bailiwick.HostTests.Whole;

/// <summary>The tests of the whole product share one datacentre and run alone: they kill its parts.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class WholeCollection : ICollectionFixture<WholeLab>
{
    public const string Name = "whole";
}
