using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// Takes hosts that are not trusted out of a plan: nothing goes to them and nothing is taken from them. Trust is per
/// domain, because each owner demands something else. Pure, like the refinement whose result it narrows; it only ever
/// takes away, but for one exchange: a host in doubt would hear what is said in a VLAN, so the domain leaves it, and
/// the others that were in it are reached by tunnels in clear, which go to them alone.
/// </summary>
public static class TrustedPeers
{
    /// <summary>Every pair of another host and a domain that a plan needs trust for, each once and in order.</summary>
    public static ImmutableArray<(HostRef Host, DomainRef Domain)> Wanted(HostPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var inside = plan.Domains.SelectMany(domain =>
            domain.Network.Peers.Select(peer => (peer.Host, domain.Domain)));
        var across = plan.Passages.SelectMany(passage =>
            passage.Network.Peers.SelectMany(peer => peer.Legs.Select(leg => (peer.Host, leg.Domain))));
        return
        [
            .. inside.Concat(across).Distinct().OrderBy(pair => pair.Item1.ToString(), StringComparer.Ordinal)
                .ThenBy(pair => pair.Item2.ToString(), StringComparer.Ordinal),
        ];
    }

    /// <summary>The plan without the hosts in doubt; each of them is named among what is withheld.</summary>
    public static HostPlan Only(HostPlan plan, HostDoubt doubt)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(doubt);
        var doubted = Wanted(plan).Select(pair => (pair.Host, pair.Domain, Sentence: doubt(pair.Host, pair.Domain)))
            .Where(found => found.Sentence is not null)
            .ToDictionary(found => (found.Host, found.Domain), found => found.Sentence ?? "");
        if (doubted.Count == 0)
        {
            return plan;
        }

        ImmutableArray<DomainPlan> domains =
        [
            .. plan.Domains.Select(domain => domain with
            {
                Network = Only(domain, peer => doubted.ContainsKey((peer.Host, domain.Domain))),
            }),
        ];
        ImmutableArray<PassagePlan> passages =
        [
            .. plan.Passages.Select(passage => passage with
            {
                Network = passage.Network with
                {
                    Peers =
                    [
                        .. passage.Network.Peers.Select(peer => peer with
                        {
                            Legs = [.. peer.Legs.Where(leg => !doubted.ContainsKey((peer.Host, leg.Domain)))],
                        }).Where(peer => !peer.Legs.IsEmpty),
                    ],
                },
            }),
        ];
        return plan with
        {
            Domains = domains,
            Passages = passages,
            Underlay = plan.Underlay with { Tunnels = AcceptedSenders.Of(domains, passages) },
            Withheld =
            [
                .. plan.Withheld,
                .. doubted.Select(pair => new Reason(
                    $"{pair.Key.Host.Name} is left out of {NameOf(plan, pair.Key.Domain)}: {pair.Value}", [])),
            ],
        };
    }

    private static NetworkPlan Only(DomainPlan domain, Func<PeerPlan, bool> isDoubted)
    {
        NetworkPlan network = domain.Network;
        ImmutableArray<PeerPlan> left = [.. network.Peers.Where(peer => !isDoubted(peer))];
        if (!network.Peers.Any(peer => peer.Protection == LinkProtection.Vlan && isDoubted(peer)))
        {
            return network with { Peers = left };
        }

        return network with
        {
            Vlan = null,
            Vxlan = network.Vxlan ?? (left.Any(peer => peer.Protection == LinkProtection.Vlan)
                ? DeviceNames.Vxlan(domain.Domain) : null),
            Peers =
            [
                .. left.Select(peer => peer.Protection != LinkProtection.Vlan ? peer : peer with
                {
                    Protection = LinkProtection.Clear,
                    Reason = peer.Reason with
                    {
                        Sentence = $"{peer.Reason.Sentence} A host in doubt hears what is said in it, so it is left.",
                    },
                }),
            ],
        };
    }

    private static string NameOf(HostPlan plan, DomainRef domain) =>
        plan.Domains.FirstOrDefault(one => one.Domain == domain)?.DisplayName ?? $"domain {domain.Name}";
}
