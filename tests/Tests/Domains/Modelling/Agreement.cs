using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Tracing;
using Bailiwick.Domains.Verification;
using Bailiwick.Tests.Domains.Verification;
using static Bailiwick.Tests.Domains.ExamplePlacements;

namespace Bailiwick.Tests.Domains.Modelling;

/// <summary>
/// Whether the product and the naive model say the same of one state: the matrix of flows, who is admitted where, the
/// plans' members and wires, traced packets, and the tables of every host, these for all packets.
/// </summary>
/// <param name="sketch">What is stated.</param>
/// <param name="product">What the product made of it.</param>
/// <param name="pairs">How many pairs of machines are asked about; all where there are no more.</param>
/// <param name="host">The host whose tables are proven; null for all.</param>
internal sealed class Agreement(Sketch sketch, CheckedSketch product, int pairs, string? host = null)
{
    private readonly NaiveModel _model = new(sketch);
    private readonly Dictionary<string, string> _tenants = sketch.Tenants.ToDictionary(
        name => Machine($"{name}/x").Tenant.ToString(), StringComparer.Ordinal);

    /// <summary>How many connections that were asked about are open, and how many closed.</summary>
    public (int Open, int Closed) Asked { get; private set; }

    /// <summary>The first thing of which they say different things, for people; null for none.</summary>
    public string? Difference() => Statements() ?? Matrix() ?? Volumes() ?? Places() ?? Wires()
        ?? new ServiceAgreement(sketch, _model, product.Refined, Name).Difference() ?? Traces() ?? Tables();

    private string? Statements() =>
        Same("domains", product.Datacentre.Domains.Values.Select(domain => Name(domain.Ref)), sketch.Domains.Keys)
        ?? Same("machines described", product.Datacentre.Machinery.Compartments.Values.Select(Name), _model.Described);

    private string? Matrix()
    {
        FlowMatrix matrix = FlowMatrix.Of(product.Datacentre);
        foreach (var (from, to) in Some([.. _model.Described.Order(StringComparer.Ordinal)]))
        {
            FlowExpectation expected = matrix.Expect(Machine(from), Machine(to));
            bool isOneDomain = sketch.Machines[from].Nics.Any(nic => sketch.Machines[to].IsIn(nic.Domain));
            foreach (Asked asked in Questions(from, to))
            {
                bool says = expected switch
                {
                    FlowExpectation.Everything => true,
                    FlowExpectation.Only only => only.Flows.Any(flow => Covers(flow.Resource, asked)),
                    _ => false,
                };
                bool model = isOneDomain || sketch.Machines[from].Nics.Any(one => sketch.Machines[to].Nics.Any(other =>
                    _model.IsOpen(one.Domain, other.Domain, from, to, asked)));
                if (says != model)
                {
                    return $"the matrix has {from} to {to}, {asked} {Word(says)}, the model {Word(model)}";
                }
            }
        }

        return null;
    }

    private string? Volumes()
    {
        FlowMatrix matrix = FlowMatrix.Of(product.Datacentre);
        foreach (VolumeModel volume in product.Datacentre.Machinery.Volumes.Values)
        {
            foreach (string machine in _model.Described)
            {
                foreach (VolumeAccess access in new[] { VolumeAccess.Read, VolumeAccess.Write })
                {
                    string name = $"{volume.Origin.OwnerName}/{volume.Ref.Name}";
                    bool says = matrix.Lending(volume, Machine(machine), access) is not null;
                    if (says != _model.Lends(name, machine, access == VolumeAccess.Write))
                    {
                        return $"the matrix lends {name} to {machine} for {access}: {says}; the model does not agree";
                    }
                }
            }
        }

        return null;
    }

    /// <summary>Who is admitted where, by the plans of all hosts, and who is a member of which domain there.</summary>
    private string? Places()
    {
        foreach (HostPlan plan in product.Plans)
        {
            string host = plan.Host.Name.Text;
            string[] here = [.. _model.Runs.Where(one => one.Value == host).Select(one => one.Key)];
            string? difference = Same($"machines on {host}", plan.Domains.SelectMany(domain => domain.Compartments)
                    .Select(machine => machine.DisplayName), here)
                ?? Same($"ports on {host}", plan.Domains.SelectMany(domain => domain.Network.Ports.Select(port =>
                    $"{Name(port.Member.Ref)} in {Name(domain.Domain)}")), Ports(here))
                ?? Same($"refused on {host}", plan.Refused.Select(refused => Name(refused.Compartment)),
                    sketch.Places.Where(place => place.Host == host && !here.Contains(place.Machine))
                        .Select(place => place.Machine));
            if (difference is not null)
            {
                return difference;
            }
        }

        return null;
    }

