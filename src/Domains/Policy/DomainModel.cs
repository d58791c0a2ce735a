using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy;

/// <summary>A trusted virtual domain as its tenant's newest statement describes it.</summary>
public sealed record DomainModel
{
    /// <summary>The domain's name.</summary>
    public required DomainRef Ref { get; init; }
    /// <summary>Who owns the data.</summary>
    public required LegalOwner LegalOwner { get; init; }
    /// <summary>
    /// After this moment the domain demands nothing and is given nothing: every admission is refused.
    /// </summary>
    public required DateTimeOffset Expires { get; init; }
    /// <summary>What a host must be to join.</summary>
    public required HostDemand Hosts { get; init; }
    /// <summary>What a machine must be to join.</summary>
    public required MachineDemand Machines { get; init; }
    /// <summary>Addresses and confidentiality of the domain's network.</summary>
    public required NetworkDemand Network { get; init; }
    /// <summary>Services in the domain's network; none where nothing is said.</summary>
    public NetworkServices Services { get; init; } = NetworkServices.None;
    /// <summary>Its part of each host's uplink; null where nothing is said.</summary>
    public DomainBandwidth? Bandwidth { get; init; }
    /// <summary>Confidentiality of the domain's volumes.</summary>
    public required StorageConfidentiality Storage { get; init; }
    /// <summary>The media on which its volumes may lie in clear; none where nothing is said.</summary>
    public ImmutableArray<MediumRef> TrustedMedia { get; init; } = [];
    /// <summary>The most the domain may use.</summary>
    public required Quota Quota { get; init; }
    /// <summary>What is kept free for the domain.</summary>
    public required Reservation Reservation { get; init; }
    /// <summary>How many root keys must approve an act; an act not listed is refused.</summary>
    public required ImmutableSortedDictionary<ApprovedAction, int> Approvals { get; init; }
    /// <summary>Named sets of this domain's machines. An empty group is nobody.</summary>
    public required ImmutableSortedDictionary<string, ImmutableArray<StatementName>> Groups { get; init; }
    /// <summary>Flows this domain lets out.</summary>
    public required ImmutableArray<FlowTerm> Grants { get; init; }
    /// <summary>Flows this domain lets in.</summary>
    public required ImmutableArray<FlowTerm> Accepts { get; init; }
    /// <summary>The addresses by which it and other domains know each other's machines; none where nothing is said.
    /// </summary>
    public ImmutableArray<AddressTranslation> Translations { get; init; } = [];
    /// <summary>Where its information may not come; nothing is demanded where nothing is said.</summary>
    public InformationDemand Information { get; init; } = InformationDemand.None;
    /// <summary>The statement.</summary>
    public required StatementOrigin Origin { get; init; }
}

/// <summary>The legal owner of a domain's data.</summary>
public sealed record LegalOwner(string Name, string Jurisdiction);

/// <summary>
/// What a host must be: run by one of these operators, at one of these levels, in one of these countries.
/// </summary>
/// <param name="Operators">Who may run it.</param>
/// <param name="Assurance">The levels at which it may prove what it is.</param>
/// <param name="Jurisdictions">The countries it may stand in, ISO 3166-1 alpha-2.</param>
/// <param name="Vendors">
/// The makers of TPMs whose word the owner takes: SHA-256 of a PEM file of their root certificates, 64 hex digits
/// (`file:NAME` while unsigned); null when none is named, and then no TPM gives <see cref="AssuranceLevel.Tpm"/>.
/// </param>
/// <param name="Evidence">What the logs of its boot and of its running must show; nothing when empty.</param>
/// <param name="OnLostTrust">What becomes of the domain's machines on a host that loses its trust.</param>
public sealed record HostDemand(
    ImmutableArray<PartyId> Operators,
    ImmutableArray<AssuranceLevel> Assurance,
    ImmutableArray<string> Jurisdictions,
    string? Vendors,
    ImmutableArray<Predicate> Evidence,
    LostTrust OnLostTrust);

