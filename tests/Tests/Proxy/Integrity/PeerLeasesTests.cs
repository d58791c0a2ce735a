using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Tests.Channel;

namespace Bailiwick.Tests.Proxy.Integrity;

/// <summary>Trust in another host is lent, per domain, and ends.</summary>
public sealed class PeerLeasesTests
{
    private static readonly HostRef Peer = new(PartyId.Unsigned("alpine"), StatementName.Parse("host-2"));
    private static readonly DomainRef Web = new(PartyId.Unsigned("bank"), StatementName.Parse("web"));
    private static readonly DomainRef Ledger = new(PartyId.Unsigned("bank"), StatementName.Parse("ledger"));
    private readonly MovedClock _clock = new();
    private readonly PeerLeases _leases;

    public PeerLeasesTests() => _leases = new PeerLeases(_clock);

    [Fact]
    public void Nobody_is_trusted_before_it_has_proven_itself()
    {
        Assert.NotNull(_leases.Doubt(Peer, Web));
        _leases.Take(Peer, Web, []);
        Assert.Null(_leases.Doubt(Peer, Web));
    }

    [Fact]
    public void Trust_for_one_domain_is_none_for_another()
    {
        _leases.Take(Peer, Web, []);
        Assert.Null(_leases.Doubt(Peer, Web));
        Assert.NotNull(_leases.Doubt(Peer, Ledger));
    }

    [Fact]
    public void Silence_ends_it_after_a_minute_and_fresh_evidence_renews_it()
    {
        _leases.Take(Peer, Web, []);
        _clock.Move(LeaseTable.Seconds);
        Assert.Null(_leases.Doubt(Peer, Web));
        _clock.Move(1);
        Assert.Contains("60 s", _leases.Doubt(Peer, Web), StringComparison.Ordinal);
        _leases.Take(Peer, Web, []);
        Assert.Null(_leases.Doubt(Peer, Web));
    }

    [Fact]
    public void A_refusal_ends_it_at_once_and_says_why()
    {
        _leases.Take(Peer, Web, []);
        Assert.Null(_leases.Doubt(Peer, Web));
        _leases.Take(Peer, Web, ["The quote is not that of the key.", "PCR 4 differs."]);
        Assert.Equal("The quote is not that of the key. PCR 4 differs.", _leases.Doubt(Peer, Web));
    }

    [Fact]
    public async Task A_verifier_that_throws_ends_the_leases_of_that_host_at_once_and_of_no_other()
    {
        HostRef other = Peer with { Name = StatementName.Parse("host-3") };
        foreach ((HostRef host, DomainRef domain) in new[] { (Peer, Web), (Peer, Ledger), (other, Web) })
        {
            _leases.Take(host, domain, []);
        }

        Assert.Null(await _leases.JudgeAsync(Peer, [Web, Ledger], () => Task.CompletedTask));
        Assert.Null(_leases.Doubt(Peer, Web));
        Exception failure = new InvalidOperationException("a bug of a parser");
        Assert.Same(failure, await _leases.JudgeAsync(Peer, [Web, Ledger], () => throw failure));
        Assert.Contains("failed", _leases.Doubt(Peer, Web), StringComparison.Ordinal);
        Assert.NotNull(_leases.Doubt(Peer, Ledger));
        Assert.Null(_leases.Doubt(other, Web));
        await Assert.ThrowsAsync<OperationCanceledException>(
            () => _leases.JudgeAsync(other, [Web], () => throw new OperationCanceledException()));
        Assert.Null(_leases.Doubt(other, Web));
    }

    [Fact]
    public void Who_is_no_peer_any_more_is_forgotten()
    {
        _leases.Take(Peer, Web, []);
        _leases.Take(Peer, Ledger, []);
        _leases.Keep([(Peer, Web)]);
        Assert.Null(_leases.Doubt(Peer, Web));
        Assert.NotNull(_leases.Doubt(Peer, Ledger));
    }
}
