using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.Domains.Consequences;

/// <summary>A text of one file, and what it becomes.</summary>
internal sealed record Change(string File, string Old, string New);

/// <summary>Policies with one consequence that nobody meant, and the least change that ends it.</summary>
/// <param name="Mistake">The changes of the example that cause it.</param>
/// <param name="Code">What is found.</param>
/// <param name="File">Where.</param>
/// <param name="Pointer">At which member.</param>
/// <param name="Says">What its sentence must say, in this order.</param>
/// <param name="Mend">The change that the sentence names.</param>
internal sealed record ConsequenceRow(
    Change[] Mistake, string Code, string File, string Pointer, string[] Says, Change[] Mend)
{
    public Example Wrong => Apply(Example.ThreeTenants, Mistake);

    public Example Mended => Apply(Wrong, Mend);

    private static Example Apply(Example example, Change[] changes) =>
        changes.Aggregate(example, (one, change) => one.With(change.File, change.Old, change.New));
}

/// <summary>What follows from policies, one row for each way.</summary>
internal static class ConsequenceRows
{
    private const string Web = "bank/web.yaml";
    private const string Ledger = "bank/ledger.yaml";
    private const string Images = "bank/images.yaml";
    private const string Records = "hospital/records.yaml";
    private const string Hosts = "alpine/hosts.yaml";
    private const string Other = "\n---\nkind: Image\nname: other\nkernel: {file: vmlinuz}\ninitrd: {file: initrd.gz}\n"
        + "arguments: quiet";

    private const string Web3 = "\n---\nkind: Compartment\nname: web-3\ncpus: 1\nmemoryMiB: 112\n"
        + "boot: {image: guest}\ndisks: []\nnics:\n  - {domain: web, ipv4: 10.20.1.13}\ndevices: []\nplacement: {}";

    private const string Records3 = "\ndomain: records\nsizeMiB: 16\nwipe: crypto-erase\n---\nkind: Compartment\n"
        + "name: records-3\ncpus: 1\nmemoryMiB: 112\nboot: {image: guest}\ndisks: []\n"
        + "nics:\n  - {domain: records, ipv4: 10.20.1.13}\ndevices: []\nplacement: {}\n"
        + "---\nkind: Volume\nname: records-9-data";

    private static readonly Change InBoth = new(
        Web, "  - {domain: web, ipv4: 10.20.1.12, ipv6: \"fd20:1::12\"}",
        "  - {domain: web, ipv4: 10.20.1.12, ipv6: \"fd20:1::12\"}\n  - {domain: ledger, ipv4: 10.20.2.77}");

    private static readonly Change Anywhere = new(Web, "{hosts: [host-3], apartFrom: [web-1]}", "{apartFrom: [web-1]}");

    public static IReadOnlyDictionary<string, ConsequenceRow> All { get; } =
        OfHosts().Concat(OfCompanies()).Concat(OfDomains()).Concat(OfMounts()).ToDictionary(StringComparer.Ordinal);

