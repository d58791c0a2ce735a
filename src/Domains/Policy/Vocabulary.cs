namespace Bailiwick.Domains.Policy;

/// <summary>
/// How well a host proves what it is. A domain lists the levels it accepts; nothing is accepted by default.
/// </summary>
public enum AssuranceLevel
{
    /// <summary>A key in a file: says who the host claims to be, proves nothing about its software.</summary>
    Software = 1,
    /// <summary>A TPM 2.0 for which no vendor vouches that is known to the owner: it may be software.</summary>
    SoftwareTpm,
    /// <summary>A TPM 2.0 whose endorsement certificate leads to a vendor that the owner names.</summary>
    Tpm,
    /// <summary>Confidential virtual machines (SEV-SNP or TDX).</summary>
    ConfidentialVm,
}

/// <summary>What becomes of a domain's machines on a host that is no longer trusted with them.</summary>
public enum LostTrust
{
    /// <summary>They are ended, their volumes closed and the keys given back.</summary>
    Stop = 1,
    /// <summary>Their processors are stopped; memory and volumes stay on the host until it is trusted again.</summary>
    Pause,
}

/// <summary>When a domain's traffic between hosts must be ciphertext.</summary>
public enum NetworkConfidentiality
{
    /// <summary>Never demanded.</summary>
    None = 1,
    /// <summary>On every link that the operator does not state to be a trusted segment.</summary>
    UntrustedLinks,
    /// <summary>On every link.</summary>
    Always,
}

/// <summary>Whether a domain's volumes must be ciphertext on disk.</summary>
public enum StorageConfidentiality
{
    /// <summary>Plain volumes are acceptable to the domain.</summary>
    None = 1,
    /// <summary>Every volume is LUKS under a key of the tenant.</summary>
    Required,
}

/// <summary>What a link between hosts is, in the operator's word.</summary>
public enum LinkMedium
{
    /// <summary>Anyone may listen.</summary>
    Untrusted = 1,
    /// <summary>Only hosts of the datacentre are on it.</summary>
    TrustedSegment,
}

/// <summary>How a volume is destroyed.</summary>
public enum WipeMethod
{
    /// <summary>Destroy the key; then delete.</summary>
    CryptoErase = 1,
    /// <summary>Destroy the key, overwrite, read back a sample; then delete.</summary>
    Overwrite,
}

/// <summary>What a machine may do with a volume.</summary>
public enum VolumeAccess
{
    /// <summary>Read only.</summary>
    Read = 1,
    /// <summary>Read and write.</summary>
    Write,
}

/// <summary>Who may have a volume open at the same time.</summary>
public enum VolumeSharing
{
    /// <summary>One machine.</summary>
    Exclusive = 1,
    /// <summary>One machine that writes, and any number that read.</summary>
    Readers,
    /// <summary>Several machines that write; what keeps them in step on the volume is their owners' business.</summary>
    Writers,
}

/// <summary>How a hold on a volume ended, or what happened to its host meanwhile.</summary>
public enum MountEvent
{
    /// <summary>The host gave the key back, in the boot in which it got it, and was trusted all the time.</summary>
    Returned = 1,
    /// <summary>Root keys of the tenant took the key from the host, or answered for how holds had ended.</summary>
    Takeover,
    /// <summary>A domain that counts for the key refused the host while it had the key.</summary>
    LostTrust,
    /// <summary>The host started anew while it had the key.</summary>
    HostRestart,
}

/// <summary>Transport of a network flow.</summary>
public enum FlowProtocol
{
    /// <summary>TCP; the ports are the receiver's.</summary>
    Tcp = 1,
    /// <summary>UDP; the ports are the receiver's.</summary>
    Udp,
    /// <summary>ICMP and ICMPv6 echo; has no ports.</summary>
    Icmp,
}

/// <summary>Virtual devices a machine may have besides disks and network ports.</summary>
public enum DeviceKind
{
    /// <summary>A serial console for the tenant's administrators.</summary>
    Console = 1,
    /// <summary>A second serial line for a program inside the machine.</summary>
    Probe,
    /// <summary>A source of randomness (virtio-rng).</summary>
    Randomness,
}

/// <summary>What starts a machine's kernel.</summary>
public enum MachineFirmware
{
    /// <summary>The hypervisor's own loader: the host measures the kernel, and the machine measures nothing.</summary>
    Direct = 1,
    /// <summary>The UEFI firmware whose digest the image states, which measures itself and the kernel.</summary>
    Ovmf,
}

/// <summary>Whether a machine has a TPM of its own.</summary>
public enum MachineTpm
{
    /// <summary>It has none.</summary>
    None = 1,
    /// <summary>It has one, certified by its host, whose state is encrypted under a key of the tenant's.</summary>
    Required,
}

/// <summary>What a domain demands of the firmware of its machines.</summary>
public enum FirmwareDemand
{
    /// <summary>Nothing.</summary>
    Any = 1,
    /// <summary>UEFI firmware, which measures itself and what it loads (<see cref="MachineFirmware.Ovmf"/>).</summary>
    Ovmf,
}

/// <summary>What a domain demands of its machines' TPMs.</summary>
public enum TpmDemand
{
    /// <summary>Nothing.</summary>
    Any = 1,
    /// <summary>Each machine has one of its own (<see cref="MachineTpm.Required"/>).</summary>
    Required,
}

/// <summary>Acts of an administrator that need approval by several of the tenant's root keys.</summary>
public enum ApprovedAction
{
    /// <summary>Give a volume to another host although the host that holds it has not returned it.</summary>
    Takeover = 1,
    /// <summary>Destroy the key of a volume or of a machine's TPM, or all keys of the domain.</summary>
    Destroy,
}
