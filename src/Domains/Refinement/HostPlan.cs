using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>Why a line of a plan is there: a sentence, and the statements that caused it.</summary>
public sealed record Reason(string Sentence, ImmutableArray<StatementOrigin> Because);

/// <summary>
/// What one host must enforce, one <see cref="DomainPlan"/> per domain so that one tenant's policy can neither break
/// nor delay another's. Equal inputs give equal plans, in the same order, byte for byte when written out.
/// </summary>
/// <param name="Host">The host.</param>
/// <param name="Underlay">The host's own guard: which hosts may send tunnel packets for which network.</param>
/// <param name="Domains">Per domain, by reference text.</param>
/// <param name="Passages">Segments between two domains with an open flow, by name.</param>
/// <param name="Refused">Machines proposed for this host that are not admitted, with every reason.</param>
/// <param name="Withheld">What a policy asks for and this plan leaves out because it would not be safe, and
/// why.</param>
public sealed record HostPlan(
    HostRef Host,
    UnderlayPlan Underlay,
    ImmutableArray<DomainPlan> Domains,
    ImmutableArray<PassagePlan> Passages,
    ImmutableArray<AdmissionVerdict.Refused> Refused,
    ImmutableArray<Reason> Withheld)
{
    /// <summary>How the way to other hosts is shared out; null when nobody wants a part, or its size is not stated.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public UplinkPlan? Uplink { get; init; }
}

/// <summary>One domain on one host.</summary>
public sealed record DomainPlan(
    DomainRef Domain,
    string DisplayName,
    NetworkPlan Network,
    GatewayPlan? Gateway,
    ImmutableArray<CompartmentPlan> Compartments,
    Reason Reason)
{
    /// <summary>Where the domain's machines here ask for addresses and names; null where its policy has none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ServicePointPlan? ServicePoint { get; init; }

    /// <summary>The machine that may tell the others their addresses, wherever it runs; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public MemberPlan? AddressServer { get; init; }

    /// <summary>Whether the policy names such a machine, admitted or not: each asks for itself alone then.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool NamesAddressServer { get; init; }
}

/// <summary>A machine the host runs, exactly as it must look.</summary>
public sealed record CompartmentPlan
{
    /// <summary>The machine.</summary>
    public required CompartmentRef Ref { get; init; }
    /// <summary><c>bank/web-1</c>: for people and for the machine's own command line.</summary>
    public required string DisplayName { get; init; }
    /// <summary>libvirt's name: <c>bw-</c> and 16 hex digits derived from <see cref="Ref"/>.</summary>
    public required string MachineName { get; init; }
    /// <summary>libvirt's UUID, derived from <see cref="Ref"/>.</summary>
    public required Guid Uuid { get; init; }
    /// <summary>Virtual processors.</summary>
    public required int Cpus { get; init; }
    /// <summary>MiB.</summary>
    public required int MemoryMib { get; init; }
    /// <summary>What it boots.</summary>
    public required BootPlan Boot { get; init; }
    /// <summary>Its own TPM; null when it has none.</summary>
    public required MachineTpmPlan? Tpm { get; init; }
    /// <summary>Its disks.</summary>
    public required ImmutableArray<DiskPlan> Disks { get; init; }
    /// <summary>Its ports.</summary>
    public required ImmutableArray<PortPlan> Ports { get; init; }
    /// <summary>Its other devices.</summary>
    public required ImmutableArray<DevicePlan> Devices { get; init; }
    /// <summary>Why it is here.</summary>
    public required Reason Reason { get; init; }
}

/// <summary>Boot software by digest; the Storage Manager finds the bytes and checks them before every start.</summary>
/// <param name="KernelSha256">Lower hex.</param>
/// <param name="InitrdSha256">Lower hex.</param>
/// <param name="FirmwareSha256">UEFI firmware, lower hex; null when the hypervisor loads the kernel itself.</param>
/// <param name="VolumeSha256">
/// The whole content of the first disk, lower hex; null when the image states none, and then it is not measured.
/// </param>
/// <param name="Arguments">The whole kernel command line, with the machine's own part appended.</param>
/// <param name="Reason">Why.</param>
public sealed record BootPlan(
    string KernelSha256, string InitrdSha256, string? FirmwareSha256, string? VolumeSha256, string Arguments,
    Reason Reason);

