using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>
/// The subnets that one gateway sees, in the order in which its domain's terms brought them. None overlaps another, for
/// a peer that would bring one that does is not added; so of two neighbours in the order of their addresses one
/// overlaps a further subnet if any does.
/// </summary>
internal sealed class GatewayReach
{
    private readonly List<(DomainModel Domain, IPNetwork Subnet)> _all = [];
    private readonly SortedSet<(AddressFamily Family, UInt128 First, UInt128 Last)> _ranges = [];

    /// <summary>Begins with the domain's own.</summary>
    public GatewayReach(DomainModel domain) => Add(domain, domain.Network.Subnets);

    /// <summary>Adds a domain's subnets as they are seen here.</summary>
    public void Add(DomainModel domain, ImmutableArray<IPNetwork> subnets)
    {
        foreach (var subnet in subnets)
        {
            _all.Add((domain, subnet));
            _ranges.Add(Range(subnet));
        }
    }

    /// <summary>The first of them that overlaps a further one; null when none does.</summary>
    public (DomainModel Domain, IPNetwork Subnet)? First(IPNetwork subnet)
    {
        var (family, first, last) = Range(subnet);
        // What begins last, of all that begin no later than it ends.
        var before = _ranges.GetViewBetween((family, 0, 0), (family, last, UInt128.MaxValue)).Max;
        return before.Family == family && before.Last >= first
            ? _all.First(one => Addresses.Overlap(one.Subnet, subnet)) : null;
    }

    private static (AddressFamily, UInt128, UInt128) Range(IPNetwork subnet)
    {
        var first = Number(subnet.BaseAddress);
        var bits = (subnet.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 32 : 128) - subnet.PrefixLength;
        return (
            subnet.BaseAddress.AddressFamily, first,
            bits == 128 ? UInt128.MaxValue : first + (UInt128.One << bits) - 1);
    }

    private static UInt128 Number(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        var isIpv4 = address.AddressFamily == AddressFamily.InterNetwork;
        address.TryWriteBytes(isIpv4 ? bytes[12..] : bytes, out _);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
