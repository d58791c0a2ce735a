using System.Globalization;
using System.Xml.Linq;

namespace Bailiwick.Domains.Rendering;

/// <summary>
/// What libvirt adds to a machine's XML by itself (seen with libvirt 9.0), and the two spellings it changes. Closed:
/// an entry names the exact element or attribute and the values it may have.
/// </summary>
internal static class LibvirtCompletions
{
    private static readonly HashSet<string> PciModels =
        ["pcie-root", "pcie-root-port", "pcie-to-pci-bridge"];

    /// <summary>The name of an element among its siblings: devices are told apart by what identifies them.</summary>
    public static string Step(XElement element) => Path(element) switch
    {
        "domain/devices/disk" => $"disk[{element.Element("target")?.Attribute("dev")?.Value}]",
        "domain/devices/interface" => $"interface[{element.Element("mac")?.Attribute("address")?.Value}]",
        "domain/devices/serial" => $"serial[{element.Element("target")?.Attribute("port")?.Value}]",
        _ => element.Name.ToString(),
    };

    /// <summary>True for an element that libvirt adds and that changes nothing the plan decides.</summary>
    public static bool IsOwn(XElement element) => Path(element) switch
    {
        "domain/resource" => element.Elements().All(child =>
            child.Name == "partition" && child.Value == "/machine" && !child.HasAttributes) && !element.HasAttributes,
        "domain/seclabel" => Attribute(element, "type") switch
        {
            "dynamic" => Attribute(element, "relabel") == "yes"
                && Attribute(element, "model") is "dac" or "apparmor" or "selinux",
            "none" => Attribute(element, "model") == "none",
            _ => false,
        },
        "domain/cpu/feature" or "domain/cpu/vendor" => true,
        "domain/devices/controller" => IsOwnController(element),
        "domain/devices/console" => IsOwnConsole(element),
        "domain/devices/input" => Attribute(element, "bus") == "ps2"
            && Attribute(element, "type") is "mouse" or "keyboard",
        "domain/devices/audio" => Attribute(element, "type") == "none" && !element.Elements().Any(),
        "domain/devices/watchdog" => Attribute(element, "model") == "itco" && Attribute(element, "action") == "reset",
        "domain/devices/disk/backingStore" => !element.HasAttributes && !element.HasElements,
        "domain/devices/serial/source" => Attribute(element.Parent, "type") == "pty"
            && IsPty(Attribute(element, "path")) && element.Attributes().Count() == 1 && !element.HasElements,
        "domain/devices/disk/address" or "domain/devices/interface/address" or "domain/devices/rng/address"
            or "domain/devices/controller/address" => true,
        "domain/devices/disk/alias" or "domain/devices/interface/alias" or "domain/devices/rng/alias"
            or "domain/devices/serial/alias" or "domain/devices/tpm/alias" or "domain/devices/controller/alias" => true,
        _ => false,
    };

    /// <summary>True for an attribute that libvirt adds and that changes nothing the plan decides.</summary>
    public static bool IsOwn(XAttribute attribute) =>
        attribute.IsNamespaceDeclaration
        || (attribute.Parent is { } element && (Path(element), attribute.Name.ToString()) switch
        {
            ("domain", "id") => true,
            ("domain/cpu", "check" or "migratable") => true,
            ("domain/cpu/model", "fallback") => true,
            ("domain/devices/disk/source", "index") => true,
            ("domain/memory" or "domain/currentMemory", "unit") => true,
            _ => false,
        });

    /// <summary>An attribute's value, with libvirt's spelling undone.</summary>
    public static string Value(XAttribute attribute) =>
        attribute.Parent is { } element && Path(element) == "domain/os/type" && attribute.Name == "machine"
        && attribute.Value.StartsWith("pc-q35-", StringComparison.Ordinal)
            ? "q35"
            : attribute.Value;

    /// <summary>Amounts of memory in KiB; null for any other element.</summary>
    public static string? Value(XElement element)
    {
        if (Path(element) is not ("domain/memory" or "domain/currentMemory"))
        {
            return null;
        }

        long? factor = Attribute(element, "unit") switch
        {
            null or "KiB" => 1,
            "MiB" => 1024,
            "GiB" => 1024 * 1024,
            _ => null,
        };
        return factor is { } times
            && long.TryParse(element.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var amount)
            && amount <= long.MaxValue / times
            ? string.Create(CultureInfo.InvariantCulture, $"{amount * times} KiB")
            : $"{element.Value} {Attribute(element, "unit")}";
    }

    private static bool IsOwnController(XElement element) => Attribute(element, "type") switch
    {
        "pci" => PciModels.Contains(Attribute(element, "model") ?? ""),
        "sata" => Attribute(element, "index") == "0" && !element.Elements("driver").Any(),
        _ => false,
    };

    /// <summary>The console that mirrors ttyS0: an older name for the same line.</summary>
    private static bool IsOwnConsole(XElement element)
    {
        var target = element.Element("target");
        var serial = element.Parent?.Elements("serial").FirstOrDefault(other =>
            Attribute(other.Element("target"), "port") == "0");
        return serial is not null
            && Attribute(element, "type") == Attribute(serial, "type")
            && Attribute(element, "type") is "pty" or "null"
            && Attribute(target, "type") == "serial" && Attribute(target, "port") == "0"
            && element.Elements().All(child => child.Name.ToString() is "target" or "alias"
                || (child.Name == "source" && IsPty(Attribute(child, "path"))));
    }

    private static bool IsPty(string? path) =>
        path is not null && path.StartsWith("/dev/pts/", StringComparison.Ordinal)
        && path.Length > 9 && path[9..].All(char.IsAsciiDigit);

    private static string? Attribute(XElement? element, string name) => element?.Attribute(name)?.Value;

    private static string Path(XElement element) =>
        element.Parent is { } parent ? $"{Path(parent)}/{element.Name}" : element.Name.ToString();
}
