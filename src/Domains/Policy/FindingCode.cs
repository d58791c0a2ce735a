namespace Bailiwick.Domains.Policy;

/// <summary>
/// Every kind of problem a policy can have. Closed; shown to people and programs as <see cref="WireText.Of{T}"/>
/// writes it, for example <c>unknown-member</c>.
/// </summary>
public enum FindingCode
{
    // The file and its YAML.

    /// <summary>An authored file is larger than <see cref="PolicyLimits.FileBytes"/>.</summary>
    FileTooLarge = 1,
    /// <summary>More files than <see cref="PolicyLimits.Files"/>.</summary>
    TooManyFiles,
    /// <summary>A file is not in a party's directory, or its path has characters that no path of ours has.</summary>
    BadPath,
    /// <summary>A file is not UTF-8 without a byte order mark.</summary>
    NotUtf8,
    /// <summary>A file has a control character other than line feed, carriage return and tab.</summary>
    ControlCharacter,
    /// <summary>A file is not YAML.</summary>
    YamlSyntax,
    /// <summary>A YAML directive (<c>%YAML</c>, <c>%TAG</c>).</summary>
    YamlDirective,
    /// <summary>A YAML tag: types are ours to know, not the document's to choose.</summary>
    YamlTag,
    /// <summary>A YAML anchor.</summary>
    YamlAnchor,
    /// <summary>A YAML alias.</summary>
    YamlAlias,
    /// <summary>A YAML merge key.</summary>
    YamlMergeKey,
    /// <summary>A plain scalar that YAML readers understand differently.</summary>
    AmbiguousScalar,
    /// <summary>A member's name is not a text.</summary>
    KeyNotText,
    /// <summary>A member is there twice.</summary>
    DuplicateMember,
    /// <summary>A document nests deeper than <see cref="PolicyLimits.Depth"/>.</summary>
    TooDeep,
    /// <summary>A document has more values than <see cref="PolicyLimits.Nodes"/>.</summary>
    TooManyNodes,
    /// <summary>A file has more documents than <see cref="PolicyLimits.DocumentsInFile"/>.</summary>
    TooManyDocuments,
    /// <summary>A text is longer than <see cref="PolicyLimits.TextLength"/>.</summary>
    TextTooLong,
    /// <summary>More findings than <see cref="PolicyLimits.FindingsInDocument"/> in one document.</summary>
    MoreFindings,

    // The document.

    /// <summary>The kind of a document is none of ours.</summary>
    UnknownKind,
    /// <summary>A tenant's kind among an operator's documents, or the other way round.</summary>
    KindNotOfParty,
    /// <summary>Two documents describe one subject.</summary>
    DuplicateStatement,
    /// <summary>A party's name that <c>parties.json</c> or the directories do not know.</summary>
    UnknownParty,

    // One document's members.

    /// <summary>A member that this kind does not have.</summary>
    UnknownMember,
    /// <summary>A member that this kind must have.</summary>
    MissingMember,
    /// <summary>A domain without an expiry: it is invalid, not eternal.</summary>
    MissingExpiry,
    /// <summary>A value of another type than the member's.</summary>
    WrongType,
    /// <summary>A number outside its range.</summary>
    OutOfRange,
    /// <summary>A word that is none of the member's words.</summary>
    UnknownEnumValue,
    /// <summary>A name that is not a statement's name.</summary>
    BadName,
    /// <summary>A reference that is not <c>party/name</c>.</summary>
    BadReference,
    /// <summary>A text with characters outside its allowlist, or too long.</summary>
    BadText,
    /// <summary>A moment that is not <c>YYYY-MM-DDThh:mm:ssZ</c>.</summary>
    BadDate,
    /// <summary>A country that is not two upper-case letters.</summary>
    BadCountry,
    /// <summary>An address that is not a unicast address in its canonical form.</summary>
    BadAddress,
    /// <summary>A prefix that is not <c>address/length</c>, or too long or too short.</summary>
    BadPrefix,
    /// <summary>A prefix whose address has bits beyond its length.</summary>
    HostBitsSet,
    /// <summary>A port, or a range of ports, outside 1 to 65535 or backwards.</summary>
    BadPort,
    /// <summary>A digest that is not 64 lower-case hexadecimal digits.</summary>
    BadDigest,
    /// <summary>A key that is not a P-256 SubjectPublicKeyInfo in base64.</summary>
    BadKey,
    /// <summary>A file name with characters outside its allowlist.</summary>
    BadFileName,
    /// <summary>A network address that is not <c>address:port</c>.</summary>
    BadEndpoint,
    /// <summary>A kernel argument that refinement sets itself.</summary>
    ReservedArgument,
    /// <summary>An entry that the list already has.</summary>
    DuplicateItem,
    /// <summary>A list that must not be empty.</summary>
    EmptyList,
    /// <summary>A list with more entries than it may have.</summary>
    TooManyItems,
    /// <summary>A flow term without, or with more than, one resource.</summary>
    NotOneResource,
    /// <summary>An ICMP flow with ports, or another without.</summary>
    PortsDoNotFit,
    /// <summary>A machine's port without any address.</summary>
    NoAddress,
    /// <summary>Two subnets of one domain overlap.</summary>
    OverlappingSubnets,
    /// <summary>A subnet too wide for hosts to tell machines their addresses in it.</summary>
    SubnetTooWide,
    /// <summary>A quota smaller than the reservation.</summary>
    QuotaBelowReservation,
    /// <summary>A flow from a domain to itself.</summary>
    FlowToSelf,
    /// <summary>A machine's placement names the machine itself.</summary>
    PlacementNamesItself,
    /// <summary>A machine must be apart from and together with one other.</summary>
    PlacementContradicts,
    /// <summary>A host is to prove itself with a TPM whose endorsement key is not stated.</summary>
    MissingEndorsementKey,
    /// <summary>A demand on evidence that cannot be read.</summary>
    BadPredicate,
    /// <summary>A domain asks for TPMs of vendors and names no vendors.</summary>
    MissingVendors,
    /// <summary>A threshold that is not from one to the number of keys.</summary>
    BadThreshold,

