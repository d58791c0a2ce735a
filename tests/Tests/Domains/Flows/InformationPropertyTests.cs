using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using FsCheck;
using FsCheck.Fluent;

namespace Bailiwick.Tests.Domains.Flows;

/// <summary>
/// Demands drawn by a seed, over flows drawn by it, against a model that tries every way over a list of edges.
/// </summary>
public sealed class InformationPropertyTests
{
    [Fact]
    public void Every_demand_holds_and_a_flow_is_closed_exactly_if_one_of_its_ends_demands_it()
    {
        int closed = 0, open = 0, demands = 0;
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var land = Landscape.Random(seed);
            Flow[] wanted = Flows(land.Check());
            Wish[] wishes = Wish.Draw(land, new Random(seed));
            var result = land.Check();
            string[] left = [.. Flows(result).Select(flow => flow.Text)];
            HashSet<(string, string)> after = [.. Flows(result).SelectMany(flow => flow.Edges), .. Joined(result)];

            Assert.All(wishes, wish => Assert.False(wish.IsViolated(after), $"{seed}: {wish}"));
            foreach (Flow flow in wanted)
            {
                bool demanded = wishes.Any(wish => flow.Touches(wish.Of) && wish.IsViolated(
                    [.. wanted.Where(one => !one.Touches(wish.Of)).Append(flow).SelectMany(one => one.Edges)]));
                Assert.True(demanded != left.Contains(flow.Text), $"{seed}: {flow.Text}");
                (closed, open) = demanded ? (closed + 1, open) : (closed, open + 1);
            }

            Assert.Equal(
                wishes.Any(wish => wish.IsViolated([.. wanted.SelectMany(one => one.Edges)])),
                result.Findings.Any(IsOfInformation));
            demands += wishes.Length;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(150));
        Assert.True(closed > 50 && open > 50 && demands > 100, $"{closed} closed, {open} open, {demands} demands");
    }

    [Fact]
    public void The_order_of_the_documents_changes_no_closing_and_no_finding()
    {
        int found = 0;
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed =>
        {
            var land = Landscape.Random(seed);
            _ = Wish.Draw(land, new Random(seed));
            PolicyDocument[] documents = [.. land.Read().Documents];
            var result = PolicyCheck.Run(documents);
            new Random(seed).Shuffle(documents);
            Assert.Equal(Text(result), Text(PolicyCheck.Run(documents)));
            found += result.Findings.Count(IsOfInformation);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(50));
        Assert.True(found > 20, $"{found} findings");

        static string Text(PolicyCheckResult result) =>
            string.Join('\n', [.. result.Findings.Select(one => $"{one}"), .. Flows(result).Select(one => one.Text)]);
    }

    [Fact]
    public void No_mutation_of_a_demand_throws_or_touches_another_owners_domains()
    {
        const string Demand =
            "{notTo: [b/yard, c/z], jurisdictions: [CH, DE], keepers: [b/k], "
            + "conflicts: [{class: oil, with: [c/z, c/u]}]}";
        string[] spoils =
            ["", "x", "[", "]", "{", "}", ",", ": ", "[]", "{}", "a/x", "b/", "/", "0", "~", "null", "\n"];
        int refused = 0;
        Assert.True(IsTaken(Demand));
        Prop.ForAll((
            from at in Gen.Choose(0, Demand.Length - 1)
            from cut in Gen.Choose(0, Math.Min(14, Demand.Length - at))
            from spoil in Gen.Elements(spoils)
            select string.Concat(Demand.AsSpan(0, at), spoil, Demand.AsSpan(at + cut))).ToArbitrary(), text =>
            refused += IsTaken(text) ? 0 : 1).Check(Config.QuickThrowOnFailure.WithMaxTest(300));
        Assert.True(refused > 30, $"{refused} refused");

        static bool IsTaken(string text)
        {
            var result = new Landscape().Domain("a/x", information: text).Domain("b/yard").Domain("b/k").Domain("c/z")
                .Domain("c/u").Network("a/x", "b/k").Network("b/k", "c/z").Volume("b/yard", "c/u").Check();
            FlowMatrix.Of(result.Datacentre);
            bool isTaken = result.Datacentre.Domains.Values.Any(domain => domain.Ref.Name.Text == "x");
            Assert.True(isTaken || result.Findings.Length > 0, text);
            Assert.Equal(4, result.Datacentre.Domains.Values.Count(domain => domain.Ref.Name.Text != "x"));
            Assert.Equal(
                ["b/k>c/z Network", "b/yard>c/u Volume"],
                Flows(result).Where(flow => !flow.Touches("a/x")).Select(flow => flow.Text));
            return isTaken;
        }
    }

    private static bool IsOfInformation(Finding finding) => finding.Code
        is FindingCode.InformationReaches or FindingCode.JurisdictionReached or FindingCode.ConflictOfInterest;

    private static Flow[] Flows(PolicyCheckResult result) => [.. FlowMatrix.Of(result.Datacentre).Open.Select(open =>
        new Flow(
            FlowMatrix.Display(open.Sides.Grant.Domain), FlowMatrix.Display(open.Sides.Accept.Domain),
            open.Resource is not FlowResource.Volume { Access: VolumeAccess.Read },
            open.Resource.GetType().Name))];

    private static IEnumerable<(string, string)> Joined(PolicyCheckResult result) =>
        from machine in result.Datacentre.Machinery.Compartments.Values
        from one in machine.Nics
        from other in machine.Nics
        where one.Domain != other.Domain
        select ($"{machine.Origin.OwnerName}/{one.Domain}", $"{machine.Origin.OwnerName}/{other.Domain}");

    private sealed record Flow(string From, string To, bool IsMutual, string What)
    {
        public string Text => $"{From}>{To} {What}";

        public (string, string)[] Edges => IsMutual ? [(From, To), (To, From)] : [(From, To)];

        public bool Touches(string domain) => From == domain || To == domain;
    }

    /// <summary>What one domain demands, by the words of its statement.</summary>
    internal sealed record Wish(
        string Of, string[] NotTo, string[] Countries, string[] Keepers, string[] Rivals, Landscape Land)
    {
        public static Wish[] Draw(Landscape land, Random random)
        {
            var wishes = new List<Wish>();
            foreach (string domain in land.Domains.Where(_ => random.Next(2) == 0))
            {
                string[] others = [.. land.Domains.Where(one => one != domain)];
                random.Shuffle(others);
                var wish = new Wish(
                    domain, others[..random.Next(2)],
                    random.Next(3) == 0 ? [.. land.Countries(domain).Append("DE").Distinct()] : [],
                    others[1..(1 + random.Next(others.Length > 1 ? 2 : 1))],
                    others.Length > 2 && random.Next(2) == 0 ? others[2..3] : [], land);
                string[] parts =
                [
                    .. List("notTo", wish.NotTo), .. List("jurisdictions", wish.Countries),
                    .. wish.Rivals.Select(rival => $"conflicts: [{{class: c, with: [{rival}]}}]"),
                ];
                if (parts.Length > 0)
                {
                    land.Demand(domain, $"{{{string.Join(", ", [.. parts, .. List("keepers", wish.Keepers)])}}}");
                    wishes.Add(wish);
                }
            }

            return [.. wishes];
        }

        public bool IsViolated(HashSet<(string From, string To)> edges)
        {
            var own = Reached(edges, Of);
            return own.Any(one => NotTo.Contains(one)
                    || (Countries.Length > 0 && one != Of && Land.Countries(one).Except(Countries).Any()))
                || Rivals.Select(rival => Reached(edges, rival)).Any(his =>
                    his.Any(one => own.Contains(one) && !Keepers.Contains(one)));
        }

        private HashSet<string> Reached(HashSet<(string From, string To)> edges, string from)
        {
            var reached = new HashSet<string>();
            Visit(from);
            return reached;

            void Visit(string at)
            {
                if (reached.Add(at) && (at == from || !Keepers.Contains(at)))
                {
                    foreach (var edge in edges.Where(edge => edge.From == at))
                    {
                        Visit(edge.To);
                    }
                }
            }
        }

        private static IEnumerable<string> List(string name, string[] of) =>
            of.Length == 0 ? [] : [$"{name}: [{string.Join(", ", of)}]"];
    }
}
