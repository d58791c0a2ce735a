using System.Globalization;
using System.Text;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Benchmarks.Policies;

/// <summary>One host on which machines of many domains run; each domain has a flow to the next.</summary>
internal sealed class FullHost
{
    /// <summary>Writes, reads and refines their statements.</summary>
    public FullHost(int domains, int machines, DateTimeOffset now)
    {
        var reading = PolicyDocuments.ReadYaml(
            Enumerable.Range(0, domains).Select(domain => ($"tenant/d{domain}.yaml", Domain(domain, domains, machines)))
                .Append(("operator/all.yaml",
                    "kind: Datacentre\nname: operator\ntenants: [tenant]\n---\nkind: Host\nname: h0\njurisdiction: CH\n"
                    + "assurance: software\nunderlay: {ipv4: 172.16.0.1}\n"
                    + "capacity: {cpus: 4096, memoryMiB: 4194304}\n"))
                .Append(("tenant/tenant.yaml",
                    "kind: Tenant\nname: tenant\nlegalName: Tenant\n---\nkind: Image\nname: guest\n"
                    + "kernel: {file: vmlinuz}\ninitrd: {file: initrd.gz}\narguments: quiet\n"))
                .Select(file => (file.Item1, (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(file.Item2))),
            PartyNames.Unsigned(["operator", "tenant"]));
        var result = PolicyCheck.Run(reading);
        if (!result.Findings.IsEmpty)
        {
            throw new BenchException(result.Findings[0].ToString());
        }

        Datacentre = result.Datacentre;
        var host = new HostRef(PartyId.Unsigned("operator"), StatementName.Parse("h0"));
        Plan = Refine.ForHost(
            Datacentre,
            [
                .. Datacentre.Machinery.Compartments.Values.Select(machine =>
                    new PlacementProposal(machine.Ref, host, Running: true)),
            ],
            host, now);
    }

    public CheckedDatacentre Datacentre { get; }

    public HostPlan Plan { get; }

    private static string Domain(int number, int domains, int machines)
    {
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $$"""
            kind: Domain
            name: d{{number}}
            legalOwner: {name: Tenant, jurisdiction: CH}
            expires: 2036-01-01T00:00:00Z
            hosts: {operators: [operator], assurance: [software], jurisdictions: [CH]}
            machines: {images: [guest]}
            network: {subnets: [10.1.{{number}}.0/24, "fd01:{{number + 1:x}}::/64"], confidentiality: none}
            storage: {confidentiality: none}
            quota: {machines: 1000, cpus: 1000, memoryMiB: 1000000, storageMiB: 0}
            reservation: {cpus: 0, memoryMiB: 0}
            approvals: {takeover: 1}
            groups: {}
            flows:
              grants: [{to: tenant/d{{(number + 1) % domains}}, network: {protocol: tcp, ports: [443] } }]
              accepts: [{from: tenant/d{{(number + domains - 1) % domains}}, network: {protocol: tcp, ports: [443] } }]

            """));
        for (var machine = 0; machine < machines; machine++)
        {
            text.Append(CultureInfo.InvariantCulture, $$"""
                ---
                kind: Compartment
                name: m{{number}}-{{machine}}
                cpus: 1
                memoryMiB: 64
                boot: {image: guest}
                disks: []
                nics:
                  - domain: d{{number}}
                    ipv4: 10.1.{{number}}.{{machine + 10}}
                    ipv6: "fd01:{{number + 1:x}}::{{machine + 10:x}}"
                devices: [console]
                placement: {}

                """);
        }

        return text.ToString();
    }
}
