using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Lab.Datacentres;
using Bailiwick.Ledger.Statements;
using Bailiwick.Tests.Domains.Policy;

namespace Bailiwick.Tests.Domains.Refinement;

public sealed class RefinedAfterTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void After_any_sequence_of_changes_all_plans_are_those_of_a_refinement_of_everything(int seed)
    {
        var drawn = new GeneratedDatacentre(new DatacentreShape(16, 80, 8, 5, seed));
        var random = new Random(seed);
        ImmutableArray<HostRef> hosts = [.. Enumerable.Range(0, 8).Select(GeneratedDatacentre.Host)];
        var run = new Course(hosts, drawn.Read().Documents, drawn.Proposals);
        var removed = new Stack<PolicyDocument>();
        for (var step = 0; step < 60; step++)
        {
            var (domain, peer) = (random.Next(16), random.Next(16));
            switch (random.Next(7))
            {
                case 0:
                    run.Step([drawn.WithFlow(domain, peer, random.Next(1, 65_536))], [], [], []);
                    break;
                case 1:
                    run.Step([drawn.WithAccepted(domain, peer, random.Next(1, 65_536))], [], [], []);
                    break;
                case 2:
                    var (statement, proposal) = drawn.OneMore(domain, random.Next(20));
                    run.Step([statement], [], [proposal], []);
                    break;
                case 3:
                    var gone = run.Proposals[random.Next(run.Proposals.Count)];
                    run.Step([], [], [], [gone]);
                    break;
                case 4:
                    var moved = run.Proposals[random.Next(run.Proposals.Count)];
                    run.Step([], [], [moved with { Host = hosts[random.Next(8)] }], [moved]);
                    break;
                case 5 when removed.Count > 0:
                    run.Step([removed.Pop()], [], [], []);
                    break;
                default:
                    removed.Push(run.Documents.Where(one => one.Origin.Kind
                        is StatementKind.Domain or StatementKind.Compartment or StatementKind.Volume)
                        .ElementAt(random.Next(90)));
                    run.Step([], [removed.Peek()], [], []);
                    break;
            }
        }

        Assert.True(run.Parts > 20, $"only {run.Parts} of 60 changes were looked at alone");
        Assert.True(run.Untouched > 20, $"only {run.Untouched} plans were not touched");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void So_they_are_where_statements_are_in_each_others_way_and_little_is_admitted(int seed) =>
        InEachOthersWay(seed, new RandomStatements(seed, isCalm: true));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void So_they_are_where_room_is_reserved_and_few_have_a_VLAN(int seed) =>
        InEachOthersWay(seed, new RandomStatements(seed, isCalm: true, isShared: true));

    private static void InEachOthersWay(int seed, RandomStatements statements)
    {
        var random = new Random(seed);
        ImmutableArray<HostRef> hosts =
            [.. Enumerable.Range(0, 3).Select(host => new HostRef(
                PartyId.Unsigned("alpine"), StatementName.Parse($"h{host}")))];
        var documents = RandomStatements.Subjects.ToDictionary(subject => subject, statements.Statement);
        var run = new Course(hosts, documents.Values, []);
        for (var step = 0; step < 250; step++)
        {
            var subject = statements.Subject();
            documents.Remove(subject, out var gone);
            ImmutableArray<PolicyDocument> come = [];
            if (!statements.Removes())
            {
                come = [documents[subject] = statements.Statement(subject)];
            }

            var machine = new PlacementProposal(
                new CompartmentRef(
                    PartyId.Unsigned(random.Next(2) == 0 ? "bank" : "care"),
                    StatementName.Parse($"m{random.Next(7)}")),
                hosts[random.Next(3)], Running: true);
            ImmutableArray<PlacementProposal> others =
            [.. run.Proposals.Where(one => one.Compartment == machine.Compartment)];
            run.Step(
                come, come.IsEmpty && gone is not null ? [gone] : [],
                random.Next(4) == 0 ? [] : [machine], random.Next(8) == 0 ? [] : others);
        }

        Assert.True(run.Parts > 20, $"only {run.Parts} of 250 changes were looked at alone");
        Assert.True(run.Admitted > 40, $"only {run.Admitted} machines were ever in a plan");
    }

    [Fact]
    public void What_was_short_before_has_everything_judged_anew_only_where_it_is_touched()
    {
        var drawn = new GeneratedDatacentre(new DatacentreShape(16, 80, 8, 5, Seed: 1));
        var machine = drawn.Proposals[3];
        // Larger than any host.
        var large = drawn.Files.Select(file => (file.Path, Text: Regex.Replace(
            file.Text, $"(name: {machine.Compartment.Name}\\s+cpus:) [0-9]+", "$1 60"))).ToArray();
        var datacentre = PolicyCheck.Run(PolicyDocuments.ReadYaml(
            large.Select(file => (file.Path, (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(file.Text))), drawn.Names))
            .Datacentre;
        Assert.Contains(datacentre.Domains.Values, domain => domain.Reservation.Cpus > 0);
        var refined = Refine.Of(datacentre, drawn.Proposals, Now);
        Assert.Contains(refined.ForHost(machine.Host).Refused.SelectMany(one => one.Refusals), refusal =>
            refusal.Code == AdmissionRefusalCode.HostFull);

        var next = PolicyCheck.After(datacentre, [drawn.WithFlow(13, 14, 4_000)]).Datacentre;
        var elsewhere = drawn.Proposals.Last(one => one.Host != machine.Host
            && one.Compartment.Tenant != machine.Compartment.Tenant);
        var after = refined.After(next, [], [elsewhere], Now);
        Assert.NotNull(after.Touched);
        var own = Enumerable.Range(0, 16).First(domain => drawn.Domain(domain) == new DomainRef(
            machine.Compartment.Tenant,
            datacentre.Machinery.Compartments[machine.Compartment.ToString()].Nics[0].Domain));
        var changed = PolicyCheck.After(datacentre, [drawn.WithFlow(own, 14, 4_001)]).Datacentre;
        Assert.NotNull(refined.After(changed, [], [], Now).Touched);
        var beside = drawn.Proposals.Last(one => one.Host == machine.Host && one != machine);
        Assert.Null(refined.After(next, [], [beside], Now).Touched);
        var anew = Refine.Of(next, [.. drawn.Proposals.Except([elsewhere])], Now);
        Assert.All(Enumerable.Range(0, 8).Select(GeneratedDatacentre.Host), host =>
            Assert.Equal(Text(anew.ForHost(host)), Text(after.ForHost(host))));
    }

    [Fact]
    public void What_expires_between_two_changes_has_expired_after_the_second()
    {
        var drawn = new GeneratedDatacentre(new DatacentreShape(4, 12, 2, 3, Seed: 4));
        var datacentre = PolicyCheck.Run(drawn.Read()).Datacentre;
        var refined = Refine.Of(datacentre, drawn.Proposals, Now);
        var host = GeneratedDatacentre.Host(0);
        Assert.Empty(refined.ForHost(host).Refused);
        var late = datacentre.Domains.Values.Max(domain => domain.Expires);
        var after = refined.After(datacentre, [], [], late).ForHost(host);
        Assert.NotEmpty(after.Refused);
        Assert.Equal(Text(Refine.Of(datacentre, drawn.Proposals, late).ForHost(host)), Text(after));
    }

    private static string Text(HostPlan plan) => Encoding.UTF8.GetString(PlanJson.Write(plan));

    /// <summary>One change after the other, each looked at from the one before and from nothing.</summary>
    private sealed class Course
    {
        private readonly ImmutableArray<HostRef> _hosts;
        private readonly Random _random = new(1);
        private CheckedDatacentre _datacentre;
        private RefinedDatacentre _refined;
        private Dictionary<HostRef, HostPlan> _plans = [];

        public Course(
            ImmutableArray<HostRef> hosts, IEnumerable<PolicyDocument> documents,
            IEnumerable<PlacementProposal> proposals)
        {
            _hosts = hosts;
            Documents.AddRange(documents);
            Proposals.AddRange(proposals);
            _datacentre = PolicyCheck.Run(Documents).Datacentre;
            _refined = Refine.Of(_datacentre, Proposals, Now);
            _plans = hosts.ToDictionary(host => host, _refined.ForHost);
        }

        public List<PolicyDocument> Documents { get; } = [];

        public List<PlacementProposal> Proposals { get; } = [];

        /// <summary>How many changes were looked at alone.</summary>
        public int Parts { get; private set; }

        /// <summary>How many plans no change was said to touch.</summary>
        public int Untouched { get; private set; }

        /// <summary>How many machines were in plans.</summary>
        public int Admitted { get; private set; }

        public void Step(
            ImmutableArray<PolicyDocument> changed, ImmutableArray<PolicyDocument> removed,
            ImmutableArray<PlacementProposal> come, ImmutableArray<PlacementProposal> gone)
        {
            Documents.RemoveAll(one => changed.Concat(removed).Any(other => Subject(other) == Subject(one)));
            Documents.AddRange(changed);
            Proposals.RemoveAll(gone.Contains);
            Proposals.AddRange(come.Except(Proposals));
            if (!changed.IsEmpty || !removed.IsEmpty)
            {
                _datacentre = PolicyCheck.After(_datacentre, changed, removed).Datacentre;
            }

            _refined = _refined.After(_datacentre, come, gone, Now);
            var anew = Refine.Of(PolicyCheck.Run(Documents).Datacentre, Proposals, Now);
            Parts += _refined.Touched is null ? 0 : 1;
            // Some hosts ask after each change, some after several: their plans are then of long before.
            foreach (var host in _hosts.Where(_ => _random.Next(4) > 0))
            {
                var (plan, expected) = (_refined.ForHost(host), anew.ForHost(host));
                Assert.Equal(Text(expected), Text(plan));
                Admitted += plan.Domains.Sum(domain => domain.Compartments.Length);
                if (_refined.Touched?.Contains(host) == false)
                {
                    Untouched++;
                }

                _plans[host] = plan;
            }

            foreach (var host in _hosts.Where(host => _refined.Touched?.Contains(host) == false))
            {
                Assert.Equal(Text(anew.ForHost(host)), Text(_refined.ForHost(host)));
            }
        }

        private static string Subject(PolicyDocument one) =>
            $"{one.Origin.Kind} {one.Origin.Owner}/{(one.Origin.Kind.IsRoot() ? "" : one.Origin.Name.Text)}";
    }
}