/// <summary>A machine's own TPM 2.0.</summary>
/// <param name="StateName">Directory of its state at rest in the pool: 32 hex digits derived from the machine, and
/// <c>.tpm</c>.</param>
/// <param name="Reason">Why.</param>
public sealed record MachineTpmPlan(string StateName, Reason Reason)
{
    /// <summary>The name of a machine's state, planned or not.</summary>
    public static string NameOf(CompartmentRef machine) => DeviceNames.TpmState(machine);
}

/// <summary>A volume attached to a machine.</summary>
/// <param name="Volume">The volume.</param>
/// <param name="FileName">File in the pool: 32 hex digits derived from the volume's reference, and <c>.luks</c> or
/// <c>.raw</c>.</param>
/// <param name="SizeMib">Usable size.</param>
/// <param name="Encrypted">LUKS under the tenant's key; false only when the domain demands none.</param>
/// <param name="Access">Read only or read and write.</param>
/// <param name="Target">Device in the machine: <c>vda</c>, <c>vdb</c>...</param>
/// <param name="SecretUuid">libvirt's secret, derived from the references of volume and machine.</param>
/// <param name="Reason">Why.</param>
public sealed record DiskPlan(
    VolumeRef Volume, string FileName, int SizeMib, bool Encrypted, VolumeAccess Access, string Target,
    Guid SecretUuid, Reason Reason)
{
    /// <summary>What it begins with when it is made; null for blank.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ContentPlan? Content { get; init; }

    /// <summary>The volume that it is made as a copy of, read for that alone; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DiskPlan? CopyOf { get; init; }

    /// <summary>Whether it is filled before its first machine starts.</summary>
    [JsonIgnore]
    public bool BeginsWithContent => Content is not null || CopyOf is not null;

    /// <summary>Who may have it open at the same time.</summary>
    public required VolumeSharing Sharing { get; init; }
}

/// <summary>What a volume is filled with when it is made.</summary>
/// <param name="Sha256">Digest of the content, lower hex: also its file's name among the images of the host.</param>
/// <param name="SizeMib">Its length, at most the volume's.</param>
/// <param name="Reason">Why.</param>
public sealed record ContentPlan(string Sha256, int SizeMib, Reason Reason);

/// <summary>A network port of a machine.</summary>
/// <param name="Device">The host's interface: <c>bwt</c> and 10 hex digits.</param>
/// <param name="Mac">The machine's MAC address, locally administered, derived from machine and index.</param>
/// <param name="Bridge">The domain's bridge on this host.</param>
/// <param name="Ipv4">Its IPv4 address, or null.</param>
/// <param name="Ipv6">Its IPv6 address, or null.</param>
/// <param name="Mtu">The domain's.</param>
/// <param name="Reason">Why.</param>
public sealed record PortPlan(
    string Device, string Mac, string Bridge, string? Ipv4, string? Ipv6, int Mtu, Reason Reason);

/// <summary>A device of a machine.</summary>
public sealed record DevicePlan(DeviceKind Kind, Reason Reason);

/// <summary>A domain's virtual switch on one host: one bridge without a host address, one VXLAN network.</summary>
/// <param name="Bridge"><c>bwb</c> and 10 hex digits.</param>
/// <param name="Vxlan">The tunnel in clear: <c>bwx</c> and 10 hex digits; null when no peer is reached by it.</param>
/// <param name="Encrypted">The tunnels inside WireGuard; null when no peer is reached by one.</param>
/// <param name="Number">VXLAN network number.</param>
/// <param name="Table">nftables table (bridge family) of the domain: <c>bw_</c> and 10 hex digits.</param>
/// <param name="Mtu">Of the machines' ports.</param>
/// <param name="Ports">The members on this host, those of machines that another domain's plan runs included.</param>
/// <param name="Peers">Other hosts with members, and which addresses are behind them.</param>
/// <param name="Reason">Why.</param>
public sealed record NetworkPlan(
    string Bridge, string? Vxlan, EncryptedTunnels? Encrypted, int Number, string Table, int Mtu,
    ImmutableArray<LocalPort> Ports, ImmutableArray<PeerPlan> Peers, Reason Reason)
{
    /// <summary>The port into a VLAN of the segment that the host is on; null when no peer is reached by it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public VlanPlan? Vlan { get; init; }
}

