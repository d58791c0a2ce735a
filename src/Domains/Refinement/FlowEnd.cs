using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// The machines of one domain that a flow with another names: by which addresses the other domain's gateways know them,
/// and how they reach them.
/// </summary>
/// <param name="domain">The domain.</param>
/// <param name="peer">The other.</param>
/// <param name="placed">The machines.</param>
/// <param name="host">A host of theirs in the passage of the two.</param>
internal sealed class FlowEnd(
    DomainModel domain, DomainModel peer, PlacedDomain placed, Func<HostMembers, PairHost> host)
{
    private readonly bool _translates = Translations.AreAny(domain, peer);
    private readonly bool _isFirst = string.CompareOrdinal(domain.Ref.ToString(), peer.Ref.ToString()) < 0;
    private ImmutableArray<GatewayRoute> _routes4;
    private ImmutableArray<GatewayRoute> _routes6;
    private ImmutableArray<string> _known4;
    private ImmutableArray<string> _known6;
    private ImmutableArray<MetHost> _hosts;

    public DomainModel Domain => domain;

    public PlacedDomain Placed => placed;

    /// <summary>The hosts that they are on, in order.</summary>
    public ImmutableArray<MetHost> Hosts => _hosts.IsDefault
        ? _hosts = [.. placed.ByHost.Select(there => new MetHost(host(there), _isFirst, !_isFirst))] : _hosts;

    /// <summary>Those of a host alone.</summary>
    public FlowEnd Only(HostRef one) => new(domain, peer, PlacedDomain.Of(placed.On(one)), host);

    /// <summary>By which addresses the other domain knows them, in order, each once.</summary>
    public ImmutableArray<string> Known(bool isIpv6) => isIpv6
        ? _known6.IsDefault ? _known6 = Destinations(isIpv6) : _known6
        : _known4.IsDefault ? _known4 = Destinations(isIpv6) : _known4;

    /// <summary>The way from the other domain's gateway on any host to each of them, in their order.</summary>
    public ImmutableArray<GatewayRoute> Routes(bool isIpv6) => isIpv6
        ? _routes6.IsDefault ? _routes6 = Made(isIpv6) : _routes6
        : _routes4.IsDefault ? _routes4 = Made(isIpv6) : _routes4;

    /// <summary>
    /// By which address the other domain knows each of a host's, in the order of these; null where by its own.
    /// </summary>
    public ImmutableArray<string>? KnownOf(ImmutableArray<string> own)
    {
        if (!_translates)
        {
            return null;
        }

        ImmutableArray<string> known =
            [.. own.Select(address => Translations.Known(domain, peer, IPAddress.Parse(address)).ToString())];
        return known.SequenceEqual(own) ? null : known;
    }

    private ImmutableArray<string> Destinations(bool isIpv6) => [.. Routes(isIpv6).Select(route => route.Destination)];

    private ImmutableArray<GatewayRoute> Made(bool isIpv6) => _translates ? Translated(isIpv6) :
    [
        .. placed.Addresses(isIpv6).Select(address => Route(address.Text, Hosts[address.Host].Host)),
    ];

    private ImmutableArray<GatewayRoute> Translated(bool isIpv6) =>
    [
        .. placed.ByHost.Zip(Hosts).SelectMany(there => Routes(there.First, there.Second.Host, isIpv6))
            .DistinctBy(route => route.Destination, StringComparer.Ordinal)
            .OrderBy(route => route.Destination, StringComparer.Ordinal),
    ];

    private IEnumerable<GatewayRoute> Routes(HostMembers there, PairHost at, bool isIpv6)
    {
        var own = there.Addresses(isIpv6);
        return (KnownOf(own) ?? own).Select(address => Route(address, at));
    }

    private GatewayRoute Route(string address, PairHost at) =>
        new(address, at.Leg(_isFirst).Address, at.Leg(_isFirst).Mac);
}
