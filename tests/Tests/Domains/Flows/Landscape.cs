using System.Globalization;
using System.Text;
using Bailiwick.Domains.Policy;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.Domains.Flows;

/// <summary>
/// Domains of several tenants, each with a machine of its own, and what flows between them, stated by both owners; as
/// files of policies. Files are <c>tenant/domain.yaml</c>.
/// </summary>
internal sealed class Landscape
{
    private readonly SortedDictionary<string, Site> _sites = new(StringComparer.Ordinal);
    private readonly List<string> _machines = [];

    /// <summary>All domains, <c>tenant/domain</c>.</summary>
    public IReadOnlyCollection<string> Domains => _sites.Keys;

    /// <summary>Who informs whom directly, by what was stated here and by no code of the product's.</summary>
    public HashSet<(string From, string To)> Stated { get; } = [];

    /// <summary>The countries of a domain's owner and hosts.</summary>
    public string[] Countries(string domain) => [_sites[domain].Owner, _sites[domain].Hosts];

    /// <summary>Each file and its text.</summary>
    public IEnumerable<KeyValuePair<string, string>> Files => _sites.Select(site =>
        KeyValuePair.Create($"{site.Key}.yaml", site.Value.Text())).Concat(Roots());

    /// <summary>A domain with one machine of its own, <c>DOMAIN-1</c>.</summary>
    public Landscape Domain(string name, string owner = "CH", string hosts = "CH", string information = "")
    {
        _sites.Add(name, new Site(name, _sites.Count, owner, hosts, information));
        return this;
    }

    /// <summary>The domain's clause <c>information</c>, one line.</summary>
    public Landscape Demand(string domain, string information)
    {
        _sites[domain].Information = information;
        return this;
    }

    /// <summary>A connection from one domain's machines to another's.</summary>
    public Landscape Network(string from, string to, int port = 443)
    {
        string what = string.Create(CultureInfo.InvariantCulture, $"network: {{protocol: tcp, ports: [{port}]}}");
        Stated.UnionWith([(from, to), (to, from)]);
        return Both(from, to, what);
    }

    /// <summary>A volume of one domain, lent to another.</summary>
    public Landscape Volume(string from, string to, string access = "read")
    {
        string name = $"{from.Split('/')[1]}-data";
        Stated.Add((from, to));
        if (access == "write")
        {
            Stated.Add((to, from));
        }

        _sites[from].Documents.Add($"kind: Volume\nname: {name}\ndomain: {from.Split('/')[1]}\nsizeMiB: 16\n"
            + "wipe: crypto-erase\nsharing: readers\n");
        return Both(from, to, $"volume: {{name: {name}, access: {access}}}");
    }

    /// <summary>A kind of device of one domain, used by another.</summary>
    public Landscape Device(string from, string to)
    {
        Stated.UnionWith([(from, to), (to, from)]);
        return Both(from, to, "device: {kind: probe}");
    }

    /// <summary>A grant that its peer does not accept.</summary>
    public Landscape Unmet(string from, string to)
    {
        _sites[from].Grants.Add($"{{to: {to}, network: {{protocol: tcp, ports: [9]}}}}");
        return this;
    }

    /// <summary>A machine of a domain with a volume by name, whoever's it is and whether or not it is lent.</summary>
    public Landscape Disk(string domain, string volume)
    {
        string own = domain.Split('/')[1];
        int count = _sites[domain].Documents.Count;
        string nic = $"  - {{domain: {own}, ipv4: {_sites[domain].Address(50 + count)}}}\n";
        _sites[domain].Documents.Add(
            Site.MachineText(string.Create(CultureInfo.InvariantCulture, $"{own}-disk{count}"), nic)
            + $"disks: [{{volume: {volume}, access: read}}]\n");
        return this;
    }

    /// <summary>A machine in several domains of one tenant; it is none unless flows join each two of them.</summary>
    public Landscape Machine(string name, params string[] domains)
    {
        string[] nics = [.. domains.Select(domain =>
            $"  - {{domain: {domain.Split('/')[1]}, ipv4: {_sites[domain].Address(100 + _machines.Count)}}}\n")];
        _machines.Add(name);
        _sites[domains[0]].Documents.Add(Site.MachineText(name, string.Concat(nics)));
        return this;
    }

