namespace Bailiwick.HostTests.Whole;

/// <summary>
/// Two tenants, three domains, one flow, two hosts: the bank's web machine is bound to the first host and its ledger
/// to the second; the hospital's machine may run on either.
/// </summary>
internal static class SmallPolicies
{
    internal const string Web = "bank/web-1";
    internal const string Ledger = "bank/ledger-1";
    internal const string Records = "hospital/records-1";

    /// <summary>The ledger's half of the one flow; without this line it is closed.</summary>
    internal const string Acceptance = "    - {from: bank/web, network: {protocol: tcp, ports: [5432]}}\n";

    /// <summary>The open port.</summary>
    internal const int FlowPort = 5432;

    internal static string[] Machines => [Web, Ledger, Records];

    /// <summary>Writes them below a directory, one subdirectory for each party.</summary>
    internal static string Write(string directory)
    {
        Put("alpine", "datacentre", "kind: Datacentre\nname: alpine\ntenants: [hospital, bank]\n");
        Put("alpine", "hosts", $"{Host(1)}---\n{Host(2)}---\n"
            + "kind: Link\nname: rack-a\nhosts: [host-1, host-2]\nmedium: trusted-segment\n");
        foreach (string tenant in new[] { "bank", "hospital" })
        {
            Put(tenant, "tenant", $"kind: Tenant\nname: {tenant}\nlegalName: The {tenant}\n");
            Put(tenant, "images", "kind: Image\nname: guest\nkernel: {file: vmlinuz}\ninitrd: {file: initrd.gz}\n"
                + "arguments: console=ttyS0 quiet panic=-1 no_timer_check\n");
        }

        Put("bank", "web", Domain("web", 1,
            "  grants:\n    - {to: bank/ledger, network: {protocol: tcp, ports: [5432]}}\n  accepts: []\n")
            + Machine("web", 1, "placement: {hosts: [host-1]}\n"));
        Put("bank", "ledger", Domain("ledger", 2, $"  grants: []\n  accepts:\n{Acceptance}")
            + Machine("ledger", 2, "placement: {hosts: [host-2]}\n"));
        Put("hospital", "records", Domain("records", 3, "  grants: []\n  accepts: []\n") + Machine("records", 3, ""));
        return directory;

        void Put(string party, string file, string text)
        {
            Directory.CreateDirectory(Path.Combine(directory, party));
            File.WriteAllText(Path.Combine(directory, party, file + ".yaml"), text);
        }
    }

    /// <summary>A host of that number.</summary>
    internal static string Host(int number) =>
        $"kind: Host\nname: host-{number}\njurisdiction: CH\nassurance: tpm\n"
        + $"underlay: {{ipv4: 10.99.0.1{number}}}\ncapacity: {{cpus: 8, memoryMiB: 1024}}\n";

    private static string Domain(string name, int number, string flows) =>
        $$"""
        kind: Domain
        name: {{name}}
        legalOwner: {name: "The owner", jurisdiction: CH}
        expires: 2036-01-01T00:00:00Z
        hosts:
          operators: [alpine]
          assurance: [tpm]
          jurisdictions: [CH]
          vendors: {file: vendors.pem}
        machines: {images: [guest]}
        network: {subnets: [10.20.{{number}}.0/24, "fd20:{{number}}::/64"], confidentiality: untrusted-links}
        storage: {confidentiality: required}
        quota: {machines: 4, cpus: 4, memoryMiB: 1024, storageMiB: 256}
        reservation: {cpus: 1, memoryMiB: 128}
        approvals: {takeover: 1, destroy: 2}
        flows:

        """ + flows;

    private static string Machine(string domain, int number, string placement) =>
        $$"""
        ---
        kind: Compartment
        name: {{domain}}-1
        cpus: 1
        memoryMiB: 112
        boot: {image: guest}
        disks: [{volume: {{domain}}-1-data, access: write}]
        nics: [{domain: {{domain}}, ipv4: 10.20.{{number}}.11, ipv6: "fd20:{{number}}::11"}]
        devices: [console, probe]

        """ + placement +
        $$"""
        ---
        kind: Volume
        name: {{domain}}-1-data
        domain: {{domain}}
        sizeMiB: 16
        wipe: crypto-erase

        """;
}
