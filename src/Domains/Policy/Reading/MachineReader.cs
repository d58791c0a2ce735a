using System.Collections.Immutable;
using System.Net.Sockets;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Reading;

/// <summary>Reads machines, volumes and images.</summary>
internal static class MachineReader
{
    /// <summary>Reads a machine.</summary>
    public static CompartmentModel Compartment(PolicyDocument document, Value body)
    {
        body.Only("cpus", "memoryMiB", "boot", "firmware", "tpm", "disks", "nics", "devices", "placement", "restart");
        var (firmware, tpm, restart) = (body.May("firmware"), body.May("tpm"), body.May("restart"));
        return new CompartmentModel
        {
            Ref = new CompartmentRef(document.Origin.Owner, document.Origin.Name),
            Cpus = body.Need("cpus").Integer(1, 64),
            MemoryMib = body.Need("memoryMiB").Integer(64, 1_048_576),
            Image = body.Need("boot").Only("image").Need("image").Name(),
            Firmware = firmware.IsPresent ? firmware.Word<MachineFirmware>() : MachineFirmware.Direct,
            Tpm = tpm.IsPresent ? tpm.Word<MachineTpm>() : MachineTpm.None,
            Disks = Disks(body.May("disks"), document),
            Nics = Nics(body.Need("nics")),
            Devices = body.May("devices").Distinct(0, PolicyLimits.Names, item => item.Word<DeviceKind>()),
            Placement = Placement(body.May("placement"), document.Origin.Name),
            Restart = restart.IsPresent
                ? new RestartTerms(restart.Only("within").Need("within").Duration(
                    PolicyLimits.RestartLeast, PolicyLimits.RestartMost))
                : null,
            Origin = document.Origin,
        };
    }

    /// <summary>Reads a volume.</summary>
    public static VolumeModel Volume(PolicyDocument document, Value body)
    {
        body.Only("domain", "sizeMiB", "wipe", "from", "access", "sharing", "mount");
        var (image, source) = From(body.May("from"));
        var access = body.May("access");
        var sharing = body.May("sharing");
        return new VolumeModel(
            new VolumeRef(document.Origin.Owner, document.Origin.Name), body.Need("domain").Name(),
            body.Need("sizeMiB").Integer(1, 16_777_216), body.Need("wipe").Word<WipeMethod>(), document.Origin)
        {
            FromImage = image,
            FromVolume = source,
            Access = access.IsPresent ? access.Word<VolumeAccess>() : VolumeAccess.Write,
            Sharing = sharing.IsPresent ? sharing.Word<VolumeSharing>() : VolumeSharing.Exclusive,
            Mount = Mount(body.May("mount")),
        };
    }

    /// <summary>Reads an image.</summary>
    public static ImageModel Image(PolicyDocument document, Value body)
    {
        body.Only("kernel", "initrd", "firmware", "bootVolume", "disk", "arguments");
        var (firmware, volume) = (body.May("firmware"), body.May("bootVolume"));
        return new ImageModel(
            new ImageRef(document.Origin.Owner, document.Origin.Name),
            body.Need("kernel").FileOrDigest(document.IsSigned),
            body.Need("initrd").FileOrDigest(document.IsSigned),
            firmware.IsPresent ? firmware.FileOrDigest(document.IsSigned) : null,
            volume.IsPresent ? volume.FileOrDigest(document.IsSigned) : null,
            body.Need("arguments").KernelArguments(), document.Origin)
        {
            Disk = Content(body.May("disk"), document.IsSigned),
        };
    }

    private static (StatementName? Image, StatementName? Volume) From(Value from)
    {
        if (!from.IsPresent)
        {
            return (null, null);
        }

        from = from.Only("image", "volume");
        var (image, volume) = (from.May("image"), from.May("volume"));
        var named = image.IsPresent ? image.Name() : null;
        if (!volume.IsPresent)
        {
            return (named ?? from.Need("image").Name(), null);
        }

        if (image.IsPresent)
        {
            from.Fault(FindingCode.TwoSources, "A volume begins with an image's disk or is a copy. Remove one.");
        }

        return (null, volume.Name());
    }

    private static DiskContent? Content(Value disk, bool signed) => disk.IsPresent
        ? new DiskContent(disk.FileOrDigest(signed, "sizeMiB"), disk.Need("sizeMiB").Integer(1, 16_777_216))
        : null;

