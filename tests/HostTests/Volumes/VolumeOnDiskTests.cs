using System.Diagnostics;
using System.Text;
using System.Xml.Linq;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.HostTests.Libvirt;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Host.Libvirt;
using Bailiwick.Proxy.Storage;
using Bailiwick.Tests.Domains;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.HostTests.Volumes;

/// <summary>Volumes as the real tools make, change and open them.</summary>
public sealed class VolumeOnDiskTests(PrivateLibvirtd daemon) : IClassFixture<PrivateLibvirtd>
{
    private static readonly CompartmentPlan Machine = Refine
        .ForHost(Datacentre(), All, ExamplePlacements.Host("host-1"), Now).Domains
        .SelectMany(domain => domain.Compartments).First(machine => machine.Disks.Length > 0);

    private static readonly DiskPlan Disk = Machine.Disks[0] with { SizeMib = 4, Access = VolumeAccess.Write };

    [Fact]
    public void What_QEMU_made_is_accepted_through_its_life_and_its_header_changes_only_with_its_keys()
    {
        string pool = Directory.CreateDirectory(Path.Combine(daemon.Directory, "life")).FullName;
        RealHost host = new();
        VolumeFiles files = new(host, pool);
        DiskPlan disk = Disk with { Encrypted = true };
        Assert.False(files.Inspect(disk).Exists);
        using SecretBytes key = SecretBytes.Random(32);
        files.CreateEncrypted(disk, key);
        VolumeState made = files.Inspect(disk);
        Assert.Empty(made.Refusals);
        Assert.NotNull(made.Header);

        string options = $"driver=luks,key-secret=k,file.driver=file,file.filename={files.PathOf(disk)}";
        string[] secret = ["--object", "secret,id=k,file=/dev/stdin", "--image-opts", options];
        byte[] passphrase = VolumeFiles.Passphrase(key);
        host.Run(new ProgramCall(
            ["qemu-io", "-c", "write -P 7 0 1M", "-c", "flush", .. secret]) { Input = passphrase });
        Assert.Equal(made.Header, files.Inspect(disk).Header);

        host.Run(new ProgramCall(["qemu-img", "resize", "-q", .. secret, "8M"]) { Input = passphrase });
        Assert.EndsWith("[volume-length]", Assert.Single(files.Inspect(disk).Refusals), StringComparison.Ordinal);
        Assert.Equal(made.Header, files.Inspect(disk with { SizeMib = 8 }).Header);

        string another = Path.Combine(daemon.Directory, "another");
        File.WriteAllText(another, "another key");
        QemuLuks.Run(host, new ProgramCall(
        [
            "qemu-img", "amend", "-q", "--object", $"secret,id=n,file={another}", .. secret,
            "-o", "state=active,new-secret=n,iter-time=10",
        ]) { Input = passphrase });
        VolumeState added = files.Inspect(disk with { SizeMib = 8 });
        Assert.EndsWith("[luks-several-active-slots]", Assert.Single(added.Refusals), StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_that_writes_another_format_into_its_own_disk_opens_no_other_file()
    {
        string pool = Directory.CreateDirectory(Path.Combine(daemon.Directory, "own")).FullName;
        string target = Path.Combine(daemon.Directory, "of-somebody-else");
        File.WriteAllBytes(target, new byte[1 << 20]);
        RealHost host = new();
        VolumeFiles files = new(host, pool);
        DiskPlan disk = Disk with { Encrypted = false, FileName = Path.ChangeExtension(Disk.FileName, ".raw") };
        files.CreatePlain(disk);
        string lie = Path.Combine(daemon.Directory, "lie");
        host.Run(new ProgramCall(
            "qemu-img", "create", "-q", "-f", "qcow2", "-b", target, "-F", "raw", lie, "64M"));
        using (FileStream volume = File.OpenWrite(files.PathOf(disk)))
        {
            volume.Write(File.ReadAllBytes(lie));
        }

        Assert.Empty(files.Inspect(disk).Refusals);
        XElement ours = XElement.Parse(MachineXml.Of(
            Machine with { Disks = [disk] },
            new MachinePaths("/b", pool, "/m", "/usr/bin/qemu-system-x86_64", Hypervisor.Emulated)))
            .Descendants("disk").Single();
        Assert.Equal((4 << 20, false), Opened("own", ours, disk.Target, target));
        ours.Element("driver")?.SetAttributeValue("type", "qcow2");
        Assert.Equal((64 << 20, true), Opened("control", ours, disk.Target, target));
    }

    /// <summary>The disk's size as the machine sees it, and whether its QEMU has a file open.</summary>
    private (long Size, bool HasOpen) Opened(string name, XElement disk, string device, string file)
    {
        XElement machine = XElement.Parse(TinyMachine.Xml(name, Guid.NewGuid()));
        machine.Element("devices")?.Add(disk);
        using LibvirtHypervisor hypervisor = daemon.Connect();
        Guid id = hypervisor.Define(machine.ToString());
        hypervisor.Start(id, paused: true);
        try
        {
            string said = Virsh("domblkinfo", name, device);
            string size = said.Split('\n').Single(line => line.StartsWith("Capacity:", StringComparison.Ordinal));
            return (long.Parse(size.Split(':')[1].Trim(), null), IsOpen(name, file));
        }
        finally
        {
            hypervisor.Kill(id);
            hypervisor.Undefine(id);
        }
    }

    private static bool IsOpen(string name, string file)
    {
        string process = Directory.EnumerateDirectories("/proc").Single(directory =>
            int.TryParse(Path.GetFileName(directory), out _) && CommandLine(directory) is var line
            && line.StartsWith("/usr/bin/qemu-system-x86_64", StringComparison.Ordinal)
            && line.Contains($"guest={name},", StringComparison.Ordinal));
        return new DirectoryInfo($"{process}/fd").EnumerateFileSystemInfos().Any(one => one.LinkTarget == file);
    }

    private static string CommandLine(string process)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes($"{process}/cmdline"));
        }
        catch (IOException)
        {
            return "";
        }
    }

    private string Virsh(params string[] words)
    {
        ProcessStartInfo start = new(
            "virsh", ["-c", $"qemu+unix:///system?socket={daemon.Socket}", .. words]) { RedirectStandardOutput = true };
        using Process virsh = Process.Start(start) ?? throw new InvalidOperationException("virsh did not start");
        string said = virsh.StandardOutput.ReadToEnd();
        Assert.True(virsh.WaitForExit(10_000));
        return said;
    }
}
