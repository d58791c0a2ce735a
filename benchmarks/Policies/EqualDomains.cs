using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Benchmarks.Policies;

/// <summary>Domains of one tenant that are all alike: each accepts one port of TCP from each of its next peers.
/// </summary>
internal sealed class EqualDomains
{
    private const int HostsOfPorts = 100;
    private readonly int _domains;
    private readonly int _ports;
    private readonly int _peers;
    private readonly Dictionary<string, PolicyDocument> _documents;
    private readonly List<PlacementProposal> _proposals = [];
    private readonly HostPlan[] _plans;
    private CheckedDatacentre _known;
    private RefinedDatacentre? _all;

    /// <summary>Writes and reads their statements.</summary>
    public EqualDomains(int domains, int ports, int peers)
    {
        (_domains, _ports, _peers) = (domains, ports, peers);
        _documents = Enumerable.Range(0, domains).Select(domain => ($"tenant/d{domain}.yaml", Whole(domain)))
            .Append(("operator/all.yaml", Inventory()))
            .Append(("tenant/tenant.yaml",
                "kind: Tenant\nname: tenant\nlegalName: Tenant\n---\nkind: Image\nname: guest\n"
                + "kernel: {file: vmlinuz}\ninitrd: {file: initrd.gz}\narguments: quiet\n"))
            .SelectMany(file => Read(file.Item1, file.Item2)).ToDictionary(CheckFigures.Subject);
        for (var machine = 0; machine < domains * ports; machine++)
        {
            _proposals.Add(Proposal(machine));
        }

        var result = PolicyCheck.Run(_documents.Values);
        if (!result.Findings.IsEmpty)
        {
            throw new BenchException(result.Findings[0].ToString());
        }

        _known = result.Datacentre;
        _plans = new HostPlan[Hosts];
    }

    private int Hosts => Math.Max(2, _domains * _ports / HostsOfPorts);

    /// <summary>The port that the next peers speak to: another for each.</summary>
    public static int Port(int peer) => 8_000 + peer;

    /// <summary>Checks everything, and computes all hosts' plans.</summary>
    public void Compile(DateTimeOffset now)
    {
        var all = Refine.Of(PolicyCheck.Run(_documents.Values).Datacentre, _proposals, now);
        Parallel.For(0, Hosts, host =>
        {
            var plan = all.ForHost(Host(host));
            // Found as they are listed; no number is 0, so all are.
            BenchException.Unless(
                !plan.Domains.IsEmpty && plan.Underlay.Tunnels.All(tunnel => tunnel.Number != 0));
        });
    }

    /// <summary>
    /// The seconds until one machine more in the first domain, and one flow more to it, are in the plans of all hosts:
    /// from the changed statements on.
    /// </summary>
    public double Add(int number, DateTimeOffset now)
    {
        var machine = (_domains * _ports) + number;
        PolicyDocument[] changed =
        [
            .. Read("tenant/more.yaml", $"{Machine(machine, 0, _ports + number)}---\n{Domain(0, number)}"),
            .. Read("tenant/peer.yaml", Domain(1, number)),
        ];
        var before = Prepared(now);
        var start = Stopwatch.GetTimestamp();
        _known = PolicyCheck.After(_known, changed).Datacentre;
        _all = before.After(_known, [Proposal(machine)], [], now);
        var all = _all;
        Parallel.For(0, Hosts, host => _plans[host] = all.ForHost(Host(host)));
        var took = Stopwatch.GetElapsedTime(start).TotalSeconds;
        foreach (var document in changed)
        {
            _documents[CheckFigures.Subject(document)] = document;
        }

        _proposals.Add(Proposal(machine));
        BenchException.Unless(_plans[machine % Hosts].Domains.Any(domain =>
            domain.Compartments.Any(one => one.Ref == _proposals[^1].Compartment)));
        return took;
    }