    private IEnumerable<string> Ports(IEnumerable<string> machines) => machines.SelectMany(machine =>
        sketch.Machines[machine].Nics.Select(nic => $"{machine} in {nic.Domain}"));

    /// <summary>What each host's switches and passages lead to, and what of it is ciphertext.</summary>
    private string? Wires()
    {
        var ends = _model.Runs.SelectMany(one => sketch.Machines[one.Key].Nics.Select(nic =>
            (Machine: one.Key, Host: one.Value, nic.Domain))).ToArray();
        var members = ends.ToLookup(end => end.Domain);
        var open = sketch.Domains.SelectMany(domain => domain.Value.Grants.Select(term => (domain.Key, term.Peer)))
            .Distinct().SelectMany(pair => members[pair.Key].SelectMany(
                _ => members[pair.Peer], (client, server) => (Client: client, Server: server)))
            .Where(pair => _model.IsAnyOpen(
                pair.Client.Domain, pair.Server.Domain, pair.Client.Machine, pair.Server.Machine)).ToArray();
        foreach (HostPlan plan in product.Plans)
        {
            string host = plan.Host.Name.Text;
            string[] domains = [.. ends.Where(end => end.Host == host).Select(end => end.Domain)];
            string? difference = Same(
                $"members behind the wires of {host}",
                plan.Domains.SelectMany(domain => domain.Network.Peers.SelectMany(peer => peer.Members.Select(member =>
                    $"{Name(member.Ref)} in {Name(domain.Domain)} on {peer.Host.Name} "
                    + Way(peer.UnderlayIpv4, peer.Protection)))),
                ends.Where(end => end.Host != host && domains.Contains(end.Domain)
                    && _model.IsTrusted(end.Host, end.Domain)).Select(end =>
                    $"{end.Machine} in {end.Domain} on {end.Host} {Inside(end.Domain, host, end.Host)}"))
                ?? Same(
                    $"gateways behind the passages of {host}",
                    plan.Passages.SelectMany(passage => passage.Network.Peers.SelectMany(peer => peer.Legs.Select(leg =>
                        $"{Name(leg.Domain)} {Between(passage.Between.Select(Name))} on {peer.Host.Name} "
                        + Way(peer.UnderlayIpv4, peer.Protection)))),
                    open.Select(pair => (Near: pair.Client, Far: pair.Server))
                        .Concat(open.Select(pair => (Near: pair.Server, Far: pair.Client)))
                        .Where(pair => pair.Near.Host == host && pair.Far.Host != host
                            && _model.IsTrusted(pair.Far.Host, pair.Far.Domain)).Select(pair =>
                            $"{pair.Far.Domain} {Between([pair.Near.Domain, pair.Far.Domain])} on {pair.Far.Host} "
                            + Wire([pair.Near.Domain, pair.Far.Domain], host, pair.Far.Host)));
            if (difference is not null)
            {
                return difference;
            }
        }

        return null;
    }

    private string? Traces()
    {
        foreach (var (from, to) in Some([.. _model.Runs.Keys.Order(StringComparer.Ordinal)]))
        {
            foreach (bool ipv6 in new[] { false, true })
            {
                // Without an address of a family nothing is asked in it.
                foreach (Asked asked in _model.NicPairs(from, to, ipv6).Any() ? Questions(from, to) : [])
                {
                    Assert.True(WireText.TryParse(asked.Protocol, out FlowProtocol protocol));
                    PacketTrace trace = Tracer.Run(product.Plans, new TraceQuestion(
                        Machine(from), Machine(to), protocol, asked.Port) { Ipv6 = ipv6 });
                    bool model = _model.Speaks(from, to, asked, ipv6);
                    if (trace.IsOpen != model)
                    {
                        return $"the trace has {from} to {to}, {asked}, IPv6 {ipv6} {Word(trace.IsOpen)}, the model "
                            + $"{Word(model)}:\n{string.Join('\n', trace.Steps)}{string.Join('\n', trace.Missing)}";
                    }

                    Asked = model ? (Asked.Open + 1, Asked.Closed) : (Asked.Open, Asked.Closed + 1);
                }
            }
        }

        return null;
    }

