using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>
/// A product that forgets a rule, or has it wrong, says something else than the naive model: each such product is found
/// in a random datacentre, by what is told here.
/// </summary>
public sealed class ForgottenRuleTests
{
    private const int Seeds = 400, Draws = 30;

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
        ("a host's memory does not count", "machines on", sketch => Hosts(sketch, said =>
            said with { MemoryMib = 262_144 })),
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
        ("no host carries VLANs", "members behind the wires of", sketch => Hosts(sketch, said =>
            said with { Vlans = null })),
        ("every number of a VLAN is the segment's", "members behind the wires of", sketch => sketch with
        {
            Links = [.. sketch.Links.Select(link => link.Numbers is null ? link : link with
            {
                Numbers = new VlanNumbers(1, 4_094),
            })],
        }),
        ("who has a part of the uplink has a VLAN too", "members behind the wires of", sketch => Domains(sketch, said =>
            said with { Bandwidth = null })),
        ("a reservation of the uplink does not count", "parts of the uplink of", sketch => Domains(sketch, said =>
            said with { Bandwidth = said.Bandwidth is { } part ? part with { Reserve = 1 } : null })),
        ("a limit of the uplink does not count", "parts of the uplink of", sketch => Domains(sketch, said =>
            said with { Bandwidth = said.Bandwidth is { } part ? part with { Limit = null } : null })),
        ("who asks for more gets more than an equal part", "parts of the uplink of", sketch => Hosts(sketch, said =>
            said with { UplinkMbit = said.UplinkMbit * 10 })),
        ("nobody is told addresses by hosts", "services of", sketch => Domains(sketch, said =>
            said with { AddressesBy = said.AddressesBy == "host" ? "none" : said.AddressesBy })),
        ("nobody is told names", "services of", sketch => Domains(sketch, said => said with { TellsNames = false })),
        ("no machine may tell the others", "who tells", sketch => Domains(sketch, said =>
            said with { AddressesBy = said.AddressesBy == "host" ? "host" : "none" })),
    ];

    /// <summary>What is wrong with plans, where that shows first, and how.</summary>
    private static readonly (string What, string Shows, Func<HostPlan, HostPlan> Wrong)[] Plans =
    [
        ("hosts do not agree on a VLAN's number", "the VLAN", plan => Networks(plan, net => net with
        {
            Vlan = net.Vlan is { } own ? own with { Number = own.Number + plan.Host.Name.Text.Last() - '0' } : null,
        })),
        ("all have one VLAN", "the VLAN", plan => Networks(plan, net => net with
        {
            Vlan = net.Vlan is { } own ? own with { Number = 100 } : null,
        })),
        ("a VLAN is left to whoever hears it", "members behind the wires of", plan => Networks(plan, net => net with
        {
            Peers = [.. net.Peers.Select(peer => peer.Protection != LinkProtection.Clear ? peer : peer with
            {
                Protection = LinkProtection.Vlan,
            })],
        })),
        ("a domain pays for the other's passage", "networks that count", plan => plan.Uplink is { } uplink
            ? plan with { Uplink = uplink with { Parts = [.. uplink.Parts.Select(part => part with
            {
                Networks = [.. part.Networks, .. plan.Passages.Select(passage => passage.Network.Number)],
            })] } } : plan),
        ("nobody pays for a passage", "networks that count", plan => plan.Uplink is { } uplink
            ? plan with { Uplink = uplink with { Parts = [.. uplink.Parts.Select(part => part with
            {
                Networks = [.. part.Networks.Except(plan.Passages.Select(passage => passage.Network.Number))],
            })] } } : plan),
        ("a machine is told no IPv6 address", "addresses that", plan => Points(plan, point => point with
        {
            Machines = [.. point.Machines.Select(one => one with { Ipv6 = null })],
        })),
        ("a machine of the host is told nothing", "addresses that", plan => Points(plan, point => point with
        {
            Machines = point.Machines[1..],
        })),
        ("a name leads to another's address", "names that", plan => Points(plan, point => point.Names.Length < 2
            ? point : point with
            {
                Names = [.. point.Names.Select(one => one with { Addresses = point.Names[0].Addresses })],
            })),
        ("a name of another domain is not known", "names that", plan => Points(plan, point => point with
        {
            Names = [.. point.Names.Where(one => one.Names[^1].EndsWith(point.Zone, StringComparison.Ordinal))],
        })),
        ("anybody may tell others addresses", "who tells", plan => plan with
        {
            Domains = [.. plan.Domains.Select(domain => domain with
            {
                AddressServer = domain.Network.Ports[0].Member,
            })],
        }),
    ];

    public static TheoryData<string> Names => [.. Products.Select(product => product.What)];

    public static TheoryData<string> PlanNames => [.. Plans.Select(plan => plan.What)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_product_that_forgets_a_rule_is_found_out(string what)
    {
        var (_, shows, wrong) = Products.Single(product => product.What == what);
        Find(what, shows, sketch => wrong(sketch) is var other && SketchText.InOne(other) != SketchText.InOne(sketch)
            ? CheckedSketch.Of(other) : null);
    }

    [Theory]
    [MemberData(nameof(PlanNames))]
    public void A_plan_that_breaks_a_rule_is_found_out(string what)
    {
        var (_, shows, wrong) = Plans.Single(plan => plan.What == what);
        Find(what, shows, sketch => CheckedSketch.Of(sketch).With(wrong));
    }

    /// <summary>Some datacentre shows it, and nothing in that datacentre is wrong otherwise.</summary>
    private static void Find(string what, string shows, Func<Sketch, CheckedSketch?> wrong)
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Sketch sketch = Drawn(seed);
            if (wrong(sketch) is { } product
                && Difference(sketch, product)?.StartsWith(shows, StringComparison.Ordinal) == true)
            {
                string? otherwise = Difference(sketch, CheckedSketch.Of(sketch));
                Assert.True(otherwise is null, $"seed {seed}: {otherwise}\n{SketchText.InOne(sketch)}");
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

    private static Sketch Hosts(Sketch sketch, Func<SketchedHost, SketchedHost> change) => sketch with
    {
        Hosts = sketch.Hosts.SetItems(sketch.Hosts.Select(one => KeyValuePair.Create(one.Key, change(one.Value)))),
    };

    private static HostPlan Networks(HostPlan plan, Func<NetworkPlan, NetworkPlan> change) => plan with
    {
        Domains = [.. plan.Domains.Select(domain => domain with { Network = change(domain.Network) })],
    };

    private static HostPlan Points(HostPlan plan, Func<ServicePointPlan, ServicePointPlan> change) => plan with
    {
        Domains = [.. plan.Domains.Select(domain => domain with
        {
            ServicePoint = domain.ServicePoint is { } point ? change(point) : null,
        })],
    };
}