    /// <summary>What has been refined, and each host's plan: those who change it have them.</summary>
    private RefinedDatacentre Prepared(DateTimeOffset now)
    {
        if (_all is { } known)
        {
            return known;
        }

        var all = _all = Refine.Of(_known, _proposals, now);
        Parallel.For(0, Hosts, host => _plans[host] = all.ForHost(Host(host)));
        return all;
    }

    private static ImmutableArray<PolicyDocument> Read(string path, string text)
    {
        var reading = PolicyDocuments.ReadYaml(
            [(path, Encoding.UTF8.GetBytes(text))], PartyNames.Unsigned(["operator", "tenant"]));
        return reading.Findings.IsEmpty
            ? reading.Documents : throw new BenchException(reading.Findings[0].ToString());
    }

    private string Inventory()
    {
        var text = new StringBuilder("kind: Datacentre\nname: operator\ntenants: [tenant]\n");
        for (var host = 0; host < Hosts; host++)
        {
            text.Append(CultureInfo.InvariantCulture, $"---\nkind: Host\nname: h{host}\njurisdiction: CH\n")
                .Append(CultureInfo.InvariantCulture, $"assurance: software\nunderlay: {{ipv4: 172.16.0.{host + 1}}}\n")
                .Append("capacity: {cpus: 4096, memoryMiB: 4194304}\n");
        }

        return text.ToString();
    }

    private string Whole(int domain) => Domain(domain, 0) + string.Concat(Enumerable.Range(0, _ports)
        .Select(port => "---\n" + Machine((domain * _ports) + port, domain, port)));

    /// <summary>A domain's statement; of the first two, with so many flows more from the second to the first.</summary>
    private string Domain(int domain, int more)
    {
        var grants = Enumerable.Range(1, _peers)
            .Select(peer => Term("to", (domain + _domains - peer) % _domains, Port(peer)))
            .Concat(domain == 1 ? More("to", 0, more) : []);
        var accepts = Enumerable.Range(1, _peers)
            .Select(peer => Term("from", (domain + peer) % _domains, Port(peer)))
            .Concat(domain == 0 ? More("from", 1, more) : []);
        return string.Create(CultureInfo.InvariantCulture, $$"""
            kind: Domain
            name: d{{domain}}
            legalOwner: {name: Tenant, jurisdiction: CH}
            expires: 2036-01-01T00:00:00Z
            hosts: {operators: [operator], assurance: [software], jurisdictions: [CH]}
            machines: {images: [guest]}
            network: {subnets: [10.{{domain >> 8}}.{{domain & 255}}.0/24], confidentiality: none}
            storage: {confidentiality: none}
            quota: {machines: 1000, cpus: 1000, memoryMiB: 1000000, storageMiB: 0}
            reservation: {cpus: 0, memoryMiB: 0}
            approvals: {takeover: 1}
            groups: {}
            flows:
              grants: [{{string.Join(", ", grants)}}]
              accepts: [{{string.Join(", ", accepts)}}]

            """);
    }

    private static IEnumerable<string> More(string word, int peer, int count) =>
        Enumerable.Range(1, count).Select(number => Term(word, peer, 9_000 + number));

    private static string Term(string word, int peer, int port) => string.Create(
        CultureInfo.InvariantCulture, $"{{{word}: tenant/d{peer}, network: {{protocol: tcp, ports: [{port}]}}}}");

    private static string Machine(int number, int domain, int port) => string.Create(
        CultureInfo.InvariantCulture,
        $"kind: Compartment\nname: m{number}\ncpus: 1\nmemoryMiB: 64\nboot: {{image: guest}}\ndisks: []\n"
        + $"nics: [{{domain: d{domain}, ipv4: 10.{domain >> 8}.{domain & 255}.{port + 10}}}]\n"
        + $"devices: [console]\nplacement: {{}}\n");

    private PlacementProposal Proposal(int machine) => new(
        new CompartmentRef(PartyId.Unsigned("tenant"), StatementName.Parse($"m{machine}")), Host(machine % Hosts),
        Running: true);

    private static HostRef Host(int number) =>
        new(PartyId.Unsigned("operator"), StatementName.Parse($"h{number}"));
}
