using System.Net;
using System.Net.Sockets;

namespace Bailiwick.Domains.Policy.Reading;

/// <summary>Reads what services a domain's network has, and its part of hosts' uplinks.</summary>
internal static class ServiceReader
{
    /// <summary>The shortest prefix that router advertisements and DHCPv6 are made for.</summary>
    private const int ShortestIpv6Prefix = 64;

    /// <summary>Reads the member <c>services</c>, which may be absent.</summary>
    /// <param name="services">The member.</param>
    /// <param name="subnets">The domain's subnets.</param>
    public static NetworkServices Services(Value services, IReadOnlyList<IPNetwork> subnets)
    {
        services.Only("addresses", "names");
        var (addresses, names) = (services.May("addresses"), services.May("names"));
        if (services.IsPresent && !addresses.IsPresent && !names.IsPresent)
        {
            services.Fault(
                FindingCode.MissingMember, "No service is named. Add addresses or names, or remove the member.");
        }

        var read = new NetworkServices(
            Addresses(addresses), names.IsPresent ? names.Word<ServiceProvider>() : ServiceProvider.None);
        if (read.Addresses is AddressService.EachHost)
        {
            foreach (var wide in subnets.Where(one => one.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6
                && one.PrefixLength < ShortestIpv6Prefix))
            {
                addresses.Fault(
                    FindingCode.SubnetTooWide,
                    $"Hosts cannot tell machines their addresses in {wide}: an IPv6 prefix has at least "
                    + $"{ShortestIpv6Prefix} bits for that. Make the subnet smaller.");
            }
        }

        return read;
    }

    /// <summary>Reads the member <c>bandwidth</c>, which may be absent.</summary>
    public static DomainBandwidth? Bandwidth(Value bandwidth)
    {
        bandwidth.Only("limitMbit", "reserveMbit");
        if (!bandwidth.IsPresent)
        {
            return null;
        }

        var (limit, reserve) = (bandwidth.May("limitMbit"), bandwidth.May("reserveMbit"));
        if (!limit.IsPresent && !reserve.IsPresent)
        {
            bandwidth.Fault(
                FindingCode.MissingMember, "Nothing is limited or reserved. Add limitMbit, reserveMbit or both.");
        }

        var read = new DomainBandwidth(
            reserve.IsPresent ? reserve.Integer(1, PortLimit.Most) : 0,
            limit.IsPresent ? limit.Integer(1, PortLimit.Most) : null);
        if (read.ReserveMbit > read.LimitMbit)
        {
            bandwidth.Fault(
                FindingCode.QuotaBelowReservation,
                $"{read.ReserveMbit} Mbit/s are reserved, but the limit is {read.LimitMbit}. Raise the limit or "
                + "reserve less.");
        }

        return read;
    }

    private static AddressService Addresses(Value addresses)
    {
        if (!addresses.IsPresent)
        {
            return new AddressService.Nobody();
        }

        if (addresses.HasMembers)
        {
            return new AddressService.Machine(addresses.Only("machine").Need("machine").Name());
        }

        return addresses.Word<ServiceProvider>() == ServiceProvider.Host
            ? new AddressService.EachHost() : new AddressService.Nobody();
    }
}
