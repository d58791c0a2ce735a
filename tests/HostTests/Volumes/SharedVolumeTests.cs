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

/// <summary>
/// One encrypted volume in several real QEMUs, by the rendered description: QEMU's own lock stands against everybody
/// whom the volume's statement does not let in, and who reads could not write if it wanted to.
/// </summary>
public sealed class SharedVolumeTests(PrivateLibvirtd daemon) : IClassFixture<PrivateLibvirtd>
{
    private const int AccessModes = 3;
    private static readonly CompartmentPlan Machine = Refine
        .ForHost(Datacentre(), All, ExamplePlacements.Host("host-1"), Now).Domains
        .SelectMany(domain => domain.Compartments).First(machine => machine.Disks.Length > 0);

    [Theory]
    [InlineData(VolumeSharing.Exclusive, "write,write", "write")]
    [InlineData(VolumeSharing.Exclusive, "write,read", "write")]
    [InlineData(VolumeSharing.Exclusive, "read,write", "read")]
    [InlineData(VolumeSharing.Readers, "write,read,read", "write,read,read")]
    [InlineData(VolumeSharing.Readers, "read,write,read", "read,write,read")]
    [InlineData(VolumeSharing.Readers, "write,write,read", "write,read")]
    [InlineData(VolumeSharing.Writers, "write,write,read", "write,write,read")]
    public void QEMU_lets_together_who_may_be_together_and_nobody_else(
        VolumeSharing sharing, string asked, string opened)
    {
        using Pool pool = new(daemon, sharing);
        Assert.Equal(opened, string.Join(',', asked.Split(',').Where(access => pool.Open(access))));
    }

    [Fact]
    public void A_reader_has_the_file_open_to_read_and_no_more_and_a_writer_to_write()
    {
        using Pool pool = new(daemon, VolumeSharing.Readers);
        Assert.True(pool.Open("read"));
        Assert.True(pool.Open("write"));
        Assert.Equal([0], pool.ModesOf("read"));
        Assert.Contains(2, pool.ModesOf("write"));
    }

    private sealed class Pool : IDisposable
    {
        private readonly LibvirtHypervisor _hypervisor;
        private readonly DiskPlan _disk;
        private readonly VolumeFiles _files;
        private readonly string _path;
        private readonly byte[] _passphrase;
        private readonly List<(string Access, string Name, Guid Id, Guid Secret)> _open = [];

        public Pool(PrivateLibvirtd daemon, VolumeSharing sharing)
        {
            _path = Directory.CreateDirectory(Path.Combine(daemon.Directory, $"{Guid.NewGuid():N}")).FullName;
            _hypervisor = daemon.Connect();
            _files = new VolumeFiles(new RealHost(), _path);
            _disk = Machine.Disks[0] with { SizeMib = 1, Encrypted = true, Sharing = sharing };
            using SecretBytes key = SecretBytes.Random(32);
            _files.CreateEncrypted(_disk, key);
            _passphrase = VolumeFiles.Passphrase(key);
        }

        /// <summary>Whether a further machine starts with the volume.</summary>
        public bool Open(string access)
        {
            DiskPlan disk = _disk with
            {
                Access = access == "write" ? VolumeAccess.Write : VolumeAccess.Read, SecretUuid = Guid.NewGuid(),
            };
            string name = $"shared-{Guid.NewGuid():N}"[..20];
            XElement machine = XElement.Parse(TinyMachine.Xml(name, Guid.NewGuid()));
            machine.Element("devices")?.Add(XElement.Parse(MachineXml.Of(
                Machine with { Disks = [disk] },
                new MachinePaths("/b", _path, "/m", "/usr/bin/qemu-system-x86_64", Hypervisor.Emulated)))
                .Descendants("disk").Single());
            _hypervisor.DefineSecret(disk.SecretUuid, $"{_files.PathOf(disk)}/{name}");
            _hypervisor.SetSecret(disk.SecretUuid, _passphrase);
            Guid id = _hypervisor.Define(machine.ToString());
            _open.Add((access, name, id, disk.SecretUuid));
            try
            {
                _hypervisor.Start(id, paused: true);
                return true;
            }
            catch (WorldException refused)
            {
                Assert.Contains("lock", refused.Message, StringComparison.Ordinal);
                return false;
            }
        }

        /// <summary>The access modes (open(2)) in which one machine's QEMU has the volume's file open.</summary>
        public int[] ModesOf(string access)
        {
            string name = _open.Single(one => one.Access == access).Name, file = _files.PathOf(_disk);
            string process = Directory.EnumerateDirectories("/proc").Single(directory =>
                int.TryParse(Path.GetFileName(directory), out _)
                && CommandLine(directory).Contains($"guest={name},", StringComparison.Ordinal)
                && CommandLine(directory).StartsWith("/usr/bin/qemu-system", StringComparison.Ordinal));
            return
            [
                .. new DirectoryInfo($"{process}/fd").EnumerateFileSystemInfos().Where(one => one.LinkTarget == file)
                    .Select(one => File.ReadLines($"{process}/fdinfo/{one.Name}").Single(line =>
                        line.StartsWith("flags:", StringComparison.Ordinal)).Split('\t')[1])
                    .Select(flags => Convert.ToInt32(flags, 8) & AccessModes),
            ];
        }

        public void Dispose()
        {
            foreach (var (_, _, id, secret) in _open)
            {
                try
                {
                    _hypervisor.Kill(id);
                }
                catch (WorldException)
                {
                    // It did not start.
                }

                _hypervisor.Undefine(id);
                _hypervisor.RemoveSecret(secret);
            }

            _hypervisor.Dispose();
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
    }
}
