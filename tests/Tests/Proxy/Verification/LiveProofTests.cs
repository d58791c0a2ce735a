using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Policy;
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
    [InlineData("bank", "bank/web", true)]
    [InlineData("bank", "regulator/inspection", true)]
    [InlineData("regulator", "bank/ledger", true)]
    [InlineData("regulator", "bank/web", false)]
    [InlineData("bank", "hospital/records", false)]
    [InlineData("hospital", "bank/web", false)]
    [InlineData("bank regulator", "bank/ledger", true)]
    [InlineData("bank regulator", "bank/web", false)]
    [InlineData("", "bank/web", false)]
    public void Only_who_states_a_flow_with_a_domain_is_told_its_name(string readers, string domain, bool may)
    {
        var parties = readers.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(PartyId.Unsigned);
        var named = new DomainRef(
            PartyId.Unsigned(domain.Split('/')[0]), StatementName.Parse(domain.Split('/')[1]));

        Assert.Equal(may, LiveProof.Named(Datacentre(), IntegrityReaders.Of(parties))(named));
        Assert.False(LiveProof.Named(Datacentre(), IntegrityReaders.Everyone)(named));
    }

    /// <summary>The example's third host, on which three domains meet.</summary>
    private static HostPlan Crossing() =>
        Refine.ForHost(Datacentre(), All, ExamplePlacements.Host("host-3"), Now);
}
