using System.Net;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>Addresses as the integers that nftables compares raw payload with.</summary>
internal static class Raw
{
    public static bool IsIpv4(string address) => !IsIpv6(address);

    public static bool IsIpv6(string address) => address.Contains(':', StringComparison.Ordinal);

    public static string Ipv6(string address) =>
        "0x" + Convert.ToHexStringLower(IPAddress.Parse(address).GetAddressBytes());

    public static string LinkLocal(string mac) => "0x" + DeviceNames.LinkLocalDigits(mac);

    public static string Mac(string mac) => "0x" + mac.Replace(":", "", StringComparison.Ordinal);
}