    public PolicyReading Read() => PolicyDocuments.ReadYaml(
        Files.Select(file => (file.Key, (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(file.Value))),
        PartyNames.UnsignedOfPaths(Files.Select(file => file.Key)));

    public PolicyCheckResult Check() => PolicyCheck.Run(Read());

    /// <summary>Domains, flows and machines drawn by a seed; nobody demands anything.</summary>
    public static Landscape Random(int seed, int most = 9)
    {
        var random = new Random(seed);
        var land = new Landscape();
        string[] countries = ["CH", "DE", "FR"];
        string[] domains = [.. Enumerable.Range(0, random.Next(3, most + 1)).Select(i => string.Create(
            CultureInfo.InvariantCulture, $"t{(char)('a' + random.Next(4))}/d{i}"))];
        foreach (string domain in domains)
        {
            land.Domain(domain, countries[random.Next(3)], countries[random.Next(3)]);
        }

        for (int count = random.Next(domains.Length * 2); count > 0; count--)
        {
            var (from, to) = (domains[random.Next(domains.Length)], domains[random.Next(domains.Length)]);
            if (from == to || land.Stated.Contains((from, to)))
            {
                continue;
            }

            _ = random.Next(6) switch
            {
                0 => land.Network(from, to),
                1 => land.Device(from, to),
                2 => land.Volume(from, to, "write"),
                3 => land.Unmet(from, to),
                _ => land.Volume(from, to),
            };
        }

        foreach (var pair in land.Stated.Where(pair => pair.From.Split('/')[0] == pair.To.Split('/')[0]).ToArray())
        {
            if (random.Next(3) == 0)
            {
                land.Machine($"both{land._machines.Count}", pair.From, pair.To);
            }
        }

        return land;
    }

    private Landscape Both(string from, string to, string what)
    {
        _sites[from].Grants.Add($"{{to: {to}, {what}}}");
        _sites[to].Accepts.Add($"{{from: {from}, {what}}}");
        return this;
    }

    private IEnumerable<KeyValuePair<string, string>> Roots()
    {
        string[] tenants = [.. _sites.Keys.Select(name => name.Split('/')[0]).Distinct()];
        foreach (string tenant in tenants)
        {
            yield return KeyValuePair.Create(
                $"{tenant}/tenant.yaml", $"kind: Tenant\nname: {tenant}\nlegalName: Owner {tenant}\n---\n"
                + Example.ThreeTenants.Files["bank/images.yaml"]);
        }

        yield return KeyValuePair.Create(
            "alpine/datacentre.yaml",
            $"kind: Datacentre\nname: alpine\ntenants: [{string.Join(", ", tenants)}]\n");
        yield return KeyValuePair.Create(
            "alpine/hosts.yaml", Example.ThreeTenants.Files["alpine/hosts.yaml"]);
    }

    private sealed class Site(string name, int index, string owner, string hosts, string information)
    {
        public string Information { get; set; } = information;

        public List<string> Grants { get; } = [];

        public List<string> Accepts { get; } = [];

        public List<string> Documents { get; } = [];

        public string Owner => owner;

        public string Hosts => hosts;

        private string Own { get; } = name.Split('/')[1];

        public string Address(int host) =>
            string.Create(CultureInfo.InvariantCulture, $"10.{(index / 250) + 1}.{index % 250}.{host}");

        public static string MachineText(string name, string nics) =>
            $"kind: Compartment\nname: {name}\ncpus: 1\nmemoryMiB: 112\nboot: {{image: guest}}\nnics:\n{nics}"
            + "placement: {}\n";

        public string Text() => string.Join("---\n", [
            $"kind: Domain\nname: {Own}\nlegalOwner: {{name: Owner, jurisdiction: {owner}}}\n"
            + "expires: 2036-01-01T00:00:00Z\n"
            + $"hosts: {{operators: [alpine], assurance: [software], jurisdictions: [{hosts}]}}\n"
            + "machines: {images: [guest]}\n"
            + $"network: {{subnets: [{Address(0)}/24], confidentiality: none}}\n"
            + "storage: {confidentiality: required}\n"
            + "quota: {machines: 40, cpus: 40, memoryMiB: 10240, storageMiB: 2560}\n"
            + (Information.Length > 0 ? $"information: {Information}\n" : "")
            + $"flows:\n  grants:{List(Grants)}  accepts:{List(Accepts)}",
            MachineText($"{Own}-1", $"  - {{domain: {Own}, ipv4: {Address(11)}}}\n"),
            .. Documents.Distinct(),
        ]);

        private static string List(List<string> terms) => terms.Count == 0
            ? " []\n" : "\n" + string.Concat(terms.Select(term => $"    - {term}\n"));
    }
}
