using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Rendering;

public sealed class MachineDescriptionTests
{
    private static readonly MachinePaths Paths =
        new("/p/boot", "/p/pool", "/p/machines", "/usr/bin/qemu-system-x86_64", Hypervisor.Emulated);

    private static readonly CompartmentPlan Machine =
        Refine.ForHost(Datacentre(), All, Host("host-1"), Now).Domains
            .SelectMany(domain => domain.Compartments).First();

    private static readonly string Xml = MachineXml.Of(Machine, Paths);

    [Fact]
    public void A_planned_machine_has_no_difference_from_its_own_xml() => Assert.Empty(Differences(Xml));

    [Theory]
    [InlineData("<domain type=\"qemu\">", "<domain type=\"qemu\" id=\"7\">")]
    [InlineData("machine=\"q35\"", "machine=\"pc-q35-7.2\"")]
    [InlineData("MiB\" dumpCore=\"off\">112</memory>", "KiB\" dumpCore=\"off\">114688</memory>")]
    [InlineData("</devices>", "<input type=\"mouse\" bus=\"ps2\"/><audio id=\"1\" type=\"none\"/></devices>")]
    [InlineData(
        "</devices>",
        "<controller type=\"pci\" index=\"1\" model=\"pcie-root-port\"><target chassis=\"1\"/>"
        + "</controller></devices>")]
    [InlineData(
        "</devices>",
        "<console type=\"pty\" tty=\"/dev/pts/3\"><source path=\"/dev/pts/3\"/>"
        + "<target type=\"serial\" port=\"0\"/><alias name=\"serial0\"/></console></devices>")]
    [InlineData("</devices>", "</devices><seclabel type=\"dynamic\" model=\"dac\" relabel=\"yes\"/>")]
    [InlineData("</domain>", "<resource><partition>/machine</partition></resource></domain>")]
    [InlineData(
        "<serial type=\"pty\">",
        "<serial type=\"pty\"><source path=\"/dev/pts/12\"/><alias name=\"serial0\"/>")]
    public void What_libvirt_completes_by_itself_is_no_difference(string old, string completed) =>
        Assert.Empty(Differences(Changed(old, completed)));

