using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Consequences;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Consequences;

/// <summary>Machines that cannot all run: against admission itself, and against every way there is.</summary>
public sealed class CompaniesTests
{
    private static readonly string[] Codes = ["no-host-for-all", "too-few-hosts", "placement-contradicts"];

    public static TheoryData<string> Rows =>
        [.. ConsequenceRows.All.Where(row => Codes.Contains(row.Value.Code)).Select(row => row.Key)];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Admission_never_admits_together_what_is_said_not_to_run_together(string what)
    {
        var row = ConsequenceRows.All[what];

        Assert.False(CanAllRun(row.Wrong, row.File));
        Assert.True(CanAllRun(row.Mended, row.File));
    }

    [Fact]
    public void What_is_impossible_has_no_way_and_of_few_what_has_a_way_is_not_called_impossible()
    {
        var (impossible, possible) = (0, 0);
        for (int seed = 0; seed < 1_500; seed++)
        {
            var random = new Random(seed);
            ImmutableArray<HostModel> hosts = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Sample.Host with
            {
                CapacityCpus = random.Next(3, 8), CapacityMemoryMib = 1024,
            })];
            var bundles = Bundles(random, hosts);

            var found = new Places(hosts).Impossible(bundles);

            Assert.Equal((seed, found.IsEmpty), (seed, HasWay(hosts, bundles)));
            if (!found.IsEmpty)
            {
                impossible++;
                Assert.False(HasWay(hosts, found));
                Assert.All(found, bundle => Assert.True(HasWay(hosts, found.Remove(bundle))));
            }
            else
            {
                possible++;
            }
        }

        Assert.InRange(impossible, 100, int.MaxValue);
        Assert.InRange(possible, 100, int.MaxValue);
    }

    [Theory]
    [InlineData(40, 40, 0)]
    [InlineData(41, 40, 41)]
    [InlineData(900, 40, 41)]
    public void Of_many_that_must_all_be_apart_those_are_named_that_are_one_more_than_their_hosts(
        int machines, int count, int named)
    {
        ImmutableArray<HostModel> hosts = [.. Enumerable.Repeat(Sample.Host, count)];
        StatementName[] names = [.. Enumerable.Range(0, machines).Select(Name)];
        ImmutableArray<Bundle> bundles = [.. names.Select(name => new Bundle(
            [Sample.Machine(name, 1, [.. names.Where(other => other != name)])],
            (BigInteger.One << count) - 1))];

        Assert.Equal(named, new Places(hosts).Impossible(bundles).Length);
    }

    private static bool CanAllRun(Example example, string file)
    {
        var datacentre = example.Check().Datacentre;
        CompartmentRef[] machines = [.. datacentre.Machinery.Compartments.Values
            .Where(machine => machine.Origin.File == file).Select(machine => machine.Ref)];
        return Ways(machines.Length, 3).Any(way => AdmissionControl.DecideAll(
            datacentre,
            [.. machines.Select((machine, i) => new PlacementProposal(machine, Host($"host-{way[i] + 1}"), true))],
            Now).All(verdict => verdict is AdmissionVerdict.Admitted));
    }

    private static ImmutableArray<Bundle> Bundles(Random random, ImmutableArray<HostModel> hosts)
    {
        StatementName[] names = [.. Enumerable.Range(0, random.Next(2, 6)).Select(Name)];
        return
        [
            .. names.Select(name =>
            {
                var machine = Sample.Machine(
                    name, random.Next(1, 4), [.. names.Where(other => other != name && random.Next(2) == 0)]);
                var could = hosts.Aggregate((Bits: BigInteger.Zero, Host: BigInteger.One), (all, host) => (
                    random.Next(4) > 0 && machine.Cpus <= host.CapacityCpus ? all.Bits | all.Host : all.Bits,
                    all.Host << 1));
                return new Bundle([machine], could.Bits.IsZero ? BigInteger.One : could.Bits);
            }),
        ];
    }

    private static bool HasWay(ImmutableArray<HostModel> hosts, ImmutableArray<Bundle> bundles) =>
        Ways(bundles.Length, hosts.Length).Any(way =>
            bundles.Select((bundle, i) => !(bundle.Hosts >> way[i]).IsEven).All(one => one)
            && hosts.Select((host, at) => bundles.Where((_, i) => way[i] == at)
                .Sum(bundle => (long)bundle.Machines[0].Cpus) <= host.CapacityCpus).All(one => one)
            && !bundles.Where((one, i) => bundles.Where((two, j) =>
                j < i && way[i] == way[j] && one.IsApartFrom(two)).Any()).Any());

    private static IEnumerable<int[]> Ways(int machines, int hosts) =>
        Enumerable.Range(0, (int)Math.Pow(hosts, machines)).Select(number => Enumerable.Range(0, machines)
            .Select(i => number / (int)Math.Pow(hosts, i) % hosts).ToArray());

    private static StatementName Name(int number) =>
        StatementName.Parse(string.Create(CultureInfo.InvariantCulture, $"m-{number}"));

    /// <summary>A host and a machine of the example, as something else.</summary>
    private static class Sample
    {
        public static HostModel Host { get; } = Datacentre().Inventory.Hosts.Values.First();

        private static readonly CompartmentModel s_machine = Datacentre().Machinery.Compartments.Values.First();

        public static CompartmentModel Machine(StatementName name, int cpus, ImmutableArray<StatementName> apart) =>
            s_machine with
            {
                Ref = new CompartmentRef(s_machine.Ref.Tenant, name), Cpus = cpus,
                Placement = new PlacementDemand(null, apart, []),
            };
    }
}