    private static Dictionary<string, ConsequenceRow> OfHosts() => new()
    {
        ["no host stands in a country of a domain"] = new(
            [new(Records, "[CH]", "[FR]")], "no-host-for-domain", Records, "/hosts/jurisdictions",
            ["hospital/records accepts the countries FR (hospital/records.yaml:10): none of 3 hosts meets it",
                "least change: let hospital/records accept the country CH; then host-1 can"],
            [new(Records, "[FR]", "[FR, CH]")]),
        ["no host is all that a domain demands"] = new(
            [new(Records, "[CH]", "[DE]"), new(Records, "assurance: [software]", "assurance: [software-tpm]"),
                new(Records, "hosts: [host-1]", "hosts: [host-1, host-2]"),
                new(Hosts, "assurance: software\nunderlay: {ipv4: 10.99.0.11}",
                    "assurance: software-tpm\nunderlay: {ipv4: 10.99.0.11}"),
                new(Hosts, "assurance: software\nunderlay: {ipv4: 10.99.0.12}",
                    "assurance: software-tpm\nunderlay: {ipv4: 10.99.0.12}"),
                ..OnlyHost3("bank/web.yaml"), ..OnlyHost3("bank/ledger.yaml")],
            "no-host-for-domain", Records, "/hosts",
            ["accepts the assurance levels software-tpm (hospital/records.yaml:9); hospital/records accepts the "
                + "countries DE (hospital/records.yaml:10): none of 3 hosts meets all of it",
                "let hospital/records accept the country CH; then host-1 can"],
            [new(Records, "[DE]", "[DE, CH]")]),
        ["a machine needs more processors than any host has"] = new(
            [new(Web, "name: web-1\ncpus: 1", "name: web-1\ncpus: 9"), new(Web, "cpus: 4,", "cpus: 16,")],
            "no-host-for-machine", Web, "/cpus",
            ["bank/web-1 needs 9 cpus (bank/web.yaml:31): none of 3 hosts meets it",
                "let bank/web-1 need no more than 8 cpus; then host-1 can"],
            [new(Web, "cpus: 9", "cpus: 8")]),
        ["a machine needs more memory than the hosts it may run on have"] = new(
            [new(Hosts, "10.99.0.11}\ncapacity: {cpus: 8, memoryMiB: 1024}",
                    "10.99.0.11}\ncapacity: {cpus: 8, memoryMiB: 200}"),
                new(Web, "name: web-1\ncpus: 1\nmemoryMiB: 112", "name: web-1\ncpus: 1\nmemoryMiB: 201")],
            "no-host-for-machine", Web, "/placement/hosts",
            ["bank/web-1 may run on host-1", "bank/web-1 needs 201 MiB", "none of 3 hosts meets all of it",
                "let bank/web-1 need no more than 200 MiB; then host-1 can"],
            [new(Web, "memoryMiB: 201", "memoryMiB: 200")]),
        ["a machine may run only where its domain does not go"] = new(
            [new(Records, "hosts: [host-2]", "hosts: [host-3]")], "no-host-for-machine", Records, "/placement/hosts",
            ["accepts the countries CH", "hospital/records-2 may run on host-3", "none of 3 hosts meets all of it",
                "let hospital/records-2 run on host-1; then host-1 can"],
            [new(Records, "hosts: [host-3]", "hosts: [host-3, host-1]")]),
        ["a lender's domain does not go where the borrower's does"] = new(
            [new(Ledger, "[CH, DE]", "[CH]"), new(Ledger, "hosts: [host-3]", "hosts: [host-1]"),
                new("regulator/inspection.yaml", "[CH, DE]", "[DE]")],
            "no-host-for-machine", "regulator/inspection.yaml", "/nics/0/domain",
            ["regulator/inspection accepts the countries DE", "bank/ledger accepts the countries CH",
                "let bank/ledger accept the country DE; then host-3 can"],
            [new(Ledger, "[CH]", "[CH, DE]")]),
    };

