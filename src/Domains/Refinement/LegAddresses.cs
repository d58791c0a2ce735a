using System.Collections.Concurrent;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// Each host's number among all: derived by hash, and where two hashes meet, the next free one in the order of the
/// hosts, so that everybody finds the same. One number serves in all passages.
/// </summary>
internal sealed class HostNumbers
{
    private readonly Dictionary<HostRef, int> _numbers = [];

    /// <summary>Gives the hosts their numbers.</summary>
    /// <param name="hosts">The hosts, by reference.</param>
    /// <param name="most">How many numbers there are; hosts beyond have none, and so no passages.</param>
    public static HostNumbers Of(IEnumerable<HostModel> hosts, int most)
    {
        var (all, taken) = (new HostNumbers(), new HashSet<int>());
        foreach (var host in hosts)
        {
            if (taken.Count == most)
            {
                break;
            }

            var number = DeviceNames.HostNumber(host.Ref, most);
            while (!taken.Add(number))
            {
                number = (number + 1) % most;
            }

            all._numbers[host.Ref] = number;
        }

        return all;
    }

    /// <summary>The number of a host.</summary>
    public int this[HostRef host] => _numbers[host];
}

/// <summary>
/// The link-local addresses of the legs of one passage: from a place of the passage's own on, a host's number and which
/// of the two domains it is.
/// </summary>
internal sealed class LegAddresses(HostNumbers hosts, FlowPair pair)
{
    private readonly int _start = DeviceNames.LegStart(pair.Name);
    private readonly ConcurrentDictionary<(HostRef, DomainRef), PassageMember> _legs = [];

    /// <summary>The leg of a domain's gateway on a host.</summary>
    public PassageMember Member(HostRef host, DomainRef domain) => _legs.GetOrAdd((host, domain), Made);

    private PassageMember Made((HostRef Host, DomainRef Domain) leg)
    {
        var slot = (_start + (2 * hosts[leg.Host]) + (leg.Domain == pair.First.Ref ? 0 : 1)) % DeviceNames.LegSlots;
        return new PassageMember(
            leg.Domain, DeviceNames.LegMac(leg.Host, leg.Domain, pair.Name), DeviceNames.LegIpv4(slot),
            DeviceNames.LegIpv6(slot));
    }
}
