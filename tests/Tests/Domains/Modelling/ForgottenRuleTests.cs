using System.Collections.Immutable;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>
/// A product that forgets a rule, or has it wrong, says something else than the naive model: each such product is found
/// in a random datacentre, by what is told here.
/// </summary>
public sealed class ForgottenRuleTests
{
    private const int Seeds = 150, Draws = 25;

    /// <summary>What the product has wrong, where that shows first, and the statements that it then acts by.</summary>
    private static readonly (string What, string Shows, Func<Sketch, Sketch> Wrong)[] Products =
    [
        ("information may come to whom it must not", "the matrix has", sketch => Demands(sketch, (demand, _) =>
            demand with { NotTo = [] })),
        ("only the first whom it must not come to counts", "the matrix has", sketch => Demands(sketch, (demand, _) =>
            demand with { NotTo = [.. demand.NotTo.Take(1)] })),
        ("information may come to any country", "the matrix has", sketch => Demands(sketch, (demand, _) =>
            demand with { Within = null })),
        ("the country of an owner does not count", "the matrix has", sketch => Domains(sketch, said =>
            said with { Owner = "CH" })),
        ("rivals may meet", "the matrix has", sketch => Demands(sketch, (demand, _) => demand with { Conflicts = [] })),
        ("rivals may not meet where it is kept either", "the matrix has", sketch => Demands(sketch, (demand, _) =>
            demand with { Keepers = [] })),
        ("everybody keeps what they learn", "the matrix has", sketch => Demands(sketch, (demand, domain) => demand with
        {
            Keepers = sketch.Domains.Keys.ToImmutableSortedSet().Except(demand.NotTo)
                .Except(demand.Conflicts.SelectMany(one => one)).Remove(domain),
        })),
        ("nothing is kept for who reserved it", "machines on", sketch => Domains(sketch, said =>
            said with { Asked = default })),
        ("processors are kept and memory is not", "machines on", sketch => Domains(sketch, said =>
            said with { Asked = said.Asked with { MemoryMib = 0 } })),
        ("a host's memory does not count", "machines on", sketch => sketch with
        {
            Hosts = sketch.Hosts.SetItems(sketch.Hosts.Select(host =>
                KeyValuePair.Create(host.Key, host.Value with { MemoryMib = 262_144 }))),
        }),
        ("a quota of processors does not count", "machines on", sketch => Quotas(sketch, quota =>
            quota with { Cpus = 400 })),
        ("a quota of memory does not count", "machines on", sketch => Quotas(sketch, quota =>
            quota with { MemoryMib = 262_144 })),
        ("a quota of storage does not count", "machines on", sketch => Quotas(sketch, quota =>
            quota with { StorageMib = 16_384 })),
        ("a machine may be away from whom it must be with", "machines on", sketch => Machines(sketch, said =>
            said with { TogetherWith = [] })),
        ("a machine must be apart from whom it must be with", "machines on", sketch => Machines(sketch, said =>
            said with { TogetherWith = said.ApartFrom, ApartFrom = said.TogetherWith })),
        ("a volume is opened for any image", "machines on", sketch => Volumes(sketch, said =>
            said with { OnlyImages = null })),
        ("a volume is opened on any host", "machines on", sketch => Volumes(sketch, said =>
            said with { OnlyOn = null })),
    ];

    public static TheoryData<string> Names => [.. Products.Select(product => product.What)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_product_that_forgets_a_rule_is_found_out(string what)
    {
        var (_, shows, wrong) = Products.Single(product => product.What == what);
        for (int seed = 0; seed < Seeds; seed++)
        {
            Sketch sketch = Drawn(seed), other = wrong(sketch);
            if (SketchText.InOne(other) != SketchText.InOne(sketch)
                && Difference(sketch, CheckedSketch.Of(other))?.StartsWith(shows, StringComparison.Ordinal) == true)
            {
                Assert.Null(Difference(sketch, CheckedSketch.Of(sketch)));
                return;
            }
        }

        Assert.Fail($"No datacentre shows that {what}.");
    }

    private static Sketch Drawn(int seed)
    {
        var random = new Random(seed);
        Sketch sketch = SketchDraw.Of(random, domains: 5, machines: 14, hosts: 3);
        for (int count = 0; count < Draws; count++)
        {
            sketch = RuleChanges.Draw(random, sketch).Apply(sketch);
        }

        return sketch;
    }

    private static string? Difference(Sketch sketch, CheckedSketch product) =>
        new Agreement(sketch, product, pairs: 150, sketch.Hosts.Keys.First()).Difference();

    private static Sketch Domains(Sketch sketch, Func<SketchedDomain, SketchedDomain> change) => sketch with
    {
        Domains = sketch.Domains.SetItems(sketch.Domains.Select(one =>
            KeyValuePair.Create(one.Key, change(one.Value)))),
    };

    private static Sketch Quotas(Sketch sketch, Func<SketchedQuota, SketchedQuota> change) =>
        Domains(sketch, said => said with { Quota = change(said.Quota) });

    /// <summary>A demand of which nothing is left is none.</summary>
    private static Sketch Demands(Sketch sketch, Func<SketchedDemand, string, SketchedDemand> change) => sketch with
    {
        Domains = sketch.Domains.SetItems(sketch.Domains.Where(one => one.Value.Information is not null).Select(one =>
            KeyValuePair.Create(one.Key, one.Value with
            {
                Information = change(one.Value.Information ?? new(), one.Key) is var left
                    && left is { NotTo.IsEmpty: true, Within: null, Conflicts.IsEmpty: true } ? null : left,
            }))),
    };

    private static Sketch Machines(Sketch sketch, Func<SketchedMachine, SketchedMachine> change) => sketch with
    {
        Machines = sketch.Machines.SetItems(sketch.Machines.Select(one =>
            KeyValuePair.Create(one.Key, change(one.Value)))),
    };

    private static Sketch Volumes(Sketch sketch, Func<SketchedVolume, SketchedVolume> change) => sketch with
    {
        Volumes = sketch.Volumes.SetItems(sketch.Volumes.Select(one =>
            KeyValuePair.Create(one.Key, change(one.Value)))),
    };
}
