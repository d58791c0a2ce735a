using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Benchmarks.Networking;

/// <summary>
/// One host's plan of a domain with many members, most of them on other hosts, each of which keeps its own.
/// </summary>
/// <param name="Members">All of them, numbered from 0.</param>
/// <param name="Here">How many of them are on this host.</param>
public sealed record LargeDomain(int Members, int Here)
{
    /// <summary>The number of the first that is on this host.</summary>
    public int First { get; init; }

    /// <summary>The encrypted tunnels, when that is how other hosts are reached.</summary>
    public EncryptedTunnels? Encrypted { get; init; }

    private const int PerHost = 200;

    private static readonly Reason Because = new("It is measured.", []);

    /// <summary>The bridge.</summary>
    public const string Bridge = "bwb0000000001";

    /// <summary>The table in family bridge.</summary>
    public const string Table = "bw_0000000001";

    /// <summary>The tunnel in clear.</summary>
    public const string Vxlan = "bwx0000000001";

    /// <summary>The VXLAN network number.</summary>
    public const int Number = 4711;

    /// <summary>The plan, with members 0 to <see cref="Members"/> - 1, of which the first are here.</summary>
    public DomainPlan Plan()
    {
        var domain = new DomainRef(PartyId.Unsigned("tenant"), StatementName.Parse("large"));
        ImmutableArray<LocalPort> ports =
            [.. Enumerable.Range(First, Here).Select(i => new LocalPort(Tap(i), Member(i)))];
        ImmutableArray<PeerPlan> peers =
        [
            .. Enumerable.Range(0, Members).Where(i => i < First || i >= First + Here).GroupBy(i => i / PerHost)
                .Select(host => new PeerPlan(
                    new HostRef(PartyId.Unsigned("operator"), StatementName.Parse($"host-{host.Key + 2}")),
                    Underlay(host.Key + 2), [.. host.Select(Member)],
                    Encrypted is null ? LinkProtection.Clear : LinkProtection.Encrypted, Because)),
        ];
        return new DomainPlan(
            domain, "tenant/large",
            new NetworkPlan(
                Bridge, peers.IsEmpty || Encrypted is not null ? null : Vxlan, Encrypted, Number, Table,
                Encrypted is null ? 1450 : 1370, ports, peers, Because),
            null, [], Because);
    }

    /// <summary>The port of a member that is here.</summary>
    public static string Tap(int member) => $"bwt{member:x10}";

    /// <summary>The addresses of a member.</summary>
    public static MemberPlan Member(int member) => new(
        new CompartmentRef(PartyId.Unsigned("tenant"), StatementName.Parse($"machine-{member}")), Mac(member),
        Ipv4(member), Ipv6(member));

    /// <summary>A member's MAC address.</summary>
    public static string Mac(int member) => string.Join(
        ':', ((byte[])[2, 0, .. Bytes(member)]).Select(b => b.ToString("x2", CultureInfo.InvariantCulture)));

    /// <summary>A member's IPv4 address.</summary>
    public static string Ipv4(int member)
    {
        byte[] bytes = Bytes(member + 1);
        return $"10.{bytes[1]}.{bytes[2]}.{bytes[3]}";
    }

    /// <summary>A member's IPv6 address.</summary>
    public static string Ipv6(int member) => $"fd00::{member + 1:x}";

    /// <summary>A host's address on the wire.</summary>
    public static string Underlay(int host) => $"192.168.{host >> 8}.{host & 255}";

    private static byte[] Bytes(int number)
    {
        byte[] bytes = BitConverter.GetBytes(number);
        Array.Reverse(bytes);
        return bytes;
    }
}