    private static Dictionary<string, ConsequenceRow> OfDomains() => new()
    {
        ["the domains of a machine have no country in common"] = new(
            [InBoth, Anywhere, new(Web, "[CH, DE]", "[CH]"), new(Ledger, "[CH, DE]", "[DE]"),
                new(Ledger, "hosts: [host-2]", "hosts: [host-3]"),
                new("regulator/inspection.yaml", "[CH, DE]", "[DE]")],
            "domains-contradict", Web, "/nics/1/domain",
            ["no countries in common", "bank/ledger accepts DE (bank/ledger.yaml:10)",
                "bank/web accepts CH (bank/web.yaml:10)", "let bank/web accept DE too"],
            [new(Web, "[CH]", "[CH, DE]")]),
        ["the domains of a machine have no image in common"] = new(
            [InBoth, Anywhere, new(Images, "no_timer_check", "no_timer_check" + Other),
                new(Ledger, "images: [guest]", "images: [other]"),
                new(Ledger, "boot: {image: guest}", "boot: {image: other}")],
            "domains-contradict", Web, "/nics/1/domain",
            ["one of its domains refuses it", "bank/ledger accepts other", "bank/web accepts guest",
                "let bank/ledger accept guest too"],
            [new(Ledger, "images: [other]", "images: [other, guest]")]),
        ["a machine in two domains is named by no flow on both sides"] = new(
            [InBoth, Anywhere, new(Web, "front: [web-1, web-2]", "front: [web-1]")],
            "domains-not-joined", Web, "/nics/1/domain",
            ["No open network flow between bank/web and bank/ledger names this machine on both sides"],
            [new(Web, "front: [web-1]", "front: [web-1, web-2]")]),
        ["a domain demands firmware that its images do not state"] = new(
            [new(Records, "images: [guest]", "images: [guest]\n  firmware: ovmf"),
                new(Records, "boot: {image: guest}", "boot: {image: guest}\nfirmware: ovmf")],
            "no-image-for-domain", Records, "/machines/firmware",
            ["demands the firmware ovmf", "of the images that it accepts, guest, none states a firmware",
                "add firmware to Image hospital/guest"],
            [new("hospital/images.yaml", "initrd: {file: initrd.gz}",
                "initrd: {file: initrd.gz}\nfirmware: {file: OVMF.fd}")]),
    };

    private static Dictionary<string, ConsequenceRow> OfCompanies() => new()
    {
        ["machines that must be together are more than any host takes"] = new(
            [new(Web, "hosts: [host-1]", "togetherWith: [web-2]"), new(Web, "hosts: [host-3], apartFrom: [web-1]", ""),
                new(Web, "cpus: 1\nmemoryMiB: 112", "cpus: 5\nmemoryMiB: 112"),
                new(Web, "cpus: 4,", "cpus: 16,")],
            "no-host-for-all", Web, "/placement/togetherWith",
            ["bank/web-1, bank/web-2 must be on one host", "bank/web-1, bank/web-2 need 10 cpus together",
                "none of 3 hosts meets it", "let bank/web-1, bank/web-2 need no more than 8 cpus; then host-1 can"],
            [new(Web, "cpus: 5\nmemoryMiB: 112", "cpus: 4\nmemoryMiB: 112")]),
        ["machines that must be together may run on no host both"] = new(
            [new(Records, "hosts: [host-1]", "hosts: [host-1], togetherWith: [records-2]")],
            "no-host-for-all", Records, "/placement/togetherWith",
            ["hospital/records-1 may run on host-1", "hospital/records-2 may run on host-2",
                "let hospital/records-2 run on host-1; then host-1 can"],
            [new(Records, "hosts: [host-2]", "hosts: [host-2, host-1]")]),
        ["machines are together by others and apart by their own word"] = new(
            [new(Web, "hosts: [host-1]", "togetherWith: [web-3]"),
                new(Web, "{hosts: [host-3], apartFrom: [web-1]}",
                    "{togetherWith: [web-3], apartFrom: [web-1]}" + Web3)],
            "placement-contradicts", Web, "/placement/apartFrom/0",
            ["It must be apart from web-1", "web-2 with web-3 (bank/web.yaml:57), web-1 with web-3 (bank/web.yaml:39)",
                "remove web-1 from apartFrom here"],
            [new(Web, ", apartFrom: [web-1]", "")]),
        ["machines that must be apart have fewer hosts than they are"] = new(
            [new(Records, "hosts: [host-1]", "apartFrom: [records-2, records-3]"),
                new(Records, "hosts: [host-2]", "apartFrom: [records-3]"),
                new(Records, "name: records-1-data", "name: records-1-data" + Records3)],
            "too-few-hosts", Records, "/placement/apartFrom",
            ["hospital/records-1, hospital/records-2, hospital/records-3 cannot all run", "only host-1, host-2 can run",
                "records-1 and records-2, records-1 and records-3, records-2 and records-3"],
            [new(Records, "apartFrom: [records-3]", "apartFrom: []")]),
        ["machines bound to a host need more than it has"] = new(
            [new(Ledger, "hosts: [host-3]", "hosts: [host-2]"), new(Ledger, "cpus: 1\nmemoryMiB: 112",
                    "cpus: 5\nmemoryMiB: 112"), new(Ledger, "cpus: 4,", "cpus: 16,")],
            "too-few-hosts", Ledger, "/placement/hosts",
            ["bank/ledger-1, bank/ledger-2 cannot all run", "only host-2", "which offer 8 cpus, and they need 10",
                "let bank/ledger-2 run on one more host, or let them need 2 less"],
            [new(Ledger, "name: ledger-2\ncpus: 5", "name: ledger-2\ncpus: 3")]),
        ["more is reserved than the share that is kept"] = new(
            [new(Records, "reservation: {cpus: 1, memoryMiB: 128}", "reservation: {cpus: 6, memoryMiB: 128}"),
                new(Records, "cpus: 4,", "cpus: 16,")],
            "reservation-not-kept", Records, "/reservation/cpus",
            ["reserves 6 cpus, and no more than 5 cpus of it is kept", "reserve 5"],
            [new(Records, "reservation: {cpus: 6", "reservation: {cpus: 5")]),
    };

