using System.Collections.Immutable;
using Bailiwick.Attestation;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Networking;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Proxy.Networking;

public sealed class PeerTunnelKeysTests
{
    private readonly PeerTunnelKeys _keys = new();

    [Fact]
    public void A_plan_lacks_keys_until_every_host_it_reaches_by_ciphertext_has_named_one_for_each_switch()
    {
        HostPlan plan = Plan("medium: untrusted");
        (string Segment, EncryptedPeer Peer)[] wanted =
        [
            .. plan.Domains.SelectMany(domain => TunnelKeeper.PeersOf(domain)
                .Select(peer => (domain.Network.Encrypted?.Segment ?? "", peer))),
            .. plan.Passages.SelectMany(passage => TunnelKeeper.PeersOf(passage)
                .Select(peer => (passage.Network.Encrypted?.Segment ?? "", peer))),
        ];
        Assert.NotEmpty(plan.Passages);
        foreach (var named in wanted.GroupBy(one => (one.Peer.Host, one.Peer.Domain)))
        {
            ImmutableArray<TunnelKey> all = [.. named.Select(one => Key(one.Segment))];
            Assert.True(_keys.Lacks(plan));
            _keys.Take(named.Key.Host, named.Key.Domain, all[1..]);
            Assert.True(_keys.Lacks(plan));
            _keys.Take(named.Key.Host, named.Key.Domain, all);
        }

        Assert.False(_keys.Lacks(plan));
        _keys.Forget(wanted[0].Peer.Host, wanted[0].Peer.Domain);
        Assert.True(_keys.Lacks(plan));
    }

    [Fact]
    public void A_plan_lacks_none_for_what_it_reaches_in_clear()
    {
        HostPlan plan = Plan("medium: trusted-segment");
        HostPlan clear = plan with
        {
            Domains = [.. plan.Domains.Where(domain => domain.Network.Encrypted is null)],
            Passages = [.. plan.Passages.Where(passage => passage.Network.Encrypted is null)],
        };
        Assert.Contains(clear.Domains, domain => !domain.Network.Peers.IsEmpty);
        Assert.False(_keys.Lacks(clear));
        Assert.True(_keys.Lacks(plan));
    }

    private static HostPlan Plan(string medium) => Refine.ForHost(
        Datacentre(Example.ThreeTenants.With("alpine/hosts.yaml", "medium: trusted-segment", medium)), All,
        Tests.Domains.ExamplePlacements.Host("host-1"), Now);

    private static TunnelKey Key(string segment) => new(segment, 0, 5000, new string('A', 43) + "=");
}
