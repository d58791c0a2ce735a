using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Tests.Domains.Policy;

/// <summary>
/// Statements of few parties with few names, addresses and numbers, so that they depend on each other and are in each
/// other's way in every manner that a check knows, and in several at once.
/// </summary>
/// <param name="seed">Equal seeds give equal statements.</param>
/// <param name="isCalm">Whether most of what they say can be.</param>
/// <param name="isShared">Whether domains reserve room on hosts, and a segment carries VLANs for a few of them.</param>
internal sealed class RandomStatements(int seed, bool isCalm = false, bool isShared = false)
{
    private static readonly ImmutableArray<string> Tenants = ["bank", "care"];
    private static readonly PartyNames Parties = PartyNames.Unsigned([.. Tenants, "alpine"]);
    private readonly Random _random = new(seed);

    /// <summary>The kinds and names that there can be.</summary>
    public static ImmutableArray<(string Party, string Kind, string Name)> Subjects { get; } =
    [
        ("alpine", "Datacentre", "alpine"), ("alpine", "Link", "rack"),
        .. Names("h", 3).Select(name => ("alpine", "Host", name)),
        .. Tenants.SelectMany(tenant => new[]
        {
            (tenant, "Tenant", tenant), (tenant, "Image", "guest"), (tenant, "Image", "other"),
        }),
        .. Tenants.SelectMany(tenant => Names("d", 3).Select(name => (tenant, "Domain", name))),
        .. Tenants.SelectMany(tenant => Names("v", 5).Select(name => (tenant, "Volume", name))),
        .. Tenants.SelectMany(tenant => Names("m", 7).Select(name => (tenant, "Compartment", name))),
    ];

    /// <summary>One of the subjects, those of tenants more often than those of the operator.</summary>
    public (string Party, string Kind, string Name) Subject() => _random.Next(12) == 0 && !isCalm
        ? Subjects[_random.Next(Subjects.Length)] : Subjects[_random.Next(7, Subjects.Length)];

    /// <summary>Whether this turn takes away.</summary>
    public bool Removes() => _random.Next(5) == 0;

    /// <summary>What a subject's statement could say.</summary>
    public PolicyDocument Statement((string Party, string Kind, string Name) subject)
    {
        var (party, kind, name) = subject;
        var text = $"kind: {kind}\nname: {name}\n" + kind switch
        {
            "Datacentre" => $"tenants: [{One("bank, care", "bank, care", "care, bank", "bank")}]\n",
            "Link" => $"hosts: [h0, {One("h1", "h2", "h9")}]\nmedium: trusted-segment\n"
                + (isShared ? "vlans: {first: 100, last: 101}\n" : ""),
            "Host" => $"jurisdiction: {One("CH", "DE")}\nassurance: software\n"
                + $"underlay: {{ipv4: 10.99.0.{One(name[1..] + "1", name[1..] + "1", name[1..] + "1", "9")}"
                + (isShared && name != "h2" ? ", vlans: rack}\n" : "}\n")
                + $"capacity: {{cpus: 8, memoryMiB: 4096{One("", "", ", uplinkMbit: 100")}}}\n",
            "Tenant" => "legalName: Somebody\n",
            "Image" => "kernel: {file: vmlinuz}\ninitrd: {file: initrd.gz}\narguments: quiet\n"
                + One("", $"disk: {{file: disk.raw, sizeMiB: {One("8", "64")}}}\n"),
            "Domain" => Domain(name),
            "Volume" => $"domain: {Domain()}\nsizeMiB: {One("16", "32")}\nwipe: crypto-erase\n"
                + One("", "", "from: {image: guest}\n", $"from: {{volume: {Volume()}}}\n")
                + One("", "", "access: read\n")
                + One("", "", "sharing: readers\n", "sharing: writers\n"),
            "Compartment" => Machine(),
            _ => throw new ArgumentException(kind, nameof(subject)),
        };
        // Some cannot be read.
        text += _random.Next(25) == 0 && !isCalm ? "colour: red\n" : "";
        return PolicyDocuments.ReadYaml(
            [($"{party}/{kind.ToLowerInvariant()}-{name}.yaml", Encoding.UTF8.GetBytes(text))], Parties)
            .Documents.Single();
    }

