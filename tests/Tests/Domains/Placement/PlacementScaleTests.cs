using System.Globalization;
using System.Text;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Lab.Datacentres;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Tracing;

namespace Bailiwick.Tests.Domains.Placement;

/// <summary>The planner judges each machine beside those that have a place; what it suggests is judged as a whole.
/// </summary>
public sealed class PlacementScaleTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(6, 60, 5, 1)]
    [InlineData(20, 80, 8, 2)]
    [InlineData(3, 90, 3, 3)]
    public void Suggestions_are_those_of_asking_a_whole_review_for_each_machine_and_host(
        int domains, int machines, int hosts, int seed)
    {
        var drawn = new GeneratedDatacentre(new DatacentreShape(domains, machines, hosts, 6, seed));
        var datacentre = PolicyCheck.Run(drawn.Read()).Datacentre;
        var proposals = PlacementPlanner.Propose(datacentre, [], [], PlacementTrust.Unquestioned, Now).Proposals;
        Assert.Equal(Naive(datacentre), proposals);
        Assert.InRange(proposals.Length, machines / 2, machines);
    }

    [Fact]
    public void What_is_suggested_is_admitted_together_whatever_was_there_and_whatever_is_drained()
    {
        int placed = 0, moved = 0, nowhere = 0;
        for (var seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            var (datacentre, before) = Drawn(seed, random);
            HostRef[] hosts = [.. datacentre.Inventory.Hosts.Values.Select(host => host.Ref)];
            PlacementProposal[] current =
            [
                .. before.Where(_ => random.Next(3) > 0).Select(one => one with
                {
                    Host = random.Next(3) == 0 ? hosts[random.Next(hosts.Length)] : one.Host,
                    Running = random.Next(10) > 0,
                }),
            ];
            var outcome = PlacementPlanner.Propose(
                datacentre, current, [.. hosts.Where(_ => random.Next(2) == 0)], PlacementTrust.Unquestioned, Now);
            var running = outcome.Proposals.Where(one => one.Running).ToArray();
            var verdicts = AdmissionControl.DecideAll(datacentre, outcome.Proposals, Now);
            Assert.Equal(running.Length, verdicts.Length);
            Assert.All(verdicts, verdict => Assert.IsType<AdmissionVerdict.Admitted>(verdict));
            Assert.Equal(
                datacentre.Machinery.Compartments.Values.Select(machine => machine.Ref.ToString())
                    .Order(StringComparer.Ordinal),
                outcome.Decisions.Select(one => one.Compartment.ToString()));
            placed += running.Length;
            moved += outcome.Proposals.Count(one => current.Any(
                was => was.Compartment == one.Compartment && was.Host != one.Host));
            nowhere += outcome.Decisions.OfType<PlacementDecision.Nowhere>().Count();
        }

        Assert.True(placed > 500 && moved > 50 && nowhere > 5, $"{placed} placed, {moved} moved, {nowhere} nowhere");
    }

    [Theory]
    [InlineData(4, true)]
    [InlineData(6, false)]
    public void What_another_order_of_judgement_refuses_is_no_place(int cpus, bool isPlaced)
    {
        // A machine of two domains takes from what both keep. Whoever is judged before it finds all of that kept; the
        // planner places it first, because it may run on one host alone.
        var (early, late) = string.CompareOrdinal(PartyId.Unsigned("t0").ToString(), PartyId.Unsigned("t1").ToString())
            < 0 ? ("t0", "t1") : ("t1", "t0");
        (string, string)[] files =
        [
            ("operator/all.yaml", "kind: Datacentre\nname: operator\ntenants: [t0, t1]\n---\nkind: Host\nname: h1\n"
                + "jurisdiction: CH\nassurance: software\nunderlay: {ipv4: 172.16.0.1}\n"
                + "capacity: {cpus: 8, memoryMiB: 4096}\n"),
            ($"{late}/all.yaml", Party(late) + Domain("a", 1, 2, $"grants: [{{to: {late}/b, {Http}}}]\n  accepts: []")
                + Domain("b", 2, 2, $"grants: []\n  accepts: [{{from: {late}/a, {Http}}}]")
                + Machine("both", 2, "{hosts: [h1]}", ("a", 1), ("b", 2))),
            ($"{early}/all.yaml", Party(early) + Domain("x", 3, 0, "grants: []\n  accepts: []")
                + Machine("one", cpus, "{}", ("x", 3))),
        ];
        var read = PolicyDocuments.ReadYaml(
            files.Select(file => (file.Item1, (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(file.Item2))),
            PartyNames.Unsigned(["t0", "t1", "operator"]));
        var result = PolicyCheck.Run(read);
        Assert.Empty(result.Findings);

        var outcome = PlacementPlanner.Propose(result.Datacentre, [], [], PlacementTrust.Unquestioned, Now);

        Assert.Equal(isPlaced ? "both one" : "both", string.Join(
            ' ', outcome.Proposals.Select(one => one.Compartment.Name.Text).Order(StringComparer.Ordinal)));
        Assert.All(
            AdmissionControl.DecideAll(result.Datacentre, outcome.Proposals, Now),
            verdict => Assert.IsType<AdmissionVerdict.Admitted>(verdict));
        if (!isPlaced)
        {
            var nowhere = Assert.Single(outcome.Decisions.OfType<PlacementDecision.Nowhere>());
            Assert.Contains("reserved and not yet used", nowhere.Because, StringComparison.Ordinal);
        }
    }

    private const string Http = "network: {protocol: tcp, ports: [80]}";

    private static (CheckedDatacentre Datacentre, IReadOnlyList<PlacementProposal> Proposals) Drawn(
        int seed, Random random)
    {
        if (seed % 2 == 0)
        {
            var example = new RandomDatacentre(seed);
            return (example.Datacentre, example.Proposals);
        }

        var drawn = new GeneratedDatacentre(new DatacentreShape(
            random.Next(3, 12), random.Next(20, 60), random.Next(3, 7), 6, seed));
        return (PolicyCheck.Run(drawn.Read()).Datacentre, drawn.Proposals);
    }

    private static IEnumerable<PlacementProposal> Naive(CheckedDatacentre datacentre)
    {
        var machines = datacentre.Machinery.Compartments;
        List<PlacementProposal> proposals = [];
        foreach (var machine in machines.Values.OrderBy(one => one.Placement.Hosts?.Length ?? int.MaxValue)
            .ThenBy(one => one.Ref.ToString(), StringComparer.Ordinal))
        {
            var host = datacentre.Inventory.Hosts.Values
                .OrderByDescending(one => one.CapacityMemoryMib - proposals.Where(other => other.Host == one.Ref)
                    .Sum(other => machines[other.Compartment.ToString()].MemoryMib))
                .ThenBy(one => one.Ref.ToString(), StringComparer.Ordinal)
                .FirstOrDefault(one => AdmissionControl.Decide(datacentre, machine.Ref, one.Ref, proposals, Now)
                    is AdmissionVerdict.Admitted);
            if (host is not null)
            {
                proposals.Add(new PlacementProposal(machine.Ref, host.Ref, Running: true));
            }
        }

        return proposals.OrderBy(one => one.Compartment.ToString(), StringComparer.Ordinal);
    }

    private static string Party(string name) => $"kind: Tenant\nname: {name}\nlegalName: {name}\n---\n"
        + "kind: Image\nname: guest\nkernel: {file: vmlinuz}\ninitrd: {file: initrd.gz}\narguments: quiet\n";

    private static string Domain(string name, int number, int reserved, string flows) => string.Create(
        CultureInfo.InvariantCulture, $$"""
        ---
        kind: Domain
        name: {{name}}
        legalOwner: {name: Somebody, jurisdiction: CH}
        expires: 2036-01-01T00:00:00Z
        hosts: {operators: [operator], assurance: [software], jurisdictions: [CH]}
        machines: {images: [guest]}
        network: {subnets: [10.{{number}}.0.0/24], confidentiality: none, number: {{number}}}
        storage: {confidentiality: required}
        quota: {machines: 10, cpus: 40, memoryMiB: 4096, storageMiB: 16}
        reservation: {cpus: {{reserved}}, memoryMiB: 0}
        approvals: {takeover: 1}
        flows:
          {{flows}}

        """);

    private static string Machine(string name, int cpus, string placement, params (string Domain, int Number)[] nics) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"---\nkind: Compartment\nname: {name}\ncpus: {cpus}\nmemoryMiB: 64\nboot: {{image: guest}}\ndisks: []\n"
            + $"nics: [{string.Join(", ", nics.Select(nic => $"{{domain: {nic.Domain}, ipv4: 10.{nic.Number}.0.9}}"))}]"
            + $"\ndevices: [console]\nplacement: {placement}\n");
}
