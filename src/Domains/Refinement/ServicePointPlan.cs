using System.Collections.Immutable;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// Where a domain's machines on this host ask for their addresses and each other's names: a server in a network
/// namespace of its own. It says only what is here, and is reached by machines of this host alone.
/// </summary>
/// <param name="Namespace"><c>bwn</c> and 10 hex digits. Its end of the pair into the bridge is <see
/// cref="Inside"/>.</param>
/// <param name="BridgePort">The host's end of that pair; the same name.</param>
/// <param name="Mac">Its MAC, the same on every host of the domain; never crosses the tunnel.</param>
/// <param name="LinkLocal">Its IPv6 link-local address, without prefix length.</param>
/// <param name="Zone">The domain's own DNS zone, for example <c>web.bank.internal</c>.</param>
/// <param name="GivesAddresses">Whether it answers DHCP and DHCPv6 and sends router advertisements.</param>
/// <param name="AnswersNames">Whether it answers DNS.</param>
/// <param name="Subnets">The domain's subnets.</param>
/// <param name="Machines">The machines of this host, each with what it is told.</param>
/// <param name="Names">The names it knows.</param>
/// <param name="Reason">Why.</param>
public sealed record ServicePointPlan(
    string Namespace, string BridgePort, string Mac, string LinkLocal, string Zone, bool GivesAddresses,
    bool AnswersNames, ImmutableArray<ServedSubnet> Subnets, ImmutableArray<ServedMachine> Machines,
    ImmutableArray<ServedName> Names, Reason Reason)
{
    /// <summary>The interface in the namespace.</summary>
    public const string Inside = "inside";
}

/// <summary>A subnet of the domain.</summary>
/// <param name="Prefix">Its own address, without prefix length.</param>
/// <param name="Length">The prefix length.</param>
/// <param name="Address">The service point's address in it: the second after the subnet's own.</param>
/// <param name="Router">The gateway's address; null while the domain has no gateway here.</param>
public sealed record ServedSubnet(string Prefix, int Length, string Address, string? Router);

/// <summary>A machine of this host.</summary>
/// <param name="Device">The host's interface: answers for it pass by that one alone.</param>
/// <param name="Name">Its name in the domain.</param>
/// <param name="Mac">Its MAC.</param>
/// <param name="Ipv4">The IPv4 address it is told, or null.</param>
/// <param name="Ipv6">The IPv6 address it is told, or null.</param>
/// <param name="LinkLocal">The link-local address it asks from.</param>
public sealed record ServedMachine(
    string Device, string Name, string Mac, string? Ipv4, string? Ipv6, string LinkLocal);

/// <summary>A machine that can be asked for by name.</summary>
/// <param name="Names">Its names, the full one last.</param>
/// <param name="Addresses">Its addresses.</param>
public sealed record ServedName(ImmutableArray<string> Names, ImmutableArray<string> Addresses);
