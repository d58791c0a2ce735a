using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>
/// Keeps one gateway from seeing one subnet twice: in its own domain and a peer's, or in two peers'. The domain whose
/// gateway it is decides by the order of its own terms, so that no peer's later change of addresses can cut off another
/// peer.
/// </summary>
internal static class FlowConflicts
{
    /// <summary>The pairs of domains that must not be joined, given what both sides want.</summary>
    public static ImmutableArray<FlowConflict> Of(CheckedDatacentre datacentre, IReadOnlyList<OpenFlow> wanted)
    {
        var peers = wanted.Where(flow => flow.Resource is FlowResource.Network)
            .SelectMany(flow => new[] { (flow.From, Peer: flow.To), (flow.To, Peer: flow.From) })
            .ToLookup(pair => pair.Item1, pair => pair.Peer);
        var conflicts = ImmutableArray.CreateBuilder<FlowConflict>();
        foreach (var domain in datacentre.Domains.Values)
        {
            var reach = new List<(DomainModel Domain, IPNetwork Subnet)>();
            reach.AddRange(domain.Network.Subnets.Select(subnet => (domain, subnet)));
            var joined = peers[domain.Ref].ToHashSet();
            var sides = domain.Grants.Select(term => new FlowSide(domain, term, true))
                .Concat(domain.Accepts.Select(term => new FlowSide(domain, term, false)))
                .Where(side => side.Term.Resource is FlowResource.Network && joined.Contains(side.Term.Peer))
                .DistinctBy(side => side.Term.Peer);
            foreach (var side in sides)
            {
                var peer = datacentre.Domains[side.Term.Peer.ToString()];
                if (Translations.Objection(domain, peer) is { } objection)
                {
                    conflicts.Add(new FlowConflict(side, peer, objection) { Code = FindingCode.NatNotAgreed });
                }
                else if (Clash(domain, reach, peer) is { } sentence)
                {
                    conflicts.Add(new FlowConflict(side, peer, sentence));
                }
                else
                {
                    reach.AddRange(Translations.Seen(peer, domain).Select(subnet => (peer, subnet)));
                }
            }
        }

        return conflicts.ToImmutable();
    }

    private static string? Clash(
        DomainModel domain, List<(DomainModel Domain, IPNetwork Subnet)> reach, DomainModel peer)
    {
        foreach (var subnet in Translations.Seen(peer, domain))
        {
            foreach (var (other, same) in reach.Where(one => Addresses.Overlap(one.Subnet, subnet)))
            {
                return $"The gateway of {FlowMatrix.Display(domain)} would see {subnet} of {FlowMatrix.Display(peer)} "
                    + $"and {same} of {FlowMatrix.Display(other)} in one reach, so no network flow between "
                    + $"{FlowMatrix.Display(domain)} and {FlowMatrix.Display(peer)} opens. Use other subnets, or state "
                    + "in both domains' flows.nat by which the two know each other's.";
            }
        }

        return null;
    }
}
