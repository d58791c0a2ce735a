using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Seeing;

/// <summary>Asks for the flows of a domain.</summary>
/// <param name="Domain"><c>tenant id/name</c>.</param>
public sealed record AskedFlows(string Domain);

/// <summary>The flows of a domain on one host.</summary>
/// <param name="Host">The host's name.</param>
/// <param name="Flows">The last seen first.</param>
/// <param name="More">Whether there are others, seen earlier.</param>
public sealed record FlowList(string Host, ImmutableArray<ReportedFlow> Flows, bool More);

/// <summary>A flow as the owner of one of its ends reads it.</summary>
/// <param name="Machine">The owner's machine.</param>
/// <param name="Direction">
/// out: the machine opened it; in: the other did; forged: the machine sent as another; gone: no statement describes the
/// machine any more.
/// </param>
/// <param name="Peer">The other end's address; of a forged one, whom the frame was for.</param>
/// <param name="PeerName">The other machine, where it is of the domain or a flow with it is open; else empty.</param>
/// <param name="Service">tcp/443, udp/53, icmp, or another protocol's number.</param>
/// <param name="Packets">How many passed, both ways.</param>
/// <param name="Bytes">Their length.</param>
/// <param name="Dropped">How many were dropped on this host.</param>
/// <param name="DroppedBy">By which rule, and why; empty where none was.</param>
/// <param name="First">When it was first seen.</param>
/// <param name="Last">When it was last seen.</param>
public sealed record ReportedFlow(
    string Machine, string Direction, string Peer, string PeerName, string Service, long Packets, long Bytes,
    long Dropped, string DroppedBy, DateTimeOffset First, DateTimeOffset Last)
{
    /// <summary>Writes a record for the owner of the domain.</summary>
    /// <param name="record">The record.</param>
    /// <param name="host">The host's plan, whose rules are named.</param>
    /// <param name="domain">The domain.</param>
    /// <param name="datacentre">The policies, for names.</param>
    public static ReportedFlow Of(
        FlowRecord record, HostPlan host, DomainPlan domain, CheckedDatacentre datacentre)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(domain);
        ArgumentNullException.ThrowIfNull(datacentre);
        var own = datacentre.Machinery.Compartments.GetValueOrDefault(record.Machine)?.Nics
            .FirstOrDefault(nic => nic.Domain == domain.Domain.Name);
        var flow = record.Flow;
        var direction = IsOf(own, flow.Client) ? "out"
            : IsOf(own, flow.Server) ? "in"
            : own is null ? "gone" : "forged";
        var peer = direction == "in" ? flow.Client : flow.Server;
        return new ReportedFlow(
            NameOf(datacentre, record.Machine), direction, peer,
            NameOf(datacentre, host, domain, direction == "in" ? flow.Server : flow.Client, peer), ServiceOf(flow),
            record.Passed.Packets, record.Passed.Bytes, record.Dropped.Packets,
            string.Join(" ", WhyDropped(record, domain, direction)), record.First, record.Last);
    }

    private static bool IsOf(MemberPlan member, string address) => member.Ipv4 == address || member.Ipv6 == address;

    private static bool IsOf(NicModel? nic, string address) =>
        nic is not null && (nic.Ipv4?.ToString() == address || nic.Ipv6?.ToString() == address);

    private static string ServiceOf(FlowKey flow) => flow.Protocol is "tcp" or "udp"
        ? string.Create(CultureInfo.InvariantCulture, $"{flow.Protocol}/{flow.Port}") : flow.Protocol;

    /// <summary>The rules are those of now: what they would let pass was dropped by others that stood then.</summary>
    private static IEnumerable<string> WhyDropped(FlowRecord record, DomainPlan domain, string direction)
    {
        var flow = record.Flow;
        var (own, other) = direction == "in" ? (flow.Server, flow.Client) : (flow.Client, flow.Server);
        var family = own.Contains(':', StringComparison.Ordinal) ? "6" : "4";
        var pair = domain.Gateway?.Between(own, other).Any() == true;
        if (record.DroppedBySwitch.Packets > 0)
        {
            yield return direction == "forged"
                    ? $"The port (set sources{family}): {flow.Client} is not this machine's."
                : Members(domain).Any(member => IsOf(member, other))
                    ? "The switch: frames between members pass, unless their form or their way is not a member's."
                : domain.Gateway is null
                    ? $"The switch: no flow of {domain.DisplayName} is open, so there is no gateway."
                : !pair ? $"The switch (set outward{family}): no flow between {own} and {other} is open."
                : "The switch: by rules that stood then, or because of the frame's form.";
        }

        if (record.DroppedByGateway.Packets > 0)
        {
            var open = domain.Gateway?.Between(own, other).Any(one => IsFlow(one, flow)) == true;
            yield return open ? "The gateway: by rules that stood then, or as part of no connection."
                : !pair ? $"The gateway (set paths{family}): no flow between {own} and {other} is open."
                : $"The gateway (set {(flow.Protocol == "icmp" ? "echo" : flow.Protocol)}{family}): no flow of "
                    + $"{ServiceOf(flow)} from {flow.Client} to {flow.Server} is open.";
        }
    }

    private static bool IsFlow(FlowLine plan, FlowKey flow) =>
        plan.From == flow.Client && plan.To == flow.Server && WireText.Of(plan.Protocol) == flow.Protocol
        && (plan.Protocol == FlowProtocol.Icmp
            || plan.Ports.Any(range => range.First <= flow.Port && flow.Port <= range.Last));

    private static IEnumerable<MemberPlan> Members(DomainPlan domain) => domain.Network.Ports
        .Select(port => port.Member).Concat(domain.Network.Peers.SelectMany(peer => peer.Members));

    private static string NameOf(
        CheckedDatacentre datacentre, HostPlan host, DomainPlan domain, string own, string peer)
    {
        if (Members(domain).FirstOrDefault(member => IsOf(member, peer)) is { } sibling)
        {
            return NameOf(datacentre, sibling.Ref.ToString());
        }

        var line = domain.Gateway?.Between(own, peer).FirstOrDefault();
        var leg = domain.Gateway?.Legs.FirstOrDefault(one => one.Device == line?.Leg);
        var other = host.Passages.FirstOrDefault(passage => passage.Name == leg?.Passage)?.Between
            .FirstOrDefault(one => one != domain.Domain);
        if (other is null || datacentre.Domains.GetValueOrDefault(other.ToString()) is not { } far
            || datacentre.Domains.GetValueOrDefault(domain.Domain.ToString()) is not { } near)
        {
            return "";
        }

        var machine = datacentre.Machinery.Compartments.Values.FirstOrDefault(one =>
            one.Ref.Tenant == other.Tenant && one.Nics.Any(nic => nic.Domain == other.Name
                && new[] { nic.Ipv4, nic.Ipv6 }.OfType<IPAddress>()
                    .Any(address => Translations.Known(far, near, address).ToString() == peer)));
        return machine is null ? "" : Display.Of(machine);
    }

    private static string NameOf(CheckedDatacentre datacentre, string machine) =>
        datacentre.Machinery.Compartments.TryGetValue(machine, out var model) ? Display.Of(model) : machine;
}
