using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>
/// Every open flow of a datacentre: the intersections of what one domain grants and its peer accepts. Whatever is not
/// in it is closed. Its size and cost grow with the number of terms; two domains' terms about one resource meet
/// pairwise.
/// </summary>
public sealed class FlowMatrix
{
    private readonly HashSet<(DomainRef, DomainRef)> _joined;

    private FlowMatrix(
        CheckedDatacentre datacentre, ImmutableArray<OpenFlow> open, ImmutableArray<FlowConflict> conflicts,
        ImmutableArray<FlowSide> unmet, InformationControl information)
    {
        Datacentre = datacentre;
        _joined = [.. open.Where(flow => flow.Resource is FlowResource.Network).Select(flow => (flow.From, flow.To))];
        Open = open;
        Conflicts = conflicts;
        Unmet = unmet;
        Information = information;
    }

    /// <summary>The open flows, by granting domain and the order of its terms, then of the peer's.</summary>
    public ImmutableArray<OpenFlow> Open { get; }

    /// <summary>Network flows that both sides want and that are closed all the same.</summary>
    public ImmutableArray<FlowConflict> Conflicts { get; }

    /// <summary>Terms that no term of the peer's meets; a peer that is not known meets nothing.</summary>
    public ImmutableArray<FlowSide> Unmet { get; }

    /// <summary>Finds the open flows of a datacentre.</summary>
    public static FlowMatrix Of(CheckedDatacentre datacentre)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        var members = DomainMembers.Of(datacentre);
        var accepts = Sides(datacentre, grants: false).ToLookup(side => Key(side.Term.Peer, side));
        var met = new HashSet<(DomainRef, string)>();
        var open = new List<OpenFlow>();
        var crowd = new FlowCrowd();
        foreach (var grant in Sides(datacentre, grants: true).Where(side => !crowd.IsOf(side)))
        {
            foreach (var accept in accepts[Key(grant.Domain.Ref, grant)])
            {
                if (Intersection(grant.Term.Resource, accept.Term.Resource) is not { } resource)
                {
                    continue;
                }

                met.Add((grant.Domain.Ref, grant.Term.Pointer));
                met.Add((accept.Domain.Ref, accept.Term.Pointer));
                if (!crowd.HasRoom(grant, accept, resource))
                {
                    break;
                }

                if (Meeting(grant, accept, resource, members) is { } flow)
                {
                    open.Add(flow);
                }
            }
        }