    [Theory]
    [InlineData("<domain type=\"qemu\">", "<domain type=\"kvm\">")]
    [InlineData("dumpCore=\"off\">112</memory>", "dumpCore=\"off\">113</memory>")]
    [InlineData("MiB\" dumpCore=\"off\">112</memory>", "GB\" dumpCore=\"off\">112</memory>")]
    [InlineData(" dumpCore=\"off\"", "")]
    [InlineData("dumpCore=\"off\"", "dumpCore=\"on\"")]
    [InlineData("placement=\"static\"", "placement=\"static\" current=\"1\"")]
    [InlineData("<kernel>", "<loader>/x</loader><kernel>")]
    [InlineData("/p/boot/", "/p/other/")]
    [InlineData("bailiwick.machine=", "init=/bin/sh bailiwick.machine=")]
    [InlineData("engine=\"qemu\"", "engine=\"librbd\"")]
    [InlineData("type=\"raw\"", "type=\"qcow2\"")]
    [InlineData("format=\"luks\"", "format=\"luks2\"")]
    [InlineData("cache=\"none\"", "cache=\"none\" discard=\"unmap\"")]
    [InlineData("dev=\"vda\"", "dev=\"vdb\"")]
    [InlineData("bus=\"virtio\"", "bus=\"sata\"")]
    [InlineData("<on_reboot>destroy", "<on_reboot>restart")]
    [InlineData("<interface type=\"bridge\">", "<interface type=\"network\">")]
    [InlineData("<mtu size=\"1370\"", "<mtu size=\"9000\"")]
    [InlineData("<model type=\"virtio\"", "<virtualport type=\"openvswitch\"/><model type=\"virtio\"")]
    [InlineData(
        "</devices>",
        "<hostdev mode=\"subsystem\" type=\"pci\"><source><address domain=\"0\"/></source></hostdev>"
        + "</devices>")]
    [InlineData("</devices>", "<graphics type=\"vnc\" port=\"-1\" listen=\"0.0.0.0\"/></devices>")]
    [InlineData(
        "</devices>",
        "<channel type=\"unix\"><target type=\"virtio\" name=\"org.qemu.guest_agent.0\"/></channel>"
        + "</devices>")]
    [InlineData(
        "</devices>",
        "<filesystem type=\"mount\"><source dir=\"/\"/><target dir=\"x\"/></filesystem></devices>")]
    [InlineData("</devices>", "<controller type=\"usb\" index=\"1\" model=\"qemu-xhci\"/></devices>")]
    [InlineData("</devices>", "<controller type=\"scsi\" index=\"0\" model=\"virtio-scsi\"/></devices>")]
    [InlineData(
        "</devices>",
        "<console type=\"tcp\"><source mode=\"bind\" host=\"0.0.0.0\" service=\"1\"/>"
        + "<target type=\"serial\" port=\"0\"/></console></devices>")]
    [InlineData("</devices>", "<serial type=\"pty\"><target type=\"isa-serial\" port=\"0\"/></serial></devices>")]
    [InlineData("</devices>", "<audio id=\"1\" type=\"none\"><input mixingEngine=\"no\"/></audio></devices>")]
    [InlineData("</devices>", "</devices><seclabel type=\"none\" model=\"apparmor\"/>")]
    [InlineData("</devices>", "</devices><launchSecurity type=\"sev\"/>")]
    [InlineData("</domain>", "<resource><partition>/other</partition></resource></domain>")]
    [InlineData(
        "</domain>",
        "<q:commandline xmlns:q=\"http://libvirt.org/schemas/domain/qemu/1.0\"><q:arg value=\"-s\"/>"
        + "</q:commandline></domain>")]
    [InlineData("<serial type=\"pty\">", "<serial type=\"pty\"><source path=\"/dev/sda\"/>")]
    [InlineData("<serial type=\"pty\">", "<serial type=\"pty\"><log file=\"/etc/shadow\"/>")]
    [InlineData("<memballoon model=\"none\" />", "<memballoon model=\"virtio\" />")]
    public void Anything_else_is_a_difference(string old, string changed)
    {
        Assert.Empty(Differences(Xml));
        Assert.NotEmpty(Differences(Changed(old, changed)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<domain>")]
    [InlineData("<!DOCTYPE domain [<!ENTITY a \"b\">]><domain>&a;</domain>")]
    [InlineData("<domain/><domain/>")]
    public void What_cannot_be_read_is_a_difference(string xml)
    {
        Assert.Contains("unreadable description", MachineDescription.FromXml(xml).Facts.Keys);
        Assert.NotEmpty(Differences(xml));
    }

    [Fact]
    public void Too_deep_or_too_large_a_document_is_a_difference()
    {
        Assert.NotEmpty(Differences(
            string.Concat(Enumerable.Repeat("<a>", 1000)) + string.Concat(Enumerable.Repeat("</a>", 1000))));
        Assert.NotEmpty(Differences(Xml + new string(' ', MachineDescription.MaxCharacters)));
    }

    [Fact]
    public void Describes_only_what_the_plan_names()
    {
        Assert.DoesNotContain("<graphics", Xml, StringComparison.Ordinal);
        Assert.DoesNotContain("<rng", Xml, StringComparison.Ordinal);
        Assert.Contains("<memballoon model=\"none\"", Xml, StringComparison.Ordinal);
        Assert.Contains("format=\"luks\"", Xml, StringComparison.Ordinal);
    }

    private static string Changed(string old, string replacement)
    {
        var at = Xml.IndexOf(old, StringComparison.Ordinal);
        Assert.True(at >= 0, $"The XML has no {old}.");
        return string.Concat(Xml.AsSpan(0, at), replacement, Xml.AsSpan(at + old.Length));
    }

    private static System.Collections.Immutable.ImmutableArray<string> Differences(string xml) =>
        MachineDescription.Differences(MachineDescription.Of(Machine, Paths), MachineDescription.FromXml(xml));
}
