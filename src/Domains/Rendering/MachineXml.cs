using System.Diagnostics;
using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>
/// A machine of a plan as a libvirt domain (https://libvirt.org/formatdomain.html). The set of devices is closed: what
/// the plan does not name is not there, no graphics, USB, sound, memory balloon or guest agent. Every disk states its
/// format, so QEMU never guesses one from what a machine wrote. A machine that stops for whatever reason stays stopped:
/// each start is asked for and admitted anew.
/// </summary>
public static class MachineXml
{
    /// <summary>The description.</summary>
    public static string Of(CompartmentPlan plan, MachinePaths paths)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(paths);
        var document = new XElement("domain",
            new XAttribute("type", Type(paths.Hypervisor)),
            new XElement("name", plan.MachineName),
            new XElement("uuid", plan.Uuid.ToString("D")),
            new XElement("title", plan.DisplayName),
            Guarded(Mebibytes("memory", plan.MemoryMib)),
            Mebibytes("currentMemory", plan.MemoryMib),
            new XElement("vcpu", new XAttribute("placement", "static"), plan.Cpus),
            new XElement("os",
                new XElement("type", new XAttribute("arch", "x86_64"), new XAttribute("machine", "q35"), "hvm"),
                plan.Boot.FirmwareSha256 is { } firmware
                    ? new XElement("loader", new XAttribute("type", "rom"), $"{paths.Boot}/{firmware}")
                    : null,
                new XElement("kernel", $"{paths.Boot}/{plan.Boot.KernelSha256}"),
                new XElement("initrd", $"{paths.Boot}/{plan.Boot.InitrdSha256}"),
                new XElement("cmdline", plan.Boot.Arguments),
                new XElement("boot", new XAttribute("dev", "hd"))),
            new XElement("features", new XElement("acpi")),
            Processor(paths.Hypervisor),
            new XElement("clock", new XAttribute("offset", "utc")),
            new XElement("on_poweroff", "destroy"),
            new XElement("on_reboot", "destroy"),
            new XElement("on_crash", "destroy"),
            Devices(plan, paths));
        var settings = new XmlWriterSettings { Indent = true, OmitXmlDeclaration = true, NewLineChars = "\n" };
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        using (var writer = XmlWriter.Create(text, settings))
        {
            document.WriteTo(writer);
        }

