using System.Globalization;
using System.Text.RegularExpressions;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Consequences;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Consequences;

/// <summary>
/// Of datacentres drawn by a seed: what is reported to run nowhere, admission refuses on every host, and what is not,
/// the planner places where nothing else runs.
/// </summary>
public sealed partial class PlaceabilityPropertyTests
{
    private static readonly string[] Files =
        ["hospital/records.yaml", "bank/web.yaml", "bank/ledger.yaml", "regulator/inspection.yaml"];

    [Fact]
    public void A_machine_is_reported_exactly_if_no_host_would_have_it_with_nothing_else_there()
    {
        int reported = 0, placed = 0;
        for (int seed = 0; seed < 300; seed++)
        {
            var example = Random(new Random(seed));
            var reading = example.Read();
            var datacentre = PolicyCheck.Run(reading).Datacentre;
            Finding[] findings = [.. PolicyConsequences.Of(reading.Documents, datacentre, Now).Where(one =>
                one.Code is FindingCode.NoHostForDomain or FindingCode.NoHostForMachine)];
            foreach (var machine in datacentre.Machinery.Compartments.Values)
            {
                bool isReported = IsReported(datacentre, findings, machine);
                bool isRefused = datacentre.Inventory.Hosts.Values.All(host =>
                    AdmissionControl.Decide(datacentre, machine.Ref, host.Ref, [], Now) is AdmissionVerdict.Refused);

                Assert.True(
                    isReported == isRefused, $"seed {seed}, {machine.Origin}: reported {isReported}, refused "
                    + $"{isRefused}\n{string.Join<Finding>('\n', findings)}");
                Assert.Equal((seed, isRefused), (seed, !IsPlacedAlone(example, machine)));
                (reported, placed) = isReported ? (reported + 1, placed) : (reported, placed + 1);
            }
        }

        // Both happened often, or nothing was tried.
        Assert.InRange(reported, 200, int.MaxValue);
        Assert.InRange(placed, 200, int.MaxValue);
    }

    /// <summary>By itself, by its domain's finding, or by that of a domain that lends it a volume.</summary>
    private static bool IsReported(
        CheckedDatacentre datacentre, IEnumerable<Finding> findings, CompartmentModel machine)
    {
        var origins = machine.Nics.Select(nic => new DomainRef(machine.Ref.Tenant, nic.Domain))
            .Concat(machine.Disks.Select(disk => datacentre.Machinery.Volumes[disk.Volume.ToString()].Colour))
            .Select(domain => datacentre.Domains[domain.ToString()].Origin).Append(machine.Origin).ToArray();
        var starts = datacentre.Domains.Values.Select(one => one.Origin)
            .Concat(datacentre.Machinery.Compartments.Values.Select(one => one.Origin))
            .Concat(datacentre.Machinery.Volumes.Values.Select(one => one.Origin)).ToArray();
        return findings.Any(finding => origins.Contains(starts
            .Where(one => one.File == finding.File && one.Line <= finding.Line).MaxBy(one => one.Line)));
    }

    /// <summary>The planner, where the other machines are not to run.</summary>
    private static bool IsPlacedAlone(Example example, CompartmentModel machine)
    {
        var datacentre = example.Check().Datacentre;
        var stopped = datacentre.Machinery.Compartments.Values.Where(one => one.Ref != machine.Ref)
            .Select(one => new PlacementProposal(one.Ref, Host("host-1"), Running: false)).ToArray();
        return PlacementPlanner.Propose(datacentre, stopped, [], PlacementTrust.Unquestioned, Now).Decisions
            .Single(decision => decision.Compartment == machine.Ref) is PlacementDecision.Placed;
    }

    private static Example Random(Random random)
    {
        var example = Example.ThreeTenants.WithFile("alpine/hosts.yaml", Hosts().Replace(
            Example.ThreeTenants.Files["alpine/hosts.yaml"], match => string.Create(CultureInfo.InvariantCulture,
                $"jurisdiction: {Pick(random, "CH", "DE", "FR")}\n"
                + $"assurance: {Pick(random, "software", "software-tpm")}\n{match.Groups[1].Value}"
                + $"capacity: {{cpus: {random.Next(4, 9)}, memoryMiB: {random.Next(5, 11) * 100}}}")));
        foreach (string file in Files)
        {
            string text = Placement().Replace(example.Files[file], _ =>
                $"placement: {Pick(random, "{}", "{hosts: [host-1]}", "{hosts: [host-2, host-3]}")}");
            text = Memory().Replace(text, _ => string.Create(CultureInfo.InvariantCulture,
                $"cpus: {random.Next(1, 8)}\nmemoryMiB: {random.Next(64, 900)}\nboot"));
            text = Countries().Replace(text, _ => $"jurisdictions: [{Pick(random, "CH", "CH, DE", "DE", "FR, DE")}]");
            text = Levels().Replace(text, _ =>
                $"assurance: [{Pick(random, "software", "software, software-tpm", "software-tpm")}]");
            text = Volumes().Replace(text, match => match.Value + Pick(
                random, "", "", "mount: {hosts: [host-1]}\n", "mount: {hosts: [host-2, host-3]}\n"));
            text = Quota().Replace(text, "quota: {machines: 9, cpus: 99, memoryMiB: 9999, storageMiB: 256}");
            text = text.Replace("reservation: {cpus: 1, memoryMiB: 128}", string.Create(CultureInfo.InvariantCulture,
                $"reservation: {{cpus: {random.Next(4)}, memoryMiB: {random.Next(600)}}}"), StringComparison.Ordinal);
            example = example.WithFile(file, text);
        }

        return example;
    }

    private static string Pick(Random random, params string[] from) => from[random.Next(from.Length)];

    [GeneratedRegex("jurisdiction: [A-Z]+\nassurance: software\n(.*\n)capacity: [^\n]*")]
    private static partial Regex Hosts();

    [GeneratedRegex("placement: \\{[^\n]*\\}")]
    private static partial Regex Placement();

    [GeneratedRegex("cpus: 1\nmemoryMiB: 112\nboot")]
    private static partial Regex Memory();

    [GeneratedRegex("jurisdictions: \\[[^\n]*\\]")]
    private static partial Regex Countries();

    [GeneratedRegex("assurance: \\[[^\n]*\\]")]
    private static partial Regex Levels();

    [GeneratedRegex("kind: Volume\n.*\n")]
    private static partial Regex Volumes();

    [GeneratedRegex("quota: [^\n]*")]
    private static partial Regex Quota();
}
