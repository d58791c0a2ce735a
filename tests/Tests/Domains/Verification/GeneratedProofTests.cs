using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Verification;
using Bailiwick.Lab.Datacentres;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Verification;

/// <summary>Datacentres of hundreds of domains do what their policies say, host by host, for every packet.</summary>
public sealed class GeneratedProofTests
{
    [Fact]
    public void Each_host_of_a_datacentre_of_many_domains_does_what_the_policies_say() =>
        Prove(new DatacentreShape(60, 300, 8, 12, Seed: 11));

    [Theory]
    [Trait("Category", "Slow")]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Each_host_of_a_datacentre_of_hundreds_of_domains_does_what_the_policies_say(int seed) =>
        Prove(new DatacentreShape(200, 1000, 20, 20, seed));

    private static void Prove(DatacentreShape shape)
    {
        var drawn = new GeneratedDatacentre(shape);
        CheckedDatacentre datacentre = PolicyCheck.Run(drawn.Read()).Datacentre;
        RefinedDatacentre refined = Refine.Of(datacentre, drawn.Proposals, Now);
        HostPlan[] plans =
            [.. Enumerable.Range(0, shape.Hosts).Select(host => refined.ForHost(GeneratedDatacentre.Host(host)))];
        Assert.Equal(shape.Machines, plans.SelectMany(plan => plan.Domains).Sum(domain => domain.Compartments.Length));

        RefinementVerdict verdict = RefinementProof.Of(plans, datacentre);

        Assert.True(verdict is RefinementVerdict.Proven, $"seed {shape.Seed}: {RefinementProofTests.Words(verdict)}");
        // A host that lost the last element of one set is found among all the others.
        HostPlan plan = plans.First(one => one.Domains.Any(domain => domain.Gateway is { Flows.IsEmpty: false }));
        DomainPlan crossing = plan.Domains.First(domain => domain.Gateway is { Flows.IsEmpty: false });
        HostPlan less = plan with
        {
            Domains = plan.Domains.Replace(crossing, crossing with
            {
                Gateway = crossing.Gateway! with { Flows = crossing.Gateway.Flows[1..] },
            }),
        };
        Assert.IsType<RefinementVerdict.Refuted>(
            RefinementProof.OfHost(plan.Host, plans, datacentre, _ => HostRulesets.Of(less)));
    }
}