    /// <summary>Of plans in which every host is trusted: what doubt takes away, the policies promise.</summary>
    private string? Tables()
    {
        RefinementVerdict verdict = host is null ? RefinementProof.Of(product.Refined, product.Datacentre)
            : RefinementProof.OfHost(Host(host), product.Refined, product.Datacentre);
        return verdict is RefinementVerdict.Proven ? null : $"the tables: {RefinementProofTests.Words(verdict)}";
    }

    /// <summary>The edges of all ports that two machines' domains name for each other, and what nobody names.
    /// </summary>
    private IEnumerable<Asked> Questions(string from, string to)
    {
        string[] peers = [.. sketch.Machines[to].Nics.Select(nic => nic.Domain)];
        string[] own = [.. sketch.Machines[from].Nics.Select(nic => nic.Domain)];
        var named = own.SelectMany(domain => sketch.Domains[domain].Grants.Where(term => peers.Contains(term.Peer)))
            .Concat(peers.SelectMany(domain => sketch.Domains[domain].Accepts.Where(term => own.Contains(term.Peer))))
            .Select(term => term.What).OfType<Resource.Network>().Where(what => what.Protocol != "icmp")
            .SelectMany(what => new[] { what.First - 1, what.First, what.Last, what.Last + 1 }.Select(port =>
                new Asked(what.Protocol, port)));
        // Who tells machines their addresses answers there, whatever flow is open.
        return named.Where(asked => asked.Port is > 0 and <= 65535 and not (67 or 68 or 546 or 547))
            .Append(new Asked("tcp", 22)).Append(new Asked("icmp", 0)).Distinct();
    }

    /// <summary>
    /// Pairs of machines: half of them of domains that have something to do with each other, half of all, each spread
    /// evenly.
    /// </summary>
    private IEnumerable<(string From, string To)> Some(string[] machines)
    {
        var members = machines.SelectMany(machine => sketch.Machines[machine].Nics.Select(nic => (nic.Domain, machine)))
            .ToLookup(one => one.Domain, one => one.machine);
        var near = sketch.Domains.SelectMany(domain =>
                domain.Value.Grants.Select(term => (domain.Key, term.Peer)).Append((domain.Key, domain.Key)))
            .Distinct().SelectMany(pair => members[pair.Item1].SelectMany(
                _ => members[pair.Item2], (one, other) => (From: one, To: other)));
        var all = machines.SelectMany(_ => machines, (one, other) => (From: one, To: other));
        return Spread(near).Concat(Spread(all)).Where(pair => pair.From != pair.To).Distinct();
    }

    private IEnumerable<T> Spread<T>(IEnumerable<T> those)
    {
        T[] all = [.. those];
        int step = Math.Max(1, all.Length * 2 / pairs);
        return all.Where((_, at) => at % step == 0);
    }

    private static bool Covers(FlowResource resource, Asked asked) =>
        resource is FlowResource.Network network && WireText.Of(network.Protocol) == asked.Protocol
        && (asked.Protocol == "icmp"
            || network.Ports.Any(range => range.First <= asked.Port && asked.Port <= range.Last));

    private string Wire(string[] domains, string one, string other) => Way(
        Sketch.UnderlayOf(other),
        _model.IsCiphered(domains, one, other) ? LinkProtection.Encrypted : LinkProtection.Clear);

    private string Inside(string domain, string one, string other) => _model.IsInVlan(domain, one, other)
        ? Way(Sketch.UnderlayOf(other), LinkProtection.Vlan) : Wire([domain], one, other);

    private static string Way(string underlay, LinkProtection protection) => $"at {underlay} {protection}";

    private static string Word(bool isOpen) => isOpen ? "open" : "closed";

    private static string Between(IEnumerable<string> domains) =>
        string.Join('-', domains.Order(StringComparer.Ordinal));

    private string Name(CompartmentModel machine) => Name(machine.Ref);

    private string Name(CompartmentRef machine) => $"{Tenant(machine.Tenant.ToString())}/{machine.Name}";

    private string Name(DomainRef domain) => $"{Tenant(domain.Tenant.ToString())}/{domain.Name}";

    private string Tenant(string id) => _tenants[id];

    /// <summary>What only one of the two has, for people; null where both have the same.</summary>
    public static string? Same(string what, IEnumerable<string> product, IEnumerable<string> model)
    {
        var (says, should) = (product.ToImmutableSortedSet(StringComparer.Ordinal),
            model.ToImmutableSortedSet(StringComparer.Ordinal));
        return says.SetEquals(should) ? null
            : $"{what}: the product alone has {string.Join(", ", says.Except(should))}; the model alone has "
                + string.Join(", ", should.Except(says));
    }
}
