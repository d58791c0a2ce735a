using System.Net;
using System.Net.Sockets;

namespace Bailiwick.Domains.Policy;

/// <summary>Arithmetic on addresses and prefixes, and the one text form of each.</summary>
internal static class Addresses
{
    /// <summary>An address whose text is exactly the canonical one; null for any other spelling.</summary>
    public static IPAddress? Parse(string text) =>
        text.Length <= 39 && !text.Contains('%', StringComparison.Ordinal)
        && IPAddress.TryParse(text, out var address) && address.ToString() == text && !address.IsIPv4MappedToIPv6
            ? address
            : null;

    /// <summary>Neither unspecified, loopback, link-local, multicast nor reserved.</summary>
    public static bool IsUnicast(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return address.AddressFamily == AddressFamily.InterNetwork
            ? bytes[0] is not (0 or 127 or >= 224) && !(bytes[0] == 169 && bytes[1] == 254)
            : !address.IsIPv6LinkLocal && !address.IsIPv6Multicast && !address.IsIPv6SiteLocal
                && bytes.AsSpan(0, 12).ContainsAnyExcept((byte)0);
    }

    /// <summary>The address with all bits beyond the length cleared.</summary>
    public static IPAddress Masked(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] &= (byte)(0xFF00 >> Math.Clamp(length - (8 * i), 0, 8));
        }

        return new IPAddress(bytes);
    }

    /// <summary>The gateway's address: the first after the subnet's own.</summary>
    public static IPAddress Gateway(IPNetwork subnet)
    {
        var bytes = subnet.BaseAddress.GetAddressBytes();
        bytes[^1] |= 1;
        return new IPAddress(bytes);
    }

    /// <summary>The service point's address: the second after the subnet's own.</summary>
    public static IPAddress Service(IPNetwork subnet)
    {
        var bytes = subnet.BaseAddress.GetAddressBytes();
        bytes[^1] |= 2;
        return new IPAddress(bytes);
    }

    /// <summary>The last address of a subnet: IPv4's broadcast address.</summary>
    public static IPAddress Last(IPNetwork subnet)
    {
        var bytes = subnet.BaseAddress.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] |= (byte)(0xFF >> Math.Clamp(subnet.PrefixLength - (8 * i), 0, 8));
        }

        return new IPAddress(bytes);
    }

    /// <summary>True if any address is in both.</summary>
    public static bool Overlap(IPNetwork left, IPNetwork right) =>
        left.BaseAddress.AddressFamily == right.BaseAddress.AddressFamily
        && (left.Contains(right.BaseAddress) || right.Contains(left.BaseAddress));
}
