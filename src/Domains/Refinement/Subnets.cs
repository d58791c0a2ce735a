using System.Net;
using System.Net.Sockets;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>Arithmetic on a domain's subnets. The first host address of each is the gateway's.</summary>
internal static class Subnets
{
    /// <summary>The subnet a machine's address is in, or null if it is in none or is one no machine may have.</summary>
    public static IPNetwork? Of(DomainModel domain, IPAddress address)
    {
        foreach (var subnet in domain.Network.Subnets)
        {
            if (subnet.Contains(address))
            {
                return address.Equals(subnet.BaseAddress) || address.Equals(Addresses.Gateway(subnet))
                    || (domain.Services.HasServicePoint && address.Equals(Addresses.Service(subnet)))
                    || (address.AddressFamily == AddressFamily.InterNetwork && address.Equals(Addresses.Last(subnet)))
                    || Clash(subnet) is not null ? null : subnet;
            }
        }

        return null;
    }

    /// <summary><c>10.20.1.1/24</c>.</summary>
    public static string GatewayText(IPNetwork subnet) => $"{Addresses.Gateway(subnet)}/{subnet.PrefixLength}";

    /// <summary>A range with a meaning of its own that the subnet runs into, or null.</summary>
    public static string? Clash(IPNetwork subnet)
    {
        foreach (var special in Special)
        {
            if (Addresses.Overlap(subnet, special))
            {
                return special.ToString();
            }
        }

        return null;
    }

    private static readonly IPNetwork[] Special =
    [
        IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("169.254.0.0/16"),
        IPNetwork.Parse("224.0.0.0/3"), IPNetwork.Parse("::/128"), IPNetwork.Parse("::1/128"),
        IPNetwork.Parse("fe80::/10"), IPNetwork.Parse("ff00::/8"),
    ];
}
