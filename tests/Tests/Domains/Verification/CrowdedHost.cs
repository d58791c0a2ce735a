using System.Globalization;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Verification;

/// <summary>Domains of one tenant, all of whose machines run on one host; each has a flow to the next.</summary>
internal sealed class CrowdedHost
{
    public CrowdedHost(int domains, int machines)
    {
        string hosts = Example.ThreeTenants.Files["alpine/hosts.yaml"].Replace(
            "cpus: 8, memoryMiB: 1024", "cpus: 400, memoryMiB: 102400", StringComparison.Ordinal);
        Example example = Example.ThreeTenants.WithFile("alpine/hosts.yaml", hosts)
            .WithFile("alpine/datacentre.yaml", Example.ThreeTenants.Files["alpine/datacentre.yaml"].Replace(
                "tenants: [", "tenants: [crowd, ", StringComparison.Ordinal))
            .WithFile("crowd/tenant.yaml", "kind: Tenant\nname: crowd\nlegalName: Crowd\n---\n"
                + Example.ThreeTenants.Files["bank/images.yaml"]);
        for (int i = 0; i < domains; i++)
        {
            example = example.WithFile($"crowd/d{i}.yaml", Domain(i, domains, machines));
        }

        Datacentre = ExamplePlacements.Datacentre(example);
        PlacementProposal[] proposals =
        [
            .. Datacentre.Machinery.Compartments.Values
                .Where(machine => machine.Ref.Name.Text.StartsWith('m'))
                .Select(machine => new PlacementProposal(machine.Ref, Host("host-1"), Running: true)),
        ];
        Plan = Refine.ForHost(Datacentre, proposals, Host("host-1"), Now);
    }

    public CheckedDatacentre Datacentre { get; }

    public HostPlan Plan { get; }

    private static string Domain(int i, int domains, int machines)
    {
        string flows = domains == 1 ? "grants: []\n  accepts: []\n" : string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            grants:
                - {to: crowd/d{{(i + 1) % domains}}, network: {protocol: tcp, ports: [443] } }
              accepts:
                - {from: crowd/d{{(i + domains - 1) % domains}}, network: {protocol: tcp, ports: [443] } }

            """);
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            kind: Domain
            name: d{{i}}
            legalOwner: {name: Owner, jurisdiction: CH}
            expires: 2036-01-01T00:00:00Z
            hosts: {operators: [alpine], assurance: [software], jurisdictions: [CH]}
            machines: {images: [guest]}
            network: {subnets: [10.1.{{i}}.0/24, "fd01:{{i + 1:x}}::/64"], confidentiality: none}
            storage: {confidentiality: required}
            quota: {machines: 250, cpus: 250, memoryMiB: 102400, storageMiB: 2560}
            flows:
              {{flows}}
            """);
        return text + string.Concat(Enumerable.Range(0, machines).Select(number => string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            ---
            kind: Compartment
            name: m{{i}}-{{number}}
            cpus: 1
            memoryMiB: 112
            boot: {image: guest}
            nics:
              - {domain: d{{i}}, ipv4: 10.1.{{i}}.{{number + 10}}, ipv6: "fd01:{{i + 1:x}}::{{number + 10:x}}"}
            placement: {}

            """)));
    }
}
