using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Lab.Datacentres;

/// <summary>
/// A datacentre drawn by a seed, as the statements that its parties would write: few tenants with many domains and many
/// with few, sizes of domains by a power law, some domains that most others speak with, few machines in two domains,
/// racks with a trusted segment, and a place for every machine where there is room for it. Some terms meet none on the
/// other side.
/// </summary>
public sealed class GeneratedDatacentre
{
    /// <summary>The operator's name.</summary>
    public const string Operator = "alpine";

    private readonly ImmutableArray<GeneratedDomain> _domains;
    private readonly GeneratedMachines _machines;

    /// <summary>Draws it.</summary>
    public GeneratedDatacentre(DatacentreShape shape)
    {
        ArgumentNullException.ThrowIfNull(shape);
        Shape = shape;
        var random = new Random(shape.Seed);
        _domains = GeneratedFlows.Domains(shape, random);
        GeneratedFlows.Draw(shape, random, _domains);
        _machines = new GeneratedMachines(shape, random, _domains);
        Names = PartyNames.Unsigned(
            Enumerable.Range(0, shape.Tenants).Select(TenantName).Append(Operator));
    }

    /// <summary>Its sizes and its seed.</summary>
    public DatacentreShape Shape { get; }

    /// <summary>Paths and texts of the authored files, written out for whoever asks: a large one has much of it.
    /// </summary>
    public ImmutableArray<(string Path, string Text)> Files => new StatementFiles(Shape, _domains, _machines).All;

    /// <summary>The parties.</summary>
    public PartyNames Names { get; }

    /// <summary>Where every machine is to run.</summary>
    public ImmutableArray<PlacementProposal> Proposals =>
        [.. Enumerable.Range(0, Shape.Machines).Select(machine => Proposal(machine, _machines.HostOf(machine)))];

    /// <summary>Each machine, as <c>tenant/name</c>.</summary>
    public IEnumerable<string> Machines => Enumerable.Range(0, Shape.Machines)
        .Select(machine => $"{TenantName(_machines.TenantOf(machine))}/{MachineName(machine)}");

    /// <summary>The statements.</summary>
    public PolicyReading Read() => Read(Files);

    /// <summary>The name of a domain.</summary>
    public DomainRef Domain(int number) =>
        new(Tenant(_domains[number].Tenant), StatementName.Parse(_domains[number].Name));

    /// <summary>The name of a host.</summary>
    public static HostRef Host(int number) => new(PartyId.Unsigned(Operator), StatementName.Parse(HostName(number)));

    /// <summary>The members of a domain.</summary>
    public int SizeOf(int domain) => _domains[domain].Machines.Count;

    /// <summary>A domain's statement that grants one more flow, to its own tenant's or another's domain.</summary>
    public PolicyDocument WithFlow(int domain, int peer, int port) =>
        With(domain, Term("to", peer, port), grants: true);

    /// <summary>A domain's statement that accepts one more flow.</summary>
    public PolicyDocument WithAccepted(int domain, int peer, int port) =>
        With(domain, Term("from", peer, port), grants: false);

    /// <summary>A machine more in a domain, and a host with room for it that has one of the domain's already.</summary>
    /// <param name="domain">The domain.</param>
    /// <param name="number">Which of those that are added: 0 to 99.</param>
    public (PolicyDocument Statement, PlacementProposal Proposal) OneMore(int domain, int number)
    {
        var text = new StringBuilder();
        var machine = Shape.Machines + (domain * 100) + number;
        var of = _domains[domain];
        GeneratedMachines.Write(text, machine, 1, 64, [of.Nic(of.Machines.Count + number)], hasVolume: false);
        return (
            Read([($"{TenantName(of.Tenant)}/more.yaml", text.ToString())]).Documents.Single(),
            Proposal(machine, _machines.HostOf(of.Machines[number % of.Machines.Count]), of.Tenant));
    }

    /// <summary>
    /// Writes the authored files below a directory, one subdirectory for each party; says how many there are.
    /// </summary>
    public int Write(string directory)
    {
        var files = Files;
        foreach (var (path, text) in files)
        {
            var file = Path.Combine(directory, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, text);
        }

        return files.Length;
    }

    internal static string TenantName(int number) => string.Create(CultureInfo.InvariantCulture, $"t{number:000}");

    internal static string MachineName(int number) => string.Create(CultureInfo.InvariantCulture, $"m{number:0000000}");

    internal static string HostName(int number) => string.Create(CultureInfo.InvariantCulture, $"host-{number + 1}");

    /// <summary>A host's address on the underlay: where it fits into a lab, the one that the lab gives it.</summary>
    internal static string Underlay(int number) => string.Create(
        CultureInfo.InvariantCulture, $"10.99.{(number + 11) >> 8}.{(number + 11) & 255}");

    private static PartyId Tenant(int number) => PartyId.Unsigned(TenantName(number));

    private string Term(string word, int peer, int port) => string.Create(
        CultureInfo.InvariantCulture,
        $"{{{word}: {_domains[peer].Reference}, network: {{protocol: tcp, ports: [{port}]}}}}");

    private PolicyDocument With(int domain, string term, bool grants)
    {
        var text = new StringBuilder();
        _domains[domain].Write(text, grants ? [term] : [], grants ? [] : [term]);
        return Read([($"{TenantName(_domains[domain].Tenant)}/changed.yaml", text.ToString())]).Documents.Single();
    }

    private PlacementProposal Proposal(int machine, int host) => Proposal(machine, host, _machines.TenantOf(machine));

    private static PlacementProposal Proposal(int machine, int host, int tenant) => new(
        new CompartmentRef(Tenant(tenant), StatementName.Parse(MachineName(machine))), Host(host), Running: true);

    private PolicyReading Read(IEnumerable<(string Path, string Text)> files) => PolicyDocuments.ReadYaml(
        files.Select(file => (file.Path, (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(file.Text))), Names);
}
