using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>
/// Whether a machine may run on a host as a member of its domains. Made only by <c>AdmissionControl</c>.
/// </summary>
public abstract class AdmissionVerdict
{
    private AdmissionVerdict(CompartmentRef compartment, HostRef host)
    {
        Compartment = compartment;
        Host = host;
    }

    /// <summary>The machine.</summary>
    public CompartmentRef Compartment { get; }
    /// <summary>The host.</summary>
    public HostRef Host { get; }

    /// <summary>Every check held.</summary>
    public sealed class Admitted : AdmissionVerdict
    {
        internal Admitted(CompartmentRef compartment, HostRef host, ImmutableArray<StatementOrigin> because)
            : base(compartment, host) => Because = because;

        /// <summary>The statements the decision rests on.</summary>
        public ImmutableArray<StatementOrigin> Because { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : AdmissionVerdict
    {
        internal Refused(CompartmentRef compartment, HostRef host, ImmutableArray<AdmissionRefusal> refusals)
            : base(compartment, host) => Refusals = refusals;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<AdmissionRefusal> Refusals { get; }
    }
}

/// <summary>One reason against an admission.</summary>
/// <param name="Code">The kind of reason.</param>
/// <param name="Sentence">For people, with the values that did not match.</param>
/// <param name="Because">The statement that demands it.</param>
public sealed record AdmissionRefusal(AdmissionRefusalCode Code, string Sentence, StatementOrigin? Because);

/// <summary>Every reason there is against an admission, in the order in which they are checked.</summary>
public enum AdmissionRefusalCode
{
    /// <summary>No statement describes this machine.</summary>
    UnknownCompartment = 1,
    /// <summary>No statement of the datacentre's operator describes this host.</summary>
    UnknownHost,
    /// <summary>The datacentre's operator did not admit this tenant.</summary>
    TenantNotInDatacentre,
    /// <summary>The machine names a domain that no statement describes.</summary>
    UnknownDomain,
    /// <summary>A domain's policy is past its expiry.</summary>
    PolicyExpired,
    /// <summary>The image is unknown.</summary>
    UnknownImage,
    /// <summary>A domain does not accept this image.</summary>
    ImageNotAccepted,
    /// <summary>The machine starts with UEFI firmware, and its image states none.</summary>
    FirmwareNotStated,
    /// <summary>The image states a boot volume, and the machine's first disk is none that it only reads.</summary>
    BootVolumeNotRead,
    /// <summary>A domain demands UEFI firmware of its machines, and the machine starts without.</summary>
    FirmwareNotAccepted,
    /// <summary>A domain demands that its machines have a TPM, and the machine has none.</summary>
    TpmMissing,
    /// <summary>The machine that is about to start is not the one that its statement describes.</summary>
    DescriptionDiffers,
    /// <summary>The firmware on the host is not the one that the image states.</summary>
    FirmwareDiffers,
    /// <summary>The kernel on the host is not the one that the image states.</summary>
    KernelDiffers,
    /// <summary>The initrd on the host is not the one that the image states.</summary>
    InitrdDiffers,
    /// <summary>The content of the boot volume is not what the image states, or was not measured.</summary>
    BootVolumeDiffers,
    /// <summary>The kernel would start with another command line.</summary>
    CommandLineDiffers,
    /// <summary>A disk's volume is unknown.</summary>
    UnknownVolume,
    /// <summary>A volume belongs to a domain the machine is not in, and no flow opens it.</summary>
    VolumeFlowClosed,
    /// <summary>A machine in two domains would join them although no flow does.</summary>
    DomainsNotJoined,
    /// <summary>A port's address is outside its domain's subnets, or is the gateway's.</summary>
    AddressOutsideDomain,
    /// <summary>Another machine of the domain has the address.</summary>
    AddressTaken,
    /// <summary>A domain does not accept this host's operator.</summary>
    OperatorNotAccepted,
    /// <summary>A domain does not accept this host's assurance level.</summary>
    AssuranceNotAccepted,
    /// <summary>A domain does not accept the country the host stands in.</summary>
    JurisdictionNotAccepted,
    /// <summary>The machine's own placement rules exclude this host.</summary>
    HostNotChosen,
    /// <summary>A volume's statement does not list the image that the machine starts from.</summary>
    VolumeImageNotAllowed,
    /// <summary>A volume's statement does not list this host.</summary>
    VolumeHostNotAllowed,
    /// <summary>A machine it must be apart from is on this host.</summary>
    NotApart,
    /// <summary>A machine it must be with is on another host.</summary>
    NotTogether,
    /// <summary>Another machine has the volume, and its statement does not let both have it.</summary>
    VolumeInUse,
    /// <summary>A domain's quota is used up.</summary>
    QuotaExceeded,
    /// <summary>The host has no capacity left, reservations of other domains considered.</summary>
    HostFull,
    /// <summary>A domain reserves more of the host's uplink than is left, and more than an equal part.</summary>
    UplinkFull,
}
