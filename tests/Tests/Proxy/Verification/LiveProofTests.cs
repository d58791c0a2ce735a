using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Verification;
using Bailiwick.Tests.Domains;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Proxy.Verification;

/// <summary>What is told of a drift, and to whom whose names.</summary>
public sealed class LiveProofTests
{
    [Fact]
    public void No_repair_waits_for_the_proof_of_a_crowded_host()
    {
        HostPlan plan = Crossing();
        Assert.True(LiveProof.IsQuick(plan));

        DomainPlan domain = plan.Domains[0];
        DomainPlan crowded = domain with
        {
            Network = domain.Network with
            {
                Ports = [.. Enumerable.Repeat(domain.Network.Ports[0], LiveProof.QuickMembers + 1)],
            },
        };
        Assert.False(LiveProof.IsQuick(plan with { Domains = plan.Domains.SetItem(0, crowded) }));
    }

    [Theory]
    [InlineData("bank", "bank", true)]
    [InlineData("bank", "regulator", true)]
    [InlineData("regulator", "bank", true)]
    [InlineData("bank", "hospital", false)]
    [InlineData("hospital", "bank", false)]
    public void Only_who_has_a_passage_with_a_tenant_is_told_its_names(string reader, string tenant, bool may)
    {
        HostPlan plan = Crossing();

        Assert.Equal(
            may, LiveProof.MayName(plan, one => one == PartyId.Unsigned(reader), PartyId.Unsigned(tenant)));
    }

    /// <summary>The example's third host, on which three domains meet.</summary>
    private static HostPlan Crossing() =>
        Refine.ForHost(Datacentre(), All, ExamplePlacements.Host("host-3"), Now);
}