    // Several documents together.

    /// <summary>A domain that its tenant did not describe.</summary>
    UnknownDomain,
    /// <summary>A volume that its tenant did not describe.</summary>
    UnknownVolume,
    /// <summary>An image that its tenant did not describe.</summary>
    UnknownImage,
    /// <summary>A host that the operator did not describe.</summary>
    UnknownHost,
    /// <summary>A machine that its tenant did not describe.</summary>
    UnknownMachine,
    /// <summary>What this statement needs was itself left out.</summary>
    DependsOnLeftOut,
    /// <summary>Two machines may write a volume whose sharing is not <c>writers</c>.</summary>
    VolumeTwoWriters,
    /// <summary>Several machines have a volume that is one machine's at a time.</summary>
    VolumeNotShared,
    /// <summary>A machine uses a volume of a domain it is not in, and no open flow lends it.</summary>
    VolumeFlowClosed,
    /// <summary>One volume twice in one machine.</summary>
    VolumeTwice,
    /// <summary>The machine's image is not among those a domain accepts.</summary>
    ImageNotAccepted,
    /// <summary>A machine starts with UEFI firmware, and its image states none.</summary>
    FirmwareNotStated,
    /// <summary>A machine's image states a boot volume, and its first disk is none that it only reads.</summary>
    BootVolumeNotRead,
    /// <summary>A volume is to begin with an image's disk, and the image states none.</summary>
    ImageWithoutDisk,
    /// <summary>A volume is smaller than the disk that it is to begin with, or than what it is a copy of.</summary>
    VolumeTooSmall,
    /// <summary>A volume is to begin with content, and its domain leaves it in clear.</summary>
    ContentNeedsCiphertext,
    /// <summary>A volume is to begin with an image's disk and to be a copy as well.</summary>
    TwoSources,
    /// <summary>A volume is a copy of itself, directly or through others.</summary>
    CopyOfItself,
    /// <summary>A volume is a copy of one of another domain.</summary>
    CopyOfAnotherDomain,
    /// <summary>A volume is only read, and nothing says what is on it.</summary>
    SnapshotOfNothing,
    /// <summary>A machine would write a volume that its statement lets be read only.</summary>
    SnapshotWritten,
    /// <summary>A domain demands UEFI firmware of its machines, and a machine starts without.</summary>
    FirmwareNotAccepted,
    /// <summary>A domain demands that its machines have a TPM, and a machine has none.</summary>
    TpmMissing,
    /// <summary>A machine's address outside its domain's subnets.</summary>
    AddressOutsideSubnet,
    /// <summary>A machine has its subnet's own address.</summary>
    AddressIsSubnet,
    /// <summary>A machine has its gateway's address.</summary>
    AddressIsGateway,
    /// <summary>A machine has the address of its domain's service point.</summary>
    AddressIsService,
    /// <summary>A machine has its subnet's broadcast address.</summary>
    AddressIsBroadcast,
    /// <summary>Two ports in one domain have one address.</summary>
    DuplicateAddress,
    /// <summary>A machine has two ports in one domain.</summary>
    DomainTwice,
    /// <summary>Open flows would show one gateway the same subnet twice.</summary>
    SubnetSeenTwice,
    /// <summary>Two domains do not state the same of how they know each other's addresses, or it does not fit them.
    /// </summary>
    NatNotAgreed,
    /// <summary>A nat clause that names nothing, its own domain, or a domain twice.</summary>
    NatDoesNotFit,
    /// <summary>Two domains agree on more flows than <see cref="PolicyLimits.FlowRanges"/>.</summary>
    TooManyFlows,
    /// <summary>A demand on where information may come that contradicts itself or the domain's own statement.</summary>
    InformationDoesNotFit,
    /// <summary>A flow term of a domain is of one that its own demands on information rule out.</summary>
    InformationContradicts,
    /// <summary>A domain's information would come where it must not, directly or through others.</summary>
    InformationReaches,
    /// <summary>A domain's information would come to an owner, or to hosts, of a country that is not named.</summary>
    JurisdictionReached,
    /// <summary>A domain's information and that of one in conflict with it would meet.</summary>
    ConflictOfInterest,
    /// <summary>A flow of the ports by which machines are told their addresses: never answered.</summary>
    FlowOfAddressService,
    /// <summary>A machine would join two domains that no open flow joins.</summary>
    DomainsNotJoined,
    /// <summary>A flow with a domain that its tenant did not describe.</summary>
    UnknownFlowPeer,
    /// <summary>Accepted here, not granted there: closed.</summary>
    FlowNotGranted,
    /// <summary>Granted here, not accepted there: closed.</summary>
    FlowNotAccepted,
    /// <summary>A group without members is nobody.</summary>
    EmptyGroup,
    /// <summary>A group or a flow names a machine or group that is not of the domain: nobody.</summary>
    NotAMember,
    /// <summary>A name that is both a group and a machine of the domain: nobody.</summary>
    AmbiguousMember,
    /// <summary>A domain's machines or volumes need more than its quota.</summary>
    QuotaExceeded,
    /// <summary>More of an uplink is reserved than a host can share out, by one domain or by those bound to it.
    /// </summary>
    UplinkOverReserved,
    /// <summary>More approvals demanded than the tenant has keys.</summary>
    ApprovalsUnreachable,
    /// <summary>Another domain has the network number.</summary>
    NetworkNumberTaken,
    /// <summary>Another subject's devices have the same derived name.</summary>
    DeviceNameTaken,
    /// <summary>The datacentre does not admit the tenant.</summary>
    TenantNotAdmitted,
    /// <summary>The datacentre lists a tenant that has no statement.</summary>
    UnknownTenant,
    /// <summary>More than one datacentre, and none was chosen.</summary>
    SeveralDatacentres,
    /// <summary>A host carries the VLANs of a link that has none, or does not join it: it counts as without.</summary>
    NoSuchVlans,
    /// <summary>Two hosts have one underlay address.</summary>
    DuplicateHostAddress,
    /// <summary>Two hosts have one identity key.</summary>
    DuplicateHostKey,
    /// <summary>Two hosts have one endorsement key.</summary>
    DuplicateEndorsementKey,

