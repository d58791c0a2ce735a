using System.Text.RegularExpressions;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Admission;

public sealed partial class RoomsTests
{
    [Fact]
    public void Room_is_found_by_kinds_of_hosts_as_it_is_by_counting_each()
    {
        var (refused, full, let) = (0, 0, 0);
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var ground = AdmissionGround.Of(Tight(random), Now);
            var standing = Standing.Empty(ground);
            foreach (var proposal in Drawn(random))
            {
                var machine = ground.Datacentre.Machinery.Compartments[proposal.Compartment.ToString()];
                var host = ground.Datacentre.Inventory.Hosts[proposal.Host.ToString()];
                var refusals = new List<AdmissionRefusal>();
                Capacity.Add(refusals, AdmissionCase.Of(ground, machine, host), standing);
                var counted = CountedRooms.Against(ground, standing.Admitted, machine, host);
                if (counted is { } taken)
                {
                    Assert.Equal(
                        taken, refusals.Select(one => $"{one.Because?.Owner}/{one.Because?.Name}"));
                }
                else
                {
                    Assert.Equal(host.Origin, Assert.Single(refusals).Because);
                }

                (refused, full, let) = (
                    refused + (counted is { IsEmpty: false } ? 1 : 0), full + (counted is null ? 1 : 0),
                    let + (refusals.Count == 0 ? 1 : 0));
                if (refusals.Count == 0)
                {
                    standing.Count(new AdmissionVerdict.Admitted(proposal.Compartment, proposal.Host, []));
                }
            }
        }

        Assert.True(refused > 10 && full > 5 && let > 100, $"{refused} refused, {full} full, {let} let in");
    }

    /// <summary>The example with few processors on its hosts, and much of them reserved.</summary>
    private static CheckedDatacentre Tight(Random random)
    {
        var example = Example.ThreeTenants;
        foreach (var (file, text) in example.Files)
        {
            var changed = Reserved().Replace(text, _ => $"reservation: {{cpus: {random.Next(5)}, memoryMiB: 0}}");
            changed = Offered().Replace(changed, _ => $"capacity: {{cpus: {random.Next(3, 6)}, ");
            changed = Countries().Replace(changed, _ => random.Next(2) == 0 ? "[CH, DE]" : "[CH]");
            changed = Cpus().Replace(changed, _ => $"\ncpus: {random.Next(1, 3)}\n");
            example = example.WithFile(file, changed);
        }

        return Datacentre(example);
    }

    private static IEnumerable<PlacementProposal> Drawn(Random random)
    {
        var all = All.ToArray();
        random.Shuffle(all);
        return all.Select(one => one with { Host = Host($"host-{random.Next(3) + 1}") });
    }

    [GeneratedRegex("reservation: \\{[^}]*\\}")]
    private static partial Regex Reserved();

    [GeneratedRegex("\ncpus: [0-9]+\n")]
    private static partial Regex Cpus();

    [GeneratedRegex("capacity: \\{cpus: [0-9]+, ")]
    private static partial Regex Offered();

    [GeneratedRegex("(?<=jurisdictions: )\\[[A-Z, ]+\\]")]
    private static partial Regex Countries();
}
