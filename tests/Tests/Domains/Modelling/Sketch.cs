using System.Collections.Immutable;
using System.Globalization;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>What all parties of a datacentre state and where machines are proposed, as plain data.</summary>
/// <remarks>
/// Names of domains, machines and volumes are <c>tenant/name</c>. A tenant's documents may name what is not there.
/// </remarks>
internal sealed record Sketch
{
    /// <summary>The operator's name.</summary>
    public const string Operator = "alpine";

    /// <summary>Hosts by name.</summary>
    public required ImmutableSortedDictionary<string, SketchedHost> Hosts { get; init; }

    /// <summary>Wires between hosts.</summary>
    public required ImmutableArray<SketchedLink> Links { get; init; }

    /// <summary>All that ever were tenants; each has a root and an image.</summary>
    public required ImmutableSortedSet<string> Tenants { get; init; }

    /// <summary>Those of them that the operator does not list.</summary>
    public ImmutableSortedSet<string> Left { get; init; } = [];

    /// <summary>Domains by name.</summary>
    public required ImmutableSortedDictionary<string, SketchedDomain> Domains { get; init; }

    /// <summary>Machines by name.</summary>
    public required ImmutableSortedDictionary<string, SketchedMachine> Machines { get; init; }

    /// <summary>Volumes by name.</summary>
    public ImmutableSortedDictionary<string, SketchedVolume> Volumes { get; init; } =
        ImmutableSortedDictionary.Create<string, SketchedVolume>(StringComparer.Ordinal);

    /// <summary>What is proposed to run where; a machine perhaps on several hosts: the Master may lie.</summary>
    public required ImmutableSortedSet<(string Machine, string Host)> Places { get; init; }

    /// <summary>Hosts that have not proven themselves to the others, each for one domain.</summary>
    public ImmutableSortedSet<(string Host, string Domain)> Doubts { get; init; } = [];

    /// <summary>Short, because a run of changes has one for each.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Domains.Count} domains, {Machines.Count} machines, {Hosts.Count} hosts");

    /// <summary>The tenant in a name.</summary>
    public static string TenantOf(string name) => name.Split('/')[0];

    /// <summary>A host's address, by its name: so that who comes or goes gives no other another.</summary>
    public static string UnderlayOf(string host) => string.Create(
        CultureInfo.InvariantCulture, $"10.99.0.{int.Parse(host[1..], CultureInfo.InvariantCulture) + 10}");

    /// <summary>The name without its tenant.</summary>
    public static string LocalOf(string name) => name.Split('/')[1];
}

/// <summary>A host.</summary>
/// <param name="Country">Where it stands.</param>
/// <param name="Cpus">Its processors.</param>
internal sealed record SketchedHost(string Country, int Cpus)
{
    public int MemoryMib { get; init; } = 262_144;

    /// <summary>What it sends to others at most, in Mbit/s; null where nobody states it.</summary>
    public int? UplinkMbit { get; init; }

    /// <summary>The link whose VLANs its port carries; null for none.</summary>
    public string? Vlans { get; init; }
}

/// <summary>A wire that joins hosts.</summary>
internal sealed record SketchedLink(string Name, ImmutableArray<string> Hosts, bool IsTrusted)
{
    /// <summary>The VLANs that its switches carry; null for none.</summary>
    public VlanNumbers? Numbers { get; init; }
}

/// <summary>Numbers of VLANs that follow each other.</summary>
internal sealed record VlanNumbers(int First, int Length)
{
    public int Last => First + Length - 1;

    public bool Has(int number) => First <= number && number <= Last;
}

/// <summary>A block of addresses, of both families: no two overlap.</summary>
/// <param name="Number">Which: 0 to 16,383.</param>
/// <param name="IsAlias">Whether it is of those by which others know a domain.</param>
internal sealed record Block(int Number, bool IsAlias)
{
    /// <summary>The address of a place in it.</summary>
    public string Address(int place, bool ipv6) => ipv6
        ? string.Create(CultureInfo.InvariantCulture, $"{Six}:{Number + 1:x}::{place:x}")
        : string.Create(
            CultureInfo.InvariantCulture, $"{(IsAlias ? 172 : 10)}.{First + (Number >> 8)}.{Number & 255}.{place}");

    /// <summary>Both subnets.</summary>
    public string Subnets => string.Create(
        CultureInfo.InvariantCulture, $"{Address(0, ipv6: false)}/24, \"{Six}:{Number + 1:x}::/64\"");

    private string Six => IsAlias ? "fd64" : "fd20";

    private int First => IsAlias ? 16 : 0;
}

/// <summary>How long a domain's policy holds.</summary>
internal enum Expiry
{
    /// <summary>For years.</summary>
    Late = 1,
    /// <summary>Until a second from now.</summary>
    InASecond,
    /// <summary>Until now, and no longer.</summary>
    Now,
}

/// <summary>A domain's statement.</summary>
/// <param name="Number">Its network number.</param>
/// <param name="Block">Its addresses.</param>
internal sealed record SketchedDomain(int Number, Block Block)
{
    public Expiry Expiry { get; init; } = Expiry.Late;

    /// <summary>The countries of the hosts that it takes.</summary>
    public ImmutableSortedSet<string> Countries { get; init; } = ["CH", "DE"];

    /// <summary><c>none</c>, <c>untrusted-links</c> or <c>always</c>.</summary>
    public string Confidentiality { get; init; } = "none";

    /// <summary>The images that its machines may start from.</summary>
    public ImmutableSortedSet<string> Images { get; init; } = ["guest"];

    /// <summary>The country of its legal owner.</summary>
    public string Owner { get; init; } = "CH";

    public SketchedQuota Quota { get; init; } = new(60, 400, 262_144, 16_384);