    private static IEnumerable<string> Names(string letter, int count) =>
        Enumerable.Range(0, count).Select(number => letter + number.ToString(CultureInfo.InvariantCulture));

    private string Domain(string name) => $$"""
        legalOwner: {name: Somebody, jurisdiction: CH}
        expires: 2036-01-01T00:00:00Z
        hosts: {operators: [alpine], assurance: [software], jurisdictions: [{{One("CH", "CH, DE")}}]}
        machines: {images: [{{One("guest", "guest, other", "guest, absent")}}]}
        network:
          subnets: [10.{{One(name[1..], name[1..], "7")}}.0.0/24]
          confidentiality: none
          {{One("", "", "number: 77")}}
        storage: {confidentiality: {{One("required", "required", "none")}}}
        quota:
          {machines: {{One("9", "1")}}, cpus: 9, memoryMiB: {{One("9000", "100")}}, storageMiB: {{One("900", "40")}}}
        reservation: {cpus: {{(isShared ? One("1", "3", "0") : "0")}}, memoryMiB: 0}
        {{One("", "", "bandwidth: {reserveMbit: 80}")}}
        {{One("", "", "services: {addresses: {machine: " + Machine("m") + "}}")}}
        {{One("", "", "", $"information: {{notTo: [{Peer()}]}}")}}
        approvals: {takeover: {{One("1", "1", "9")}}}
        groups: {{{One("", $"front: [{Machine("m")}, {Machine("m")}]", "front: []", "m1: [m2]")}}}
        flows:
          grants: [{{Terms("to")}}]
          accepts: [{{Terms("from")}}]

        """;

    private string Terms(string word) => string.Join(", ", Enumerable.Range(0, _random.Next(4)).Select(_ =>
        $"{{{word}: {Peer()}, " + (_random.Next(4) == 0
            ? $"volume: {{name: {Volume()}, access: {One("read", "write")}}}}}"
            : One("", "", $"machines: [{One("front", Machine("m"))}], ")
                + $"network: {{protocol: {One("tcp", "tcp", "udp")}, ports: [{One("5432", "5432", "67")}]}}}}")));

    private string Machine() => $$"""
        cpus: {{One("1", "5")}}
        memoryMiB: 128
        boot: {image: {{One("guest", "guest", "other", "absent")}}}
        disks: [{{One("", Disk(), Disk() + ", " + Disk())}}]
        nics: [{{Nic()}}{{One("", "", ", " + Nic())}}]
        devices: [console]
        placement: {{{One("", "", $"hosts: [{One("h0", "h1", "h7")}]", $"apartFrom: [{Machine("m")}]")}}}

        """;

    private string Disk() =>
        $"{{volume: {One("", "", Tenants[_random.Next(2)] + "/")}{Volume()}, access: {One("read", "write")}}}";

    private string Nic()
    {
        var domain = Domain();
        var subnet = One(domain[1..], domain[1..], domain[1..], "7");
        return $"{{domain: {domain}, ipv4: 10.{subnet}.0.{_random.Next(10, 14)}}}";
    }

    private string Domain() => _random.Next(12) == 0 ? "d8" : $"d{_random.Next(3)}";

    private string Volume() => _random.Next(12) == 0 ? "v8" : $"v{_random.Next(5)}";

    private string Machine(string letter) => _random.Next(12) == 0 ? $"{letter}8" : $"{letter}{_random.Next(7)}";

    private string Peer() => $"{Tenants[_random.Next(2)]}/{Domain()}";

    private string One(params string[] words) =>
        words[isCalm && _random.Next(6) > 0 ? 0 : _random.Next(words.Length)];
}
