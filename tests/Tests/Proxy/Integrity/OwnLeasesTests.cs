using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Integrity;

namespace Bailiwick.Tests.Proxy.Integrity;

/// <summary>A start that needs a key does not wait for the next round of proofs.</summary>
public sealed class OwnLeasesTests
{
    private static readonly PartyId Bank = PartyId.Unsigned("bank");
    private static readonly DomainRef Web = new(Bank, StatementName.Parse("web"));
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);
    private readonly OwnLeases _leases = new();

    [Fact]
    public async Task Who_waits_for_a_key_services_word_has_the_host_proven_at_once()
    {
        Task rest = _leases.RestAsync(Long, TimeProvider.System, TestContext.Current.CancellationToken);
        Task known = _leases.KnownAsync([Web], Long, TestContext.Current.CancellationToken);
        await rest.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.False(known.IsCompleted);
        _leases.Take(Bank, new Dictionary<DomainRef, System.Collections.Immutable.ImmutableArray<string>>
        {
            [Web] = [],
        });
        await known.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(OwnTrust.Held, _leases.Of(Web).Trust);

        // What is known hastens nothing.
        Task next = _leases.RestAsync(Long, TimeProvider.System, TestContext.Current.CancellationToken);
        await _leases.KnownAsync([Web], Long, TestContext.Current.CancellationToken);
        Assert.False(next.IsCompleted);
    }

    [Fact]
    public async Task Who_waits_in_vain_goes_on_after_its_patience_and_hastens_once()
    {
        Task rest = _leases.RestAsync(Long, TimeProvider.System, TestContext.Current.CancellationToken);
        await _leases.KnownAsync([Web], TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken);
        await rest.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(OwnTrust.Unknown, _leases.Of(Web).Trust);
        Assert.False(_leases.RestAsync(Long, TimeProvider.System, TestContext.Current.CancellationToken).IsCompleted);
    }

    [Fact]
    public async Task A_refusal_ends_the_wait_too()
    {
        Task known = _leases.KnownAsync([Web], Long, TestContext.Current.CancellationToken);
        _leases.Take(Bank, new Dictionary<DomainRef, System.Collections.Immutable.ImmutableArray<string>>
        {
            [Web] = ["no"],
        });
        await known.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(OwnTrust.Lost, _leases.Of(Web).Trust);
    }
}