    /// <summary>What it asks to be kept for it.</summary>
    public Amount Asked { get; init; }

    /// <summary>What it reserves: nobody can state more than the quota.</summary>
    public Amount Reserves =>
        new(Math.Min(Asked.Cpus, Quota.Cpus), Math.Min(Asked.MemoryMib, Quota.MemoryMib));

    /// <summary>Its part of hosts' uplinks; null for none.</summary>
    public SketchedBandwidth? Bandwidth { get; init; }

    /// <summary>Who tells its machines their addresses: <c>none</c>, <c>host</c>, or a machine's name.</summary>
    public string AddressesBy { get; init; } = "none";

    /// <summary>Whether hosts tell its machines each other's names.</summary>
    public bool TellsNames { get; init; }

    /// <summary>Where its information may come; null for anywhere.</summary>
    public SketchedDemand? Information { get; init; }

    /// <summary>The countries that its demand names; nobody can leave out its own. Null for all.</summary>
    public ImmutableSortedSet<string>? MayBeKnownIn => Information?.Within?.Union(Countries).Add(Owner);

    public ImmutableSortedDictionary<string, ImmutableArray<string>> Groups { get; init; } =
        ImmutableSortedDictionary.Create<string, ImmutableArray<string>>(StringComparer.Ordinal);

    public ImmutableArray<SketchedTerm> Grants { get; init; } = [];

    public ImmutableArray<SketchedTerm> Accepts { get; init; } = [];

    public ImmutableArray<SketchedNat> Nats { get; init; } = [];
}

/// <summary>What a domain gets of an uplink when others want more, and at most, in Mbit/s.</summary>
internal sealed record SketchedBandwidth(int Reserve, int? Limit);

/// <summary>How much a domain may have.</summary>
internal sealed record SketchedQuota(int Machines, int Cpus, int MemoryMib, int StorageMib);

/// <summary>Where a domain's information may not come, directly or through others.</summary>
internal sealed record SketchedDemand
{
    public ImmutableSortedSet<string> NotTo { get; init; } = [];

    /// <summary>Countries of the owners and hosts of whoever may have it; null for all.</summary>
    public ImmutableSortedSet<string>? Within { get; init; }

    /// <summary>Each a class of domains whose information must not meet it.</summary>
    public ImmutableArray<ImmutableSortedSet<string>> Conflicts { get; init; } = [];

    /// <summary>Who is trusted to keep what it learns; named by nothing else here.</summary>
    public ImmutableSortedSet<string> Keepers { get; init; } = [];
}

/// <summary>One term of a domain, by which something is granted to a peer or accepted from one.</summary>
/// <param name="Peer">The other domain.</param>
/// <param name="What">What.</param>
internal sealed record SketchedTerm(string Peer, Resource What)
{
    /// <summary>The machines and groups that it is for; null for all.</summary>
    public ImmutableArray<string>? Only { get; init; }
}

/// <summary>What flows. A closed set.</summary>
internal abstract record Resource
{
    private Resource() { }

    /// <summary>Connections: <c>tcp</c>, <c>udp</c> or <c>icmp</c>, and the ports of the first two.</summary>
    public sealed record Network(string Protocol, int First, int Last) : Resource;

    /// <summary>A volume of the granting domain, by its name without the tenant.</summary>
    public sealed record Volume(string Name, bool Writes) : Resource;
}

/// <summary>By what two domains know each other's machines, as one of them says it.</summary>
/// <param name="With">The other.</param>
/// <param name="Own">What the other knows its machines by; null for their own addresses.</param>
/// <param name="Peer">What it knows the other's by.</param>
internal sealed record SketchedNat(string With, Block? Own, Block? Peer);

/// <summary>A machine's port.</summary>
/// <param name="Domain">In which domain, of its own tenant.</param>
/// <param name="Place">Its place among the addresses, 10 to 250.</param>
/// <param name="HasIpv4">Whether it has an IPv4 address.</param>
/// <param name="HasIpv6">Whether it has an IPv6 address.</param>
internal sealed record SketchedNic(string Domain, int Place, bool HasIpv4, bool HasIpv6)
{
    public bool Has(bool ipv6) => ipv6 ? HasIpv6 : HasIpv4;
}

/// <summary>A machine's statement.</summary>
internal sealed record SketchedMachine(ImmutableArray<SketchedNic> Nics)
{
    public string Image { get; init; } = "guest";

    public Amount Needs { get; init; } = new(1, 112);

    /// <summary>Names of machines of its tenant that must be on other hosts.</summary>
    public ImmutableArray<string> ApartFrom { get; init; } = [];

    /// <summary>Names of machines of its tenant that must be on the same host.</summary>
    public ImmutableArray<string> TogetherWith { get; init; } = [];

    /// <summary>The hosts that it may run on; null for any.</summary>
    public ImmutableArray<string>? OnlyOn { get; init; }

    public ImmutableArray<(string Volume, bool Writes)> Disks { get; init; } = [];

    public bool IsIn(string domain) => Nics.Any(nic => nic.Domain == domain);
}

/// <summary>A volume's statement.</summary>
/// <param name="Domain">Whose it is.</param>
/// <param name="Sharing"><c>exclusive</c>, <c>readers</c> or <c>writers</c>.</param>
internal sealed record SketchedVolume(string Domain, string Sharing)
{
    public int SizeMib { get; init; } = 16;

    /// <summary>Images of its owner, from one of which a machine that opens it starts; null for any machine.</summary>
    public ImmutableArray<string>? OnlyImages { get; init; }

    /// <summary>Hosts on which it is opened; null for any.</summary>
    public ImmutableArray<string>? OnlyOn { get; init; }
}
