using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Tests.Domains.Leases;

/// <summary>What every verifier of hosts counts by: peers and key services alike.</summary>
public sealed class LeaseTableTests
{
    private static readonly HostRef Host = new(PartyId.Unsigned("alpine"), StatementName.Parse("host-2"));
    private static readonly DomainRef Web = new(PartyId.Unsigned("bank"), StatementName.Parse("web"));
    private static readonly DomainRef Ledger = new(PartyId.Unsigned("bank"), StatementName.Parse("ledger"));

    [Fact]
    public void Who_never_proved_anything_is_doubted() =>
        Assert.Contains("not proven", LeaseTable.Empty.Doubt(Host, Web, default), StringComparison.Ordinal);

    [Theory]
    [InlineData(0, LeaseStanding.Held)]
    [InlineData(59.999, LeaseStanding.Held)]
    [InlineData(60, LeaseStanding.Held)]
    [InlineData(60.001, LeaseStanding.Silent)]
    [InlineData(1e6, LeaseStanding.Silent)]
    public void A_lease_lasts_a_minute_and_no_longer(double seconds, LeaseStanding standing)
    {
        LeaseTable table = LeaseTable.Empty.Take(Host, Web, [], TimeSpan.FromSeconds(5));
        TimeSpan now = TimeSpan.FromSeconds(5 + seconds);
        Assert.Equal(standing, table.Find(Host, Web)?.Standing(now));
        Assert.Equal(standing == LeaseStanding.Held, table.Doubt(Host, Web, now) is null);
    }

    [Fact]
    public void A_refusal_stays_one_however_much_time_goes_by()
    {
        LeaseTable table = LeaseTable.Empty.Take(Host, Web, [], default).Take(Host, Web, ["PCR 4 differs."], default);
        Assert.Equal(LeaseStanding.Refused, table.Find(Host, Web)?.Standing(TimeSpan.FromDays(1)));
        Assert.Equal("PCR 4 differs.", table.Doubt(Host, Web, default));
        Assert.Null(table.Take(Host, Web, [], default).Doubt(Host, Web, default));
    }

    [Fact]
    public void Trust_for_one_domain_is_none_for_another_and_forgetting_one_forgets_no_other()
    {
        LeaseTable table = LeaseTable.Empty.Take(Host, Web, [], default);
        Assert.NotNull(table.Doubt(Host, Ledger, default));
        LeaseTable both = table.Take(Host, Ledger, [], default);
        Assert.Equal([Ledger], both.Where(lease => lease.Domain == Ledger).All.Select(lease => lease.Domain));
        Assert.Equal(2, both.All.Length);
    }
}