/// <summary>What hosts' pools of one operator are on, by the name that the operator gives it.</summary>
/// <param name="Operator">Whose word it is.</param>
/// <param name="Name">Its name there.</param>
public sealed record MediumRef(PartyId Operator, StatementName Name);

/// <summary>What a machine must be.</summary>
/// <param name="Images">It starts from one of these images of the same tenant.</param>
/// <param name="Firmware">What starts its kernel.</param>
/// <param name="Tpm">Whether it must have a TPM of its own.</param>
public sealed record MachineDemand(ImmutableArray<StatementName> Images, FirmwareDemand Firmware, TpmDemand Tpm)
{
    /// <summary>Whether the firmware that starts a machine's kernel is accepted.</summary>
    public bool Accepts(MachineFirmware firmware) => Firmware switch
    {
        FirmwareDemand.Any => true,
        FirmwareDemand.Ovmf => firmware == MachineFirmware.Ovmf,
        _ => throw new UnreachableException(),
    };

    /// <summary>Whether a machine with, or without, a TPM of its own is accepted.</summary>
    public bool Accepts(MachineTpm tpm) => Tpm switch
    {
        TpmDemand.Any => true,
        TpmDemand.Required => tpm == MachineTpm.Required,
        _ => throw new UnreachableException(),
    };
}

/// <summary>The domain's network.</summary>
/// <param name="Subnets">IPv4 and IPv6 prefixes; the first host address of each is the gateway's.</param>
/// <param name="Confidentiality">When traffic between hosts must be ciphertext.</param>
/// <param name="Number">VXLAN network number (24 bits) chosen by the tenant, or null for one derived from the
/// name.</param>
public sealed record NetworkDemand(
    ImmutableArray<IPNetwork> Subnets, NetworkConfidentiality Confidentiality, int? Number);

/// <summary>Upper bounds of a domain.</summary>
public sealed record Quota(int Machines, int Cpus, int MemoryMib, int StorageMib);

/// <summary>A domain's part of the uplink of each host that runs its machines, 10^6 bits a second.</summary>
/// <param name="ReserveMbit">What it gets when others want more; 0 for nothing.</param>
/// <param name="LimitMbit">What it gets at most; null for all that is free.</param>
public sealed record DomainBandwidth(int ReserveMbit, int? LimitMbit);

/// <summary>Capacity kept for a domain.</summary>
public sealed record Reservation(int Cpus, int MemoryMib);

/// <summary>
/// One side of a flow: what this domain grants to, or accepts from, <paramref name="Peer"/>. It opens nothing by
/// itself: a flow is the intersection of a grant and the peer's acceptance.
/// </summary>
/// <param name="Peer">The other domain.</param>
/// <param name="Machines">Machines or groups of this domain; null = every machine, empty = nobody.</param>
/// <param name="Resource">What may pass.</param>
/// <param name="Pointer">JSON pointer of the term in its statement's body.</param>
public sealed record FlowTerm(
    DomainRef Peer, ImmutableArray<string>? Machines, FlowResource Resource, string Pointer);

/// <summary>What a flow carries. A closed set.</summary>
public abstract record FlowResource
{
    private FlowResource() { }

    /// <summary>
    /// Packets from a client in the granting domain to a server in the accepting domain, and the answers.
    /// </summary>
    /// <param name="Protocol">Transport.</param>
    /// <param name="Ports">The server's ports; empty only for <see cref="FlowProtocol.Icmp"/>.</param>
    public sealed record Network(FlowProtocol Protocol, ImmutableArray<PortRange> Ports) : FlowResource;

    /// <summary>Use of one volume of the granting domain by machines of the accepting domain.</summary>
    public sealed record Volume(StatementName Name, VolumeAccess Access) : FlowResource;

    /// <summary>Use of a kind of device of the granting domain by machines of the accepting domain.</summary>
    public sealed record Device(DeviceKind Kind) : FlowResource;
}

/// <summary>An inclusive range of ports, 1 to 65535, <c>First &lt;= Last</c>.</summary>
public sealed record PortRange(int First, int Last);