    private static MountTerms? Mount(Value mount)
    {
        if (!mount.IsPresent)
        {
            return null;
        }

        mount = mount.Only("images", "hosts", "after");
        var (images, hosts, after) = (mount.May("images"), mount.May("hosts"), mount.May("after"));
        if (mount.IsPresent && !images.IsPresent && !hosts.IsPresent && !after.IsPresent)
        {
            mount.Fault(
                FindingCode.MissingMember, "No condition stands here. Name images, hosts or after, or remove it.");
        }

        return new MountTerms(
            images.IsPresent ? images.Distinct(1, PolicyLimits.Names, item => item.Name()) : null,
            hosts.IsPresent ? hosts.Distinct(1, PolicyLimits.Names, item => item.Name()) : null)
        {
            After = after.IsPresent ? after.Distinct(1, PolicyLimits.Names, item => item.Word<MountEvent>()) : null,
        };
    }

    private static ImmutableArray<DiskModel> Disks(Value list, PolicyDocument document)
    {
        var disks = ImmutableArray.CreateBuilder<DiskModel>();
        foreach (var item in list.Items(0, PolicyLimits.Disks))
        {
            item.Only("volume", "access");
            var volume = item.Need("volume").Volume(document.Names, document.Origin.Owner);
            if (disks.Any(other => other.Volume == volume) && item.May("volume").IsPresent)
            {
                item.Fault(FindingCode.VolumeTwice, $"The machine has the volume {volume.Name} already. Remove one.");
            }

            disks.Add(new DiskModel(volume, item.Need("access").Word<VolumeAccess>()));
        }

        return disks.ToImmutable();
    }

    private static ImmutableArray<NicModel> Nics(Value list)
    {
        var nics = ImmutableArray.CreateBuilder<NicModel>();
        foreach (var item in list.Items(1, PolicyLimits.Nics))
        {
            item.Only("domain", "ipv4", "ipv6", "limit");
            var domain = item.Need("domain").Name();
            if (nics.Any(other => other.Domain == domain) && item.May("domain").IsPresent)
            {
                item.Fault(FindingCode.DomainTwice,
                    $"The machine has a port in the domain {domain} already. Remove one.");
            }

            var (ipv4, ipv6) = (item.May("ipv4"), item.May("ipv6"));
            if (item.IsPresent && !ipv4.IsPresent && !ipv6.IsPresent)
            {
                item.Fault(FindingCode.NoAddress, "The port has no address. Add ipv4, ipv6 or both.");
            }

            nics.Add(new NicModel(
                domain,
                ipv4.IsPresent ? ipv4.Address(AddressFamily.InterNetwork) : null,
                ipv6.IsPresent ? ipv6.Address(AddressFamily.InterNetworkV6) : null)
            {
                Limit = Limit(item.May("limit")),
            });
        }

        return nics.ToImmutable();
    }

    private static PortLimit? Limit(Value limit)
    {
        limit.Only("inMbit", "outMbit");
        if (!limit.IsPresent)
        {
            return null;
        }

        var (inwards, outwards) = (limit.May("inMbit"), limit.May("outMbit"));
        if (!inwards.IsPresent && !outwards.IsPresent)
        {
            limit.Fault(FindingCode.MissingMember, "Nothing is limited. Add inMbit, outMbit or both.");
        }

        return new PortLimit(
            inwards.IsPresent ? inwards.Integer(1, PortLimit.Most) : null,
            outwards.IsPresent ? outwards.Integer(1, PortLimit.Most) : null);
    }

    private static PlacementDemand Placement(Value placement, StatementName self)
    {
        placement.Only("hosts", "apartFrom", "togetherWith");
        var hosts = placement.May("hosts");
        var (apart, together) = (placement.May("apartFrom"), placement.May("togetherWith"));
        var demand = new PlacementDemand(
            hosts.IsPresent ? hosts.Distinct(1, PolicyLimits.Names, item => item.Name()) : null,
            apart.Distinct(0, PolicyLimits.Names, item => item.Name()),
            together.Distinct(0, PolicyLimits.Names, item => item.Name()));
        foreach (var (list, names) in new[] { (apart, demand.ApartFrom), (together, demand.TogetherWith) })
        {
            if (names.Contains(self))
            {
                list.Fault(FindingCode.PlacementNamesItself,
                    "A machine's placement names the machine itself. Remove it.");
            }
        }

        foreach (var both in demand.ApartFrom.Intersect(demand.TogetherWith))
        {
            placement.Fault(
                FindingCode.PlacementContradicts, $"{both} is to be both apart and together. Remove one.");
        }

        return demand;
    }
}
