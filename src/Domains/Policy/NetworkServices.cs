using System.Collections.Immutable;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy;

/// <summary>Services that a domain's machines find in their network. What is not stated is not there.</summary>
/// <param name="Addresses">Who tells machines their addresses.</param>
/// <param name="Names">Who tells machines each other's addresses.</param>
public sealed record NetworkServices(AddressService Addresses, ServiceProvider Names)
{
    /// <summary>Neither: machines know by themselves, and whoever claims to tell them is dropped.</summary>
    public static NetworkServices None { get; } = new(new AddressService.Nobody(), ServiceProvider.None);

    /// <summary>Whether each host with members of the domain has a service point for it.</summary>
    public bool HasServicePoint => Addresses is AddressService.EachHost || Names == ServiceProvider.Host;
}

/// <summary>Who answers machines' questions.</summary>
public enum ServiceProvider
{
    /// <summary>Nobody.</summary>
    None = 1,
    /// <summary>The host that the machine runs on, from the domain's own policy.</summary>
    Host,
}

/// <summary>
/// Who tells a domain's machines their addresses (DHCP, DHCPv6, router advertisements). A closed set.
/// </summary>
public abstract record AddressService
{
    private AddressService() { }

    /// <summary>UDP ports of servers and clients, each with the family in which it means that (RFC 2131, RFC 8415).
    /// </summary>
    public static ImmutableArray<(int Number, string Family)> Ports { get; } =
        [(67, "IPv4"), (68, "IPv4"), (546, "IPv6"), (547, "IPv6")];

    /// <summary>Nobody; every such answer on the domain's network is dropped.</summary>
    public sealed record Nobody : AddressService;

    /// <summary>Each machine's own host: the addresses that the policy gives the machine, and no others.</summary>
    public sealed record EachHost : AddressService;

    /// <summary>One machine of the domain, in its own responsibility; answers of all others are dropped.</summary>
    public sealed record Machine(StatementName Name) : AddressService;
}