        return text.ToString() + "\n";
    }

    private static string Type(Hypervisor hypervisor) => hypervisor switch
    {
        Hypervisor.Kvm => "kvm",
        Hypervisor.Emulated => "qemu",
        _ => throw new UnreachableException(),
    };

    /// <summary>What a machine has in memory is in no core dump of its QEMU, whatever the host's settings say.
    /// </summary>
    private static XElement Guarded(XElement memory)
    {
        memory.SetAttributeValue("dumpCore", "off");
        return memory;
    }

    private static XElement Mebibytes(string name, int mib) => new(name, new XAttribute("unit", "MiB"), mib);

    private static XElement Processor(Hypervisor hypervisor) => hypervisor switch
    {
        Hypervisor.Kvm => new XElement("cpu", new XAttribute("mode", "host-passthrough")),
        Hypervisor.Emulated => new XElement("cpu",
            new XAttribute("mode", "custom"), new XAttribute("match", "exact"), new XAttribute("check", "none"),
            new XElement("model", new XAttribute("fallback", "forbid"), "qemu64")),
        _ => throw new UnreachableException(),
    };

    private static XElement Devices(CompartmentPlan plan, MachinePaths paths) => new("devices",
        new XElement("emulator", paths.Emulator),
        plan.Disks.Select(disk => Disk(disk, paths)),
        new XElement("controller", new XAttribute("type", "usb"), new XAttribute("index", 0),
            new XAttribute("model", "none")),
        plan.Ports.Select((port, index) => Interface(port)),
        Serials(plan, paths),
        plan.Tpm is null ? null : Tpm(plan, paths),
        plan.Devices.Any(device => device.Kind == DeviceKind.Randomness)
            ? new XElement("rng", new XAttribute("model", "virtio"),
                new XElement("backend", new XAttribute("model", "random"), "/dev/urandom"))
            : null,
        new XElement("memballoon", new XAttribute("model", "none")));

    private static XElement Disk(DiskPlan disk, MachinePaths paths) => new("disk",
        new XAttribute("type", "file"), new XAttribute("device", "disk"),
        new XElement("driver", new XAttribute("name", "qemu"), new XAttribute("type", "raw"),
            new XAttribute("cache", "none")),
        new XElement("source", new XAttribute("file", $"{paths.Pool}/{disk.FileName}"),
            disk.Encrypted
                ? new XElement("encryption", new XAttribute("format", "luks"), new XAttribute("engine", "qemu"),
                    new XElement("secret", new XAttribute("type", "passphrase"),
                        new XAttribute("uuid", disk.SecretUuid.ToString("D"))))
                : null),
        new XElement("target", new XAttribute("dev", disk.Target), new XAttribute("bus", "virtio")),
        disk.Access == VolumeAccess.Write ? null : new XElement("readonly"),
        IsShareable(disk) ? new XElement("shareable") : null);

    /// <summary>
    /// QEMU locks the file against whoever else would write it, and a reader against any writer, unless it is told that
    /// the disk is shared. So only those are told who must live with another that writes: readers of a volume that is
    /// written, and all of one that several write. The one writer of a volume with readers keeps the lock.
    /// </summary>
    private static bool IsShareable(DiskPlan disk) => (disk.Sharing, disk.Access) switch
    {
        (VolumeSharing.Exclusive, _) => false,
        (VolumeSharing.Readers, VolumeAccess.Read) => true,
        (VolumeSharing.Readers, VolumeAccess.Write) => false,
        (VolumeSharing.Writers, _) => true,
        _ => throw new UnreachableException(),
    };

    private static XElement Interface(PortPlan port) => new("interface",
        new XAttribute("type", "bridge"),
        new XElement("mac", new XAttribute("address", port.Mac)),
        new XElement("source", new XAttribute("bridge", port.Bridge)),
        new XElement("target", new XAttribute("dev", port.Device)),
        new XElement("model", new XAttribute("type", "virtio")),
        new XElement("mtu", new XAttribute("size", port.Mtu)));

    /// <summary>The Proxy runs the TPM itself: its state's key is in no file and in no argument.</summary>
    private static XElement Tpm(CompartmentPlan plan, MachinePaths paths) => new("tpm",
        new XAttribute("model", "tpm-crb"),
        new XElement("backend", new XAttribute("type", "external"),
            new XElement("source", new XAttribute("type", "unix"), new XAttribute("mode", "connect"),
                new XAttribute("path", $"{paths.Machines}/{plan.MachineName}/tpm.sock"))));

    /// <summary>ttyS0 always exists, connected or not, so that ttyS1 is ttyS1.</summary>
    private static IEnumerable<XElement> Serials(CompartmentPlan plan, MachinePaths paths)
    {
        var kinds = plan.Devices.Select(device => device.Kind).ToHashSet();
        yield return Serial(kinds.Contains(DeviceKind.Console) ? "pty" : "null", null, 0);
        if (kinds.Contains(DeviceKind.Probe))
        {
            var socket = $"{paths.Machines}/{plan.MachineName}/probe.sock";
            yield return Serial("unix",
                new XElement("source", new XAttribute("mode", "bind"), new XAttribute("path", socket)), 1);
        }
    }

    private static XElement Serial(string type, XElement? source, int port) => new("serial",
        new XAttribute("type", type), source,
        new XElement("target", new XAttribute("type", "isa-serial"), new XAttribute("port", port),
            new XElement("model", new XAttribute("name", "isa-serial"))));
}
