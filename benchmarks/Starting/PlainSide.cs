using System.Diagnostics;
using System.Security.Cryptography;
using System.Xml.Linq;
using Bailiwick.Lab.Hosts;
using Bailiwick.Lab.Probes;

namespace Bailiwick.Benchmarks.Starting;

/// <summary>
/// The same machine on a host of the same making without Bailiwick: the description that libvirt has of ours, with a
/// disk that is plain or QEMU's own LUKS under a key in a file, on a plain bridge, started by <c>virsh start</c>; no
/// hook, no key service, no rules.
/// </summary>
internal sealed class PlainSide : IAsyncDisposable
{
    private const string Machine = "bank/web-1";
    private const string Name = "plain";
    private const string Bridge = "plain";
    private const string ProbeSocket = "/run/bailiwick/plain.sock";
    private const int DiskMib = 64;
    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(120);
    private readonly LabDatacentre _datacentre;

    private PlainSide(LabDatacentre datacentre) => _datacentre = datacentre;

    private LabHost Host => _datacentre.Hosts[0];

    /// <summary>Brings up the host and defines the machine.</summary>
    /// <param name="directory">The lab's directory, another than the other side's.</param>
    /// <param name="cache">The cache that both share.</param>
    /// <param name="description">The other side's machine as libvirt tells it.</param>
    /// <param name="isEncrypted">Whether its disk is LUKS.</param>
    /// <param name="progress">Takes the steps.</param>
    /// <param name="cancel">Ends it early.</param>
    internal static async Task<PlainSide> Up(
        string directory, string cache, string description, bool isEncrypted, IProgress<LabStep> progress,
        CancellationToken cancel)
    {
        var options = new LabOptions(directory) { CacheDirectory = cache, Hosts = ["host-1"], Services = [] };
        var side = new PlainSide(await LabDatacentre.Up(options, progress, cancel));
        try
        {
            await side.Host.Must("ip", "link", "add", Bridge, "type", "bridge", "mcast_snooping", "0");
            await side.Host.Must("ip", "link", "set", Bridge, "up");
            var disk = Path.Combine(side.Host.Directory, "plain.disk");
            Guid? secret = isEncrypted ? await side.MakeEncrypted(disk, cancel) : null;
            if (!isEncrypted)
            {
                await using var file = File.Create(disk);
                file.SetLength(DiskMib << 20);
            }

            var xml = Path.Combine(side.Host.Directory, "plain.xml");
            await File.WriteAllTextAsync(xml, Plain(description, disk, secret), cancel);
            (await side.Host.Virsh("define", xml)).Expect("virsh define", $"read {xml}");
            await side.Start(cancel);
            return side;
        }
        catch
        {
            await side.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the machine, then measures from the order to start it until it is ready.</summary>
    internal async Task<double> Start(CancellationToken cancel)
    {
        await Host.Virsh("destroy", Name);
        var start = Stopwatch.GetTimestamp();
        var ready = BootWatch.Ready(Host.PathInside(ProbeSocket), Machine, BootLimit, cancel);
        (await Host.Virsh("start", Name)).Expect("virsh start", "read libvirtd.log in the lab's directory");
        await ready;
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Opens the machine's probe.</summary>
    internal Task<ProbeChannel> Meet(CancellationToken cancel) =>
        ProbeChannel.Open(Host.PathInside(ProbeSocket), Machine, BootLimit, cancel);

    public ValueTask DisposeAsync() => _datacentre.DisposeAsync();

    /// <summary>A LUKS disk as QEMU makes one by default, and its passphrase in libvirt.</summary>
    private async Task<Guid> MakeEncrypted(string disk, CancellationToken cancel)
    {
        string key = Path.Combine(Host.Directory, "plain.key"), xml = Path.Combine(Host.Directory, "plain.secret");
        var secret = Guid.NewGuid();
        await File.WriteAllTextAsync(key, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)), cancel);
        await File.WriteAllTextAsync(
            xml,
            new XElement("secret",
                new XAttribute("ephemeral", "no"), new XAttribute("private", "yes"), new XElement("uuid", secret),
                new XElement("usage", new XAttribute("type", "volume"), new XElement("volume", disk))).ToString(),
            cancel);
        await Host.Must(
            "qemu-img", "create", "-q", "-f", "luks", "--object", $"secret,id=k,file={key}", "-o",
            "key-secret=k,iter-time=10", disk, $"{DiskMib}M");
        (await Host.Virsh("secret-define", xml)).Expect("virsh secret-define", $"read {xml}");
        (await Host.Virsh("secret-set-value", secret.ToString("D"), "--plain", "--file", key))
            .Expect("virsh secret-set-value", $"read {key}");
        return secret;
    }

    /// <summary>The description with only the ends of its disk, port and probe put elsewhere.</summary>
    internal static string Plain(string description, string disk, Guid? secret)
    {
        var root = XElement.Parse(description);
        One(root, "name").Value = Name;
        var source = One(root.Descendants("disk").Single(), "source");
        source.SetAttributeValue("file", disk);
        if (secret is { } uuid)
        {
            One(One(source, "encryption"), "secret").SetAttributeValue("uuid", uuid.ToString("D"));
        }
        else
        {
            source.Element("encryption")?.Remove();
        }

        var port = root.Descendants("interface").Single();
        One(port, "source").SetAttributeValue("bridge", Bridge);
        One(port, "target").SetAttributeValue("dev", "plain0");
        root.Descendants("serial").Single(line => (string?)line.Attribute("type") == "unix")
            .Elements("source").Single().SetAttributeValue("path", ProbeSocket);
        return root.ToString();
    }

    private static XElement One(XElement parent, string name) => parent.Element(name)
        ?? throw new BenchException($"The machine's description has no {name} in {parent.Name}.");
}