    // What follows from statements that hold together, before it happens.

    /// <summary>No host meets what a domain demands of hosts.</summary>
    NoHostForDomain,
    /// <summary>No host meets what a machine, its domains and its volumes demand together.</summary>
    NoHostForMachine,
    /// <summary>A machine's domains demand what nothing can be at the same time.</summary>
    DomainsContradict,
    /// <summary>A domain accepts no image that a machine could start from as the domain demands.</summary>
    NoImageForDomain,
    /// <summary>A volume's own conditions never let a machine open it that has it.</summary>
    MountNeverHolds,
    /// <summary>Machines that must be on one host find none that takes all of them.</summary>
    NoHostForAll,
    /// <summary>Machines that must be on different hosts, or in little room, cannot all run.</summary>
    TooFewHosts,
    /// <summary>More is reserved for a domain than is kept for it.</summary>
    ReservationNotKept,
    /// <summary>A domain has expired: all its machines are refused.</summary>
    Expired,
    /// <summary>A domain expires soon; a note, nothing is wrong yet.</summary>
    ExpiresSoon,
    /// <summary>Machines of two domains that agree on no flow meet in a third; a note, each statement says so.
    /// </summary>
    MeetElsewhere,
    /// <summary>A flow between two domains limits nothing for a machine in both; a note, each statement says so.
    /// </summary>
    FlowBesideMember,

    // Making a body to sign.

    /// <summary>A document names a file whose digest was not given.</summary>
    MissingFileDigest,
    /// <summary>A root or a host whose keys were not given.</summary>
    MissingKey,
}
