using System.Collections.Immutable;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Refinement;

/// <summary>A flow that a grant and an acceptance open together, with the machines each side's owner named.</summary>
internal sealed record FlowBetween(
    DomainRef From, DomainRef To, FlowResource Resource,
    ImmutableArray<CompartmentRef> Senders, ImmutableArray<CompartmentRef> Receivers,
    ImmutableArray<StatementOrigin> Because);

/// <summary>The open flows of a datacentre, in an order that does not depend on the order of the statements.</summary>
internal static class OpenFlows
{
    /// <summary>Every pair of a grant and an acceptance that agree.</summary>
    public static ImmutableArray<FlowBetween> Of(CheckedDatacentre datacentre)
    {
        var open = ImmutableArray.CreateBuilder<FlowBetween>();
        foreach (var from in datacentre.Domains.Values)
        {
            foreach (var grant in from.Grants)
            {
                if (datacentre.Domains.TryGetValue(grant.Peer.ToString(), out var to) && to.Ref != from.Ref)
                {
                    open.AddRange(Agreed(datacentre, from, grant, to));
                }
            }
        }

        return open.ToImmutable();
    }

    private static IEnumerable<FlowBetween> Agreed(
        CheckedDatacentre datacentre, DomainModel from, FlowTerm grant, DomainModel to)
    {
        foreach (var acceptance in to.Accepts)
        {
            if (acceptance.Peer != from.Ref || Common(grant.Resource, acceptance.Resource) is not { } resource)
            {
                continue;
            }

            var senders = Named(datacentre, from, grant);
            var receivers = Named(datacentre, to, acceptance);
            if (!senders.IsEmpty && !receivers.IsEmpty)
            {
                yield return new FlowBetween(
                    from.Ref, to.Ref, resource, senders, receivers, [from.Origin, to.Origin]);
            }
        }
    }

    private static FlowResource? Common(FlowResource grant, FlowResource acceptance) => (grant, acceptance) switch
    {
        (FlowResource.Network g, FlowResource.Network a) when g.Protocol == a.Protocol => CommonPorts(g, a),
        (FlowResource.Volume g, FlowResource.Volume a) when g.Name == a.Name =>
            new FlowResource.Volume(g.Name, g.Access < a.Access ? g.Access : a.Access),
        (FlowResource.Device g, FlowResource.Device a) when g.Kind == a.Kind => g,
        (FlowResource.Network or FlowResource.Volume or FlowResource.Device, _) => null,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static FlowResource.Network? CommonPorts(FlowResource.Network grant, FlowResource.Network acceptance)
    {
        if (grant.Protocol == FlowProtocol.Icmp)
        {
            return new FlowResource.Network(FlowProtocol.Icmp, []);
        }

        var ports = grant.Ports
            .SelectMany(g => acceptance.Ports.Select(a =>
                new PortRange(Math.Max(g.First, a.First), Math.Min(g.Last, a.Last))))
            .Where(range => range.First <= range.Last)
            .OrderBy(range => range.First).ThenBy(range => range.Last)
            .ToImmutableArray();
        return ports.IsEmpty ? null : new FlowResource.Network(grant.Protocol, ports);
    }

    private static ImmutableArray<CompartmentRef> Named(
        CheckedDatacentre datacentre, DomainModel domain, FlowTerm term)
    {
        IEnumerable<CompartmentModel> members = datacentre.Machinery.Compartments.Values
            .Where(machine => machine.Ref.Tenant == domain.Ref.Tenant
                && machine.Nics.Any(nic => nic.Domain == domain.Ref.Name));
        if (term.Machines is { } named)
        {
            var names = named
                .SelectMany(name => domain.Groups.TryGetValue(name, out var group)
                    ? group.Select(machine => machine.Text)
                    : [name])
                .ToHashSet(StringComparer.Ordinal);
            members = members.Where(machine => names.Contains(machine.Ref.Name.Text));
        }

        return [.. members.Select(machine => machine.Ref)];
    }
}
