using FsCheck;
using FsCheck.Experimental;
using FsCheck.Fluent;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>
/// After every random change of a random datacentre the product's flows, admissions, plans, traces and tables are what
/// a naive model of the rules says: flows and places by looking, tables for every packet.
/// </summary>
public sealed class AgreementTests
{
    [Fact]
    public void After_every_random_change_flows_places_traces_and_tables_are_what_a_naive_model_says() =>
        Run(new Machine(domains: 5, machines: 9, hosts: 3, most: 8), runs: 7, changes: 8);

    [Fact]
    [Trait("Category", "Slow")]
    public void After_thousands_of_random_changes_too() =>
        Run(new Machine(domains: 7, machines: 14, hosts: 4, most: 30), runs: 80, changes: 30);

    [Theory]
    [Trait("Category", "Slow")]
    [InlineData(1)]
    [InlineData(2)]
    public void After_hundreds_of_changes_of_a_datacentre_of_hundreds_of_domains_too(int seed)
    {
        var random = new Random(seed);
        Sketch sketch = SketchDraw.Of(random, domains: 200, machines: 1000, hosts: 20);
        var product = CheckedSketch.Of(sketch);
        for (int step = 0; step < 200; step++)
        {
            Change change = Changes.Draw(random, sketch);
            sketch = change.Apply(sketch);
            product.Become(sketch);
            // The tables of one host after the other.
            string host = sketch.Hosts.Keys.ElementAt(step % sketch.Hosts.Count);
            string? difference = new Agreement(sketch, product, pairs: 1000, host).Difference();
            Assert.True(difference is null, $"seed {seed}, step {step}, {change}: {difference}");
        }

        Assert.Null(new Agreement(sketch, product, pairs: 1000).Difference());
    }

    [Fact]
    public void A_product_that_had_other_statements_is_found_out()
    {
        for (int seed = 0; seed < 3; seed++)
        {
            Sketch sketch = SketchDraw.Of(new Random(seed), domains: 5, machines: 12, hosts: 3);
            var model = new NaiveModel(sketch);
            var unchanged = new Agreement(sketch, CheckedSketch.Of(sketch), pairs: 200);
            Assert.Null(unchanged.Difference());
            Assert.True(unchanged.Asked is { Open: > 10, Closed: > 50 }, $"seed {seed}: {unchanged.Asked}");
            foreach (var (words, other) in Others(sketch, model))
            {
                Assert.True(
                    new Agreement(sketch, CheckedSketch.Of(other), pairs: 200).Difference() is not null,
                    $"seed {seed}: nothing is different after {words}");
            }
        }
    }

    /// <summary>What becomes another datacentre by one statement, about one flow that is open.</summary>
    private static IEnumerable<(string Words, Sketch Other)> Others(Sketch sketch, NaiveModel model)
    {
        var (client, server, from, to) = (
            from one in model.Runs.Keys
            from other in model.Runs.Keys
            from nic in sketch.Machines[one].Nics
            from far in sketch.Machines[other].Nics
            where one != other && !sketch.Machines[one].IsIn(far.Domain) && !sketch.Machines[other].IsIn(nic.Domain)
                && model.IsAnyOpen(nic.Domain, far.Domain, one, other)
            // Between two hosts where there are such.
            orderby model.Runs[one] == model.Runs[other] ? 1 : 0
            select (one, other, nic.Domain, far.Domain)).First();
        SketchedDomain granting = sketch.Domains[from], accepting = sketch.Domains[to];
        var (here, there) = (model.Runs[client], model.Runs[server]);
        Sketch With(string domain, SketchedDomain said) => sketch with
        {
            Domains = sketch.Domains.SetItem(domain, said),
        };
        return
        [
            ("the grants go", With(from, granting with { Grants = [] })),
            ("the acceptances go", With(to, accepting with { Accepts = [] })),
            ("they are for nobody", With(to, accepting with
            {
                Accepts = [.. accepting.Accepts.Select(term => term with { Only = ["nobody"] })],
            })),
            ("its domain expires", With(from, granting with { Expiry = Expiry.Now })),
            ("its domain takes no image", With(to, accepting with { Images = ["other"] })),
            ("the two have the same addresses", With(to, accepting with { Block = granting.Block })),
            ("nobody has room", With(to, accepting with { Quota = accepting.Quota with { Machines = 0 } })),
            ("the server is gone", sketch with { Machines = sketch.Machines.Remove(server) }),
            ("the client stops", sketch with { Places = sketch.Places.Remove((client, here)) }),
            ("the tenant leaves", sketch with { Left = [Sketch.TenantOf(server)] }),
            ("the host is in a country that nobody takes", sketch with
            {
                Hosts = sketch.Hosts.SetItem(there, new SketchedHost("FR", 40)),
            }),
            .. here == there ? Array.Empty<(string, Sketch)>() : [("the host is in doubt", sketch with
            {
                Doubts = sketch.Doubts.SymmetricExcept([(there, to)]),
            })],
            ("the host is gone", sketch with { Hosts = sketch.Hosts.Remove(there), Links = [] }),
            ("the host has no room", sketch with
            {
                Hosts = sketch.Hosts.SetItem(there, new SketchedHost(sketch.Hosts[there].Country, 0)),
            }),
        ];
    }

    private static void Run(Machine machine, int runs, int changes) => machine.ToProperty()
        .Check(Config.QuickThrowOnFailure.WithMaxTest(runs).WithStartSize(changes).WithEndSize(changes));

    /// <summary>A datacentre as FsCheck changes it: the product beside the sketch that the model reads.</summary>
    private sealed class Machine(int domains, int machines, int hosts, int most)
        : Machine<CheckedSketch, Sketch>(most)
    {
        public override Arbitrary<Setup<CheckedSketch, Sketch>> Setup => Arb.From(
            Gen.Choose(0, int.MaxValue - 1).Select<int, Setup<CheckedSketch, Sketch>>(seed =>
                new Start(SketchDraw.Of(new Random(seed), domains, machines, hosts), seed)));

        public override Gen<Operation<CheckedSketch, Sketch>> Next(Sketch model) =>
            Gen.Choose(0, int.MaxValue - 1).Select<int, Operation<CheckedSketch, Sketch>>(seed =>
                new Step(Changes.Draw(new Random(seed), model)));
    }

    private sealed class Start(Sketch sketch, int seed) : Setup<CheckedSketch, Sketch>
    {
        public override CheckedSketch Actual() => CheckedSketch.Of(sketch);

        public override Sketch Model() => sketch;

        public override string ToString() => $"datacentre {seed}";
    }

    private sealed class Step(Change change) : Operation<CheckedSketch, Sketch>
    {
        public override Sketch Run(Sketch model) => change.Apply(model);

        public override Property Check(CheckedSketch actual, Sketch model)
        {
            actual.Become(model);
            string? difference = new Agreement(model, actual, pairs: 150).Difference();
            return (difference is null).ToProperty().Label($"{difference}\n{SketchText.InOne(model)}");
        }

        public override string ToString() => change.Words;
    }
}
