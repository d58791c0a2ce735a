using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Tests.Domains.Tracing;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Refinement;

public sealed class SharedRefinementTests
{
    [Fact]
    public void One_refinement_gives_every_host_on_many_threads_the_plan_that_it_gets_alone()
    {
        for (var seed = 0; seed < 30; seed++)
        {
            var random = new RandomDatacentre(seed);
            var all = Refine.Of(random.Datacentre, random.Proposals, Now);
            Parallel.ForEach(Enumerable.Range(0, 12), i => Assert.Equal(
                PlanJson.Write(random.Plans[i % 3]), PlanJson.Write(all.ForHost(Host($"host-{(i % 3) + 1}")))));
        }
    }

    [Fact]
    public void A_host_that_nobody_described_gets_an_empty_plan()
    {
        var random = new RandomDatacentre(1);
        var all = Refine.Of(random.Datacentre, random.Proposals, Now);
        Assert.Empty(all.ForHost(Host("host-9")).Domains);
        Assert.Contains(Enumerable.Range(1, 3), number => !all.ForHost(Host($"host-{number}")).Domains.IsEmpty);
    }
}