/// <summary>A domain's own VLAN on the underlay (IEEE 802.1Q).</summary>
/// <param name="Device">The port of the bridge: <c>bwv</c> and 10 hex digits.</param>
/// <param name="Number">The VLAN's number.</param>
public sealed record VlanPlan(string Device, int Number);

/// <summary>
/// A virtual switch's tunnels to the hosts that are reached through ciphertext: two places, so that a new key pair can
/// stand beside the old one while peers change over. Each is a VXLAN inside a WireGuard interface that is alone in a
/// network namespace: its packets have no other way.
/// </summary>
/// <param name="Segment">The 10 hex digits by which hosts name the switch to each other.</param>
/// <param name="Generations">Both places, by number.</param>
public sealed record EncryptedTunnels(string Segment, ImmutableArray<EncryptedTunnel> Generations)
{
    /// <summary>How many key pairs of one switch a host can have at the same time.</summary>
    public const int Places = 2;
}

/// <summary>One place of <see cref="EncryptedTunnels"/>.</summary>
/// <param name="Namespace"><c>bws</c>, the segment and the number.</param>
/// <param name="WireGuard">The interface in it: <c>bww</c>, the segment and the number.</param>
/// <param name="Vxlan">The port of the bridge: <c>bwy</c>, the segment and the number.</param>
/// <param name="Address">This host's address inside: <see cref="InnerAddress"/>.</param>
public sealed record EncryptedTunnel(string Namespace, string WireGuard, string Vxlan, string Address);

/// <summary>A member on this host and the interface it sends from.</summary>
/// <param name="Device">The host's interface.</param>
/// <param name="Member">Who sends from it.</param>
public sealed record LocalPort(string Device, MemberPlan Member)
{
    /// <summary>How much may pass it; null for no limit.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PortLimit? Limit { get; init; }
}

/// <summary>Another host of a domain's network.</summary>
/// <param name="Host">The host.</param>
/// <param name="UnderlayIpv4">Its underlay address.</param>
/// <param name="Members">The members behind it: the filter accepts these sources, and no other, from the
/// tunnel.</param>
/// <param name="Protection">How frames pass between.</param>
/// <param name="Reason">Why they pass so.</param>
public sealed record PeerPlan(
    HostRef Host, string UnderlayIpv4, ImmutableArray<MemberPlan> Members, LinkProtection Protection, Reason Reason);

/// <summary>A member of a domain somewhere in the datacentre.</summary>
public sealed record MemberPlan(CompartmentRef Ref, string Mac, string? Ipv4, string? Ipv6);

/// <summary>
/// The domain's gateway on this host, in a network namespace of its own: what leaves or enters the domain passes it,
/// on the client's host and on the server's, so that each owner's own host enforces its own side.
/// </summary>
/// <param name="Namespace"><c>bwg</c> and 10 hex digits. Its end of the pair into the bridge is <see
/// cref="Inside"/>.</param>
/// <param name="BridgePort">The host's end of the pair into the domain's bridge: <c>bwp</c> and 10 hex digits.</param>
/// <param name="Mac">The gateway's MAC, the same on every host of the domain; never crosses the tunnel.</param>
/// <param name="Addresses">Gateway addresses with prefix length, IPv4 and IPv6.</param>
/// <param name="Neighbours">The machines here that a flow names: programmed, never learned.</param>
/// <param name="Legs">One leg per passage.</param>
/// <param name="Flows">
/// What may pass; everything else is dropped. By leg, and for each leg in the order of the terms that grant it.
/// </param>
/// <param name="Reason">Why.</param>
public sealed record GatewayPlan(
    string Namespace, string BridgePort, string Mac, ImmutableArray<string> Addresses,
    ImmutableArray<GatewayNeighbour> Neighbours, ImmutableArray<GatewayLeg> Legs, ImmutableArray<FlowPlan> Flows,
    Reason Reason)
{
    /// <summary>The interface in the namespace that faces the domain's bridge.</summary>
    public const string Inside = "inside";

    /// <summary>What may pass between two addresses, by each flow that names both.</summary>
    /// <param name="own">The address of a machine of the domain on this host.</param>
    /// <param name="other">The address by which the domain knows the other machine.</param>
    public IEnumerable<FlowLine> Between(string own, string other) =>
        Flows.Select(flow => flow.Between(own, other)).OfType<FlowLine>();
}