        open.RemoveAll(flow => crowd.IsOf(flow.Sides.Grant));
        ImmutableArray<FlowConflict> conflicts = [.. crowd.Conflicts, .. FlowConflicts.Of(datacentre, open)];
        var cut = conflicts.Select(one => Pair(one.Judge.Domain.Ref, one.Peer.Ref)).ToHashSet();
        open.RemoveAll(flow => flow.Resource is FlowResource.Network && cut.Contains(Pair(flow.From, flow.To)));
        var information = InformationControl.Of(datacentre, open);
        return new FlowMatrix(
            datacentre, [.. open.Where(flow => !information.Closes(flow))], [.. conflicts, .. information.Conflicts],
            [.. Sides(datacentre, grants: true).Concat(Sides(datacentre, grants: false))
                .Where(side => !met.Contains((side.Domain.Ref, side.Term.Pointer)) && !crowd.IsOf(side))],
            information);
    }

    /// <summary>What it is of.</summary>
    internal CheckedDatacentre Datacentre { get; }

    /// <summary>What the demands on information close.</summary>
    internal InformationControl Information { get; }

    /// <summary>True if an open network flow goes from one to the other, either way.</summary>
    public bool Joins(DomainRef one, DomainRef other) => _joined.Contains((one, other))
        || _joined.Contains((other, one));

    /// <summary>The open flow that lends a volume to a domain's machine, or null.</summary>
    public OpenFlow? Lending(VolumeModel volume, CompartmentRef machine, VolumeAccess access)
    {
        ArgumentNullException.ThrowIfNull(volume);
        return Open.FirstOrDefault(flow => flow.From == volume.Colour && flow.Receivers.Contains(machine)
            && flow.Resource is FlowResource.Volume lent && lent.Name == volume.Ref.Name && lent.Access >= access);
    }

    /// <summary>
    /// What may pass from a client in one machine to servers in another: the cell of the matrix the policies promise.
    /// </summary>
    public FlowExpectation Expect(CompartmentRef from, CompartmentRef to)
    {
        var machines = Datacentre.Machinery.Compartments;
        if (!machines.TryGetValue(from.ToString(), out var client)
            || !machines.TryGetValue(to.ToString(), out var server))
        {
            return new FlowExpectation.Nothing("One of the machines is described by no statement.");
        }

        var clientDomains = Domains(client).ToArray();
        var serverDomains = Domains(server).ToArray();
        if (clientDomains.Intersect(serverDomains).FirstOrDefault() is { } shared)
        {
            return new FlowExpectation.Everything(shared);
        }

        var flows = Open.Where(flow => flow.Resource is FlowResource.Network
            && clientDomains.Contains(flow.From) && serverDomains.Contains(flow.To)
            && flow.Senders.Contains(from) && flow.Receivers.Contains(to)).ToImmutableArray();
        if (flows.Length > 0)
        {
            return new FlowExpectation.Only(flows);
        }

        return new FlowExpectation.Nothing(string.Join(
            " ", clientDomains.SelectMany(_ => serverDomains, WhyClosed).Distinct(StringComparer.Ordinal)));
    }

    /// <summary>The domains a machine is a member of.</summary>
    internal static IEnumerable<DomainRef> Domains(CompartmentModel machine) =>
        machine.Nics.Select(nic => new DomainRef(machine.Ref.Tenant, nic.Domain));

    /// <summary>Two domains in an order of their own.</summary>
    internal static (DomainRef, DomainRef) Pair(DomainRef one, DomainRef other) =>
        string.CompareOrdinal(one.ToString(), other.ToString()) <= 0 ? (one, other) : (other, one);

    /// <summary><c>bank/ledger</c>.</summary>
    internal static string Display(DomainModel domain) => $"{domain.Origin.OwnerName}/{domain.Ref.Name}";

    private string WhyClosed(DomainRef from, DomainRef to)
    {
        if (!Datacentre.Domains.TryGetValue(from.ToString(), out var client)
            || !Datacentre.Domains.TryGetValue(to.ToString(), out var server))
        {
            return "One of the domains is described by no statement.";
        }

        var grants = client.Grants.Any(term => term.Peer == to && term.Resource is FlowResource.Network);
        var accepts = server.Accepts.Any(term => term.Peer == from && term.Resource is FlowResource.Network);
        if (Conflicts.FirstOrDefault(one => one.IsBetween(from, to)) is { } conflict)
        {
            return conflict.Sentence;
        }

        return (grants, accepts) switch
        {
            (false, false) => $"{Display(client)} grants nothing to {Display(server)}, which accepts nothing from it.",
            (false, true) => $"{Display(client)} grants nothing to {Display(server)}.",
            (true, false) => $"{Display(server)} does not accept anything from {Display(client)}.",
            (true, true) => $"{Display(client)} and {Display(server)} agree on no flow between these machines.",
        };
    }

    private static IEnumerable<FlowSide> Sides(CheckedDatacentre datacentre, bool grants) =>
        datacentre.Domains.Values.SelectMany(
            domain => (grants ? domain.Grants : domain.Accepts).Select(term => new FlowSide(domain, term, grants)));

    // A grant looks up acceptances of its own domain; an acceptance is filed under the domain it accepts.
    private static (DomainRef Granting, string Resource) Key(DomainRef granting, FlowSide side) =>
        (granting, side.Term.Resource switch
        {
            FlowResource.Network network => $"network {network.Protocol} {Accepting(side)}",
            FlowResource.Volume volume => $"volume {volume.Name} {Accepting(side)}",
            FlowResource.Device device => $"device {device.Kind} {Accepting(side)}",
            _ => throw new System.Diagnostics.UnreachableException(),
        });

    private static DomainRef Accepting(FlowSide side) => side.IsGrant ? side.Term.Peer : side.Domain.Ref;

    private static FlowResource? Intersection(FlowResource grant, FlowResource accept) => (grant, accept) switch
    {
        (FlowResource.Network left, FlowResource.Network right) when left.Protocol == right.Protocol =>
            Common(left, right),
        (FlowResource.Volume left, FlowResource.Volume right) when left.Name == right.Name =>
            left.Access <= right.Access ? left : right,
        (FlowResource.Device left, FlowResource.Device right) when left.Kind == right.Kind => left,
        (FlowResource.Network or FlowResource.Volume or FlowResource.Device, _) => null,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static FlowResource.Network? Common(FlowResource.Network left, FlowResource.Network right)
    {
        var ports = PortSets.Intersection(left.Ports, right.Ports);
        return ports.Length > 0 || left.Protocol == FlowProtocol.Icmp ? left with { Ports = ports } : null;
    }

    private static OpenFlow? Meeting(FlowSide grant, FlowSide accept, FlowResource resource, DomainMembers members)
    {
        var senders = members.Named(grant.Domain, grant.Term);
        var receivers = members.Named(accept.Domain, accept.Term);
        var nobodySends = senders.Length == 0
            && (resource is FlowResource.Network || grant.Term.Machines is not null);
        return nobodySends || receivers.Length == 0
            ? null
            : new OpenFlow(
                grant.Domain.Ref, accept.Domain.Ref, resource, senders, receivers, new FlowSides(grant, accept));
    }
}
