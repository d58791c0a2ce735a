using System.Collections.Frozen;

namespace Bailiwick.Domains.Policy.Schemas;

/// <summary>What each member is, in one line for whoever writes it.</summary>
internal static class SchemaWords
{
    // Path and words. What is the same in grants and accepts is written once, as a term's.
    private const string Text = """
        name: Its name: a lower-case letter, then up to 39 lower-case letters, digits or hyphens.
        Tenant: A tenant: the legal owner of data. Signing adds its keys.
        Tenant.legalName: The owner's legal name.
        Datacentre: A datacentre and its operator. Signing adds its keys.
        Datacentre.tenants: The tenants that its operator admits.
        Domain: A trusted virtual domain: what its hosts and machines must be, and what may flow.
        Domain.legalOwner: Who owns the data.
        Domain.legalOwner.name: The owner's legal name.
        Domain.legalOwner.jurisdiction: The country of whose law the owner is, ISO 3166-1 alpha-2.
        Domain.expires: After this moment, UTC, nothing is admitted any more.
        Domain.hosts: What a host must be to join.
        Domain.hosts.operators: Who may run it.
        Domain.hosts.assurance: The levels at which it may prove what it is.
        Domain.hosts.jurisdictions: The countries it may stand in, ISO 3166-1 alpha-2.
        Domain.hosts.vendors: The makers of TPMs whose word is taken: their root certificates.
        Domain.hosts.vendors.file: A PEM file beside the policies; signing replaces it by its digest.
        Domain.hosts.vendors.sha256: The SHA-256 digest of the PEM file.
        Domain.hosts.evidence: What the logs of its boot and of its running must show.
        Domain.hosts.evidence.kind: What is demanded; each kind has members of its own.
        Domain.hosts.onLostTrust: What becomes of the machines on a host that loses its trust.
        Domain.machines: What a machine must be to join.
        Domain.machines.images: The images it may start from.
        Domain.machines.firmware: What must start its kernel.
        Domain.machines.tpm: Whether it must have a TPM of its own.
        Domain.network: The domain's network.
        Domain.network.subnets: IPv4 and IPv6 prefixes; the first address of each is the gateway's.
        Domain.network.confidentiality: When what passes between hosts must be ciphertext.
        Domain.network.number: The VXLAN network number; without, one that follows from the name.
        Domain.services: Services in the network.
        Domain.services.addresses: Who tells machines their addresses: each host, or one machine.
        Domain.services.addresses.machine: The machine of this domain that does.
        Domain.services.names: Who answers for the names of machines.
        Domain.bandwidth: Its part of each host's uplink, 10^6 bits a second.
        Domain.bandwidth.limitMbit: What it gets at most.
        Domain.bandwidth.reserveMbit: What it gets when others want more.
        Domain.storage: The domain's volumes.
        Domain.storage.confidentiality: Whether they must be ciphertext.
        Domain.storage.trustedMedia: The operators' media on which they may lie in clear.
        Domain.quota: The most it may use.
        Domain.quota.machines: Machines.
        Domain.quota.cpus: Virtual processors.
        Domain.quota.memoryMiB: Memory, MiB.
        Domain.quota.storageMiB: Size of all its volumes, MiB.
        Domain.reservation: What is kept free for it.
        Domain.reservation.cpus: Virtual processors.
        Domain.reservation.memoryMiB: Memory, MiB.
        Domain.approvals: How many root keys must approve an act; an act that is not here is refused.
        Domain.approvals.destroy: Destroying a key or a volume.
        Domain.approvals.takeover: Opening a volume that another host still holds.
        Domain.groups: Named sets of machines. An empty group is nobody.
        Domain.flows: What may flow between this domain and others. Each flow is stated on both sides.
        Domain.flows.grants: What this domain lets out.
        Domain.flows.grants.to: The domain that may.
        Domain.flows.accepts: What this domain lets in.
        Domain.flows.accepts.from: The domain that may.
        Domain.flows.term.machines: The machines or groups of this domain it is for; without, all.
        Domain.flows.term.network: Packets from clients in the granting domain to servers in the other.
        Domain.flows.term.network.protocol: The transport.
        Domain.flows.term.network.ports: The servers' ports, or ranges such as 8000-8010.
        Domain.flows.term.volume: Use of a volume of the granting domain.
        Domain.flows.term.volume.name: The volume.
        Domain.flows.term.volume.access: The most that may be done with it.
        Domain.flows.term.device: Use of a kind of device of the granting domain.
        Domain.flows.term.device.kind: The kind.
        Domain.flows.nat: By which addresses this domain and another know each other; stated alike in both.
        Domain.flows.nat.with: The other domain.
        Domain.flows.nat.own: The prefixes by which the other knows this one, for its subnets in their order.
        Domain.flows.nat.peer: The prefixes by which this one knows the other.
        Domain.information: Where the domain's information may not come, directly or through others.
        Domain.information.notTo: Domains that it never reaches.
        Domain.information.jurisdictions: The only countries it may come to, ISO 3166-1 alpha-2.
        Domain.information.keepers: Domains that are trusted to pass nothing of it on.
        Domain.information.conflicts: Competitors: nobody may have their information and this domain's.
        Domain.information.conflicts.class: The name of the class, the owner's own.
        Domain.information.conflicts.with: The competitors' domains.
        Compartment: A machine.
        Compartment.cpus: Virtual processors.
        Compartment.memoryMiB: Memory, MiB.
        Compartment.boot: What it starts from.
        Compartment.boot.image: The image.
        Compartment.firmware: What starts the image's kernel.
        Compartment.tpm: Whether it has a TPM of its own.
        Compartment.disks: Its disks; the first is /dev/vda.
        Compartment.disks.volume: A volume of the same tenant, or PARTY/NAME of one that lends it.
        Compartment.disks.access: What it may do with it.
        Compartment.nics: Its network ports; the domains they name are the ones it is a member of.
        Compartment.nics.domain: A domain of the same tenant.
        Compartment.nics.ipv4: Its IPv4 address there.
        Compartment.nics.ipv6: Its IPv6 address there.
        Compartment.nics.limit: How much may pass, 10^6 bits a second.
        Compartment.nics.limit.inMbit: To the machine.
        Compartment.nics.limit.outMbit: From the machine.
        Compartment.devices: Its other devices.
        Compartment.placement: Where it may run.
        Compartment.placement.hosts: The hosts it may run on; without, any that its domains accept.
        Compartment.placement.apartFrom: Machines of the same tenant that must be on other hosts.
        Compartment.placement.togetherWith: Machines of the same tenant that must be on the same host.
        Compartment.restart: When a host may restart it without asking its key service.
        Compartment.restart.within: For so long after a release of its keys: 30m, 8h.
        Volume: A virtual disk.
        Volume.domain: The domain that owns it.
        Volume.sizeMiB: Usable size, MiB.
        Volume.wipe: How it is destroyed.
        Volume.from: What it begins with; without, it is blank.
        Volume.from.image: The disk of an image.
        Volume.from.volume: Another volume of its domain.
        Volume.access: The most that any machine may do with it.
        Volume.sharing: Who may have it open at the same time.
        Volume.mount: Under which conditions it may be opened.
        Volume.mount.images: The images its machine may start from.
        Volume.mount.hosts: The hosts that may open it.
        Volume.mount.after: The events after which it may be opened again.
        Image: Boot software that a tenant approves.
        Image.kernel: The kernel.
        Image.initrd: The initial RAM disk.
        Image.firmware: The UEFI firmware of machines that start with one.
        Image.bootVolume: The whole content of the volume that machines have as their first disk.
        Image.disk: What volumes made from it begin with.
        Image.disk.sizeMiB: Its length, MiB.
        Image.term.file: A file beside the policies; signing replaces it by its digest.
        Image.term.sha256: The file's SHA-256 digest.
        Image.arguments: The kernel's command line.
        Host: A host, by its operator's word.
        Host.identityKey: Its identity key; signing adds it.
        Host.jurisdiction: The country it stands in, ISO 3166-1 alpha-2.
        Host.assurance: How it proves what it is.
        Host.underlay: Its way to other hosts.
        Host.underlay.ipv4: Its address there.
        Host.underlay.vlans: The link whose VLANs it carries.
        Host.capacity: What it has for machines.
        Host.capacity.cpus: Processors.
        Host.capacity.memoryMiB: Memory, MiB.
        Host.capacity.uplinkMbit: What its uplink carries, 10^6 bits a second.
        Host.tpm: Its TPM.
        Host.tpm.ek: The SHA-256 digest of its endorsement key.
        Host.pool: Where volumes lie.
        Host.pool.medium: The name of the medium.
        Link: What joins hosts.
        Link.hosts: The hosts, at least two.
        Link.medium: What it is made of.
        Link.vlans: The VLANs it has for domains.
        Link.vlans.first: The first.
        Link.vlans.last: The last.
        """;

    private static readonly FrozenDictionary<string, string> Words = Text.Split('\n')
        .Select(line => line.Split(": ", 2)).ToFrozenDictionary(line => line[0], line => line[1].TrimEnd());

    /// <summary>The paths that there are words for.</summary>
    public static IEnumerable<string> Paths => Words.Keys;

    /// <summary>The words of a path such as <c>Domain.hosts.assurance</c>.</summary>
    /// <exception cref="KeyNotFoundException">There are none.</exception>
    public static string Of(string path) => Words[Canonical(path)];

    /// <summary>What is the same in several places has one path.</summary>
    public static string Canonical(string path)
    {
        foreach (var list in new[] { "Domain.flows.grants.", "Domain.flows.accepts." })
        {
            if (path.StartsWith(list, StringComparison.Ordinal) && path[list.Length..] is not ("to" or "from"))
            {
                return "Domain.flows.term." + path[list.Length..];
            }
        }

        var parts = path.Split('.');
        return parts is ["Image", _, "file" or "sha256"] ? $"Image.term.{parts[2]}" : path;
    }
}
