using System.Globalization;
using System.Net;

namespace Bailiwick.Benchmarks.Policies;

/// <summary>The addresses that begin with the same bits.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Length">How many bits.</param>
internal readonly record struct Prefix(uint First, int Length)
{
    public static Prefix Any { get; } = new(0, 0);

    public uint Last => First | (uint)((1UL << (32 - Length)) - 1);

    /// <summary>The one half of it or the other.</summary>
    public Prefix Half(int which) => new(First | (which == 0 ? 0 : 1u << (31 - Length)), Length + 1);

    public bool Has(uint address) => First <= address && address <= Last;

    public bool Meets(Prefix other) => First <= other.Last && other.First <= Last;

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{new IPAddress([(byte)(First >> 24), (byte)(First >> 16), (byte)(First >> 8), (byte)First])}/{Length}");
}

/// <summary>A packet, as access lists tell packets apart.</summary>
internal readonly record struct ListedPacket(uint Source, uint Destination, int Protocol, int Port);

/// <summary>One line of an access list; the first that a packet meets decides about it.</summary>
/// <param name="Permits">What becomes of it.</param>
/// <param name="Protocol">TCP or UDP; 0 for any protocol, and then any port.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Destination">Where it goes.</param>
/// <param name="FirstPort">The least port to which it goes.</param>
/// <param name="LastPort">The greatest.</param>
internal sealed record AccessRule(
    bool Permits, int Protocol, Prefix Source, Prefix Destination, int FirstPort, int LastPort)
{
    public const int Tcp = 6, Udp = 17, MostPort = 65535;

    /// <summary>Whether a packet meets it.</summary>
    public bool Has(ListedPacket packet) => Source.Has(packet.Source) && Destination.Has(packet.Destination)
        && (Protocol == 0
            || (Protocol == packet.Protocol && FirstPort <= packet.Port && packet.Port <= LastPort));

    /// <summary>Whether a packet can meet both.</summary>
    public bool Meets(AccessRule other) => Source.Meets(other.Source) && Destination.Meets(other.Destination)
        && (Protocol == 0 || other.Protocol == 0
            || (Protocol == other.Protocol && FirstPort <= other.LastPort && other.FirstPort <= LastPort));

    /// <summary>As nft(8) writes it.</summary>
    public string Nft => $"ip saddr {Source} ip daddr {Destination}"
        + (Protocol == 0 ? "" : string.Create(
            CultureInfo.InvariantCulture, $" {(Protocol == Tcp ? "tcp" : "udp")} dport {FirstPort}-{LastPort}"))
        + (Permits ? " accept" : " drop");

    /// <summary>The question whether a packet meets it, as SMT-LIB writes it (QF_BV).</summary>
    public string Smt => "(and " + Bits("src", Source) + " " + Bits("dst", Destination)
        + (Protocol == 0 ? ")" : string.Create(
            CultureInfo.InvariantCulture,
            $" (= proto #x{Protocol:x2}) (bvule #x{FirstPort:x4} port) (bvule port #x{LastPort:x4}))"));

    private static string Bits(string name, Prefix prefix) => prefix.Length == 0 ? "true" : string.Create(
        CultureInfo.InvariantCulture,
        $"(= ((_ extract 31 {32 - prefix.Length}) {name}) #b")
        + Convert.ToString(prefix.First >> (32 - prefix.Length), toBase: 2).PadLeft(prefix.Length, '0') + ")";
}