/// <summary>A machine on this host that the gateway forwards for.</summary>
public sealed record GatewayNeighbour(string Address, string Mac);

/// <summary>A gateway's leg in a passage.</summary>
/// <param name="Passage">The passage's name.</param>
/// <param name="Port">The host's end: <c>bwq</c> and 10 hex digits.</param>
/// <param name="Device">The gateway's end: <c>leg</c> and the passage's name.</param>
/// <param name="Mac">The leg's MAC.</param>
/// <param name="Address">Its address in the passage, IPv6 link-local, with prefix length.</param>
/// <param name="Mtu">The passage's: where a domain's is larger, its gateway tells its machines.</param>
/// <param name="Routes">Each machine of the other domain that an open flow names, and the gateway before it.</param>
public sealed record GatewayLeg(
    string Passage, string Port, string Device, string Mac, string Address, int Mtu,
    ImmutableArray<GatewayRoute> Routes);

/// <summary>A host route of a gateway.</summary>
/// <param name="Destination">A machine's address, of either family.</param>
/// <param name="Via">The other gateway's address in the passage, IPv6 link-local.</param>
/// <param name="ViaMac">Its MAC: neighbours are programmed, never learned.</param>
public sealed record GatewayRoute(string Destination, string Via, string ViaMac);

/// <summary>
/// A segment that joins only the gateways of two domains: a bridge here, a VXLAN network between hosts.
/// </summary>
/// <param name="Name">10 hex digits derived from both domains' references, order independent.</param>
/// <param name="Between">The two domains, by reference text order.</param>
/// <param name="Network">Bridge, VXLAN and table; the members are the gateways' legs.</param>
/// <param name="Ports">The legs on this host.</param>
/// <param name="Reason">Why.</param>
public sealed record PassagePlan(
    string Name, ImmutableArray<DomainRef> Between, PassageNetwork Network, ImmutableArray<PassagePort> Ports,
    Reason Reason);

/// <summary>A gateway's leg on this host.</summary>
/// <param name="Device">The host's end.</param>
/// <param name="Leg">The gateway's end.</param>
public sealed record PassagePort(string Device, PassageMember Leg);

/// <summary>A passage's devices on one host.</summary>
public sealed record PassageNetwork(
    string Bridge, string? Vxlan, EncryptedTunnels? Encrypted, int Number, string Table, int Mtu,
    ImmutableArray<PassagePeer> Peers);

/// <summary>A host on the other side of a passage, and the legs behind it.</summary>
public sealed record PassagePeer(
    HostRef Host, string UnderlayIpv4, ImmutableArray<PassageMember> Legs, LinkProtection Protection, Reason Reason);

/// <summary>A gateway's leg somewhere in the datacentre.</summary>
/// <param name="Domain">Whose gateway: legs of one domain never speak with each other.</param>
/// <param name="Mac">Its MAC.</param>
/// <param name="Address">Its IPv6 link-local address, without prefix length.</param>
public sealed record PassageMember(DomainRef Domain, string Mac, string Address);

/// <summary>
/// Tunnel packets in clear that are accepted on the underlay: (sender, network number) pairs, and nothing else.
/// </summary>
public sealed record UnderlayPlan(string LocalIpv4, AcceptedSenders Tunnels);

/// <summary>One accepted sender for one network number. A value: a large host has a hundred thousand.</summary>
public readonly record struct TunnelPlan(string PeerIpv4, int Number, Reason Reason);