    private static Dictionary<string, ConsequenceRow> OfMounts() => new()
    {
        ["a volume is opened for images that none of its owner's machines may start from"] = new(
            [new(Records, "name: records-2-data\n", "name: records-2-data\nmount: {images: [other]}\n"),
                new("hospital/images.yaml", "no_timer_check", "no_timer_check" + Other)],
            "mount-never-holds", Records, "/mount/images",
            ["opened for machines that start from other", "hospital/records accepts guest",
                "let it be opened for guest"],
            [new(Records, "mount: {images: [other]}", "mount: {images: [other, guest]}")]),
        ["a volume is not opened for the image of the machine that has it"] = new(
            [new(Images, "no_timer_check", "no_timer_check" + Other),
                new(Web, "images: [guest]", "images: [guest, other]"),
                new(Web, "name: web-2-data\n", "name: web-2-data\nmount: {images: [other]}\n")],
            "mount-never-holds", Web, "/disks/0",
            ["the volume bank/web-2-data is opened for machines that start from other", "bank/web-2 starts from guest",
                "let the volume bank/web-2-data be opened for guest"],
            [new(Web, "mount: {images: [other]}", "mount: {images: [other, guest]}")]),
        ["a volume is opened on hosts where its domain does not go"] = new(
            [new(Records, "name: records-2\n", "name: records-2\n#\n"),
                new(Records, "disks:\n  - {volume: records-2-data, access: write}\n", "disks: []\n"),
                new(Records, "name: records-2-data\n", "name: records-2-data\nmount: {hosts: [host-3]}\n")],
            "mount-never-holds", Records, "/mount/hosts",
            ["accepts the countries CH", "the volume hospital/records-2-data is opened on host-3",
                "let the volume hospital/records-2-data be opened on host-1"],
            [new(Records, "mount: {hosts: [host-3]}", "mount: {hosts: [host-3, host-1]}")]),
        ["a volume waits for a takeover that nobody can approve"] = new(
            [new(Records, "name: records-2-data\n", "name: records-2-data\nmount: {after: [takeover]}\n"),
                new(Records, "approvals: {takeover: 1}", "approvals: {}")],
            "mount-never-holds", Records, "/mount/after",
            ["only after a takeover", "add takeover to that domain's approvals"],
            [new(Records, "approvals: {}", "approvals: {takeover: 1}")]),
    };

    private static Change[] OnlyHost3(string file) =>
        [new(file, "assurance: [software]", "assurance: [software, software-tpm]")];
}
