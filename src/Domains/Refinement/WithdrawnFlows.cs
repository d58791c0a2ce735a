using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// What a domain's gateway passed under one plan and no longer passes under the next, and the revision of the policy
/// that took it away. Pure; a host writes it down before the next plan takes effect.
/// </summary>
public static class WithdrawnFlows
{
    /// <summary>The most flows that one sentence lists.</summary>
    public const int MostNamed = 200;

    /// <summary>One for each domain of the earlier plan that loses flows, in order.</summary>
    /// <param name="before">The plan in force.</param>
    /// <param name="after">The plan that takes its place.</param>
    /// <param name="datacentre">What the later plan was refined from.</param>
    public static ImmutableArray<WithdrawnFlow> Between(HostPlan before, HostPlan after, CheckedDatacentre datacentre)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        ArgumentNullException.ThrowIfNull(datacentre);
        var open = new Lazy<FlowMatrix>(() => FlowMatrix.Of(datacentre));
        return
        [
            .. before.Domains.Where(domain => domain.Gateway is not null).SelectMany(domain => Of(
                domain, Lost(domain, after.Domains.FirstOrDefault(one => one.Domain == domain.Domain)), datacentre,
                open)),
        ];
    }

    /// <summary>Only flows that are not as wide as they were are looked at address by address.</summary>
    private static List<FlowLine> Lost(DomainPlan before, DomainPlan? after)
    {
        var left = after?.Gateway?.Flows ?? [];
        List<FlowLine> lost = [];
        var narrowed = (before.Gateway?.Flows ?? []).Where(flow => !left.Any(one => one.Covers(flow)));
        foreach (var line in FlowLine.Of(narrowed))
        {
            FlowLine[] now =
            [
                .. left.Select(flow => flow.Between(line.Own, line.Other)).OfType<FlowLine>()
                    .Where(one => (one.Outward, one.Protocol) == (line.Outward, line.Protocol)),
            ];
            if (now.Length == 0)
            {
                lost.Add(line);
            }
            else if (PortSets.Without(line.Ports, PortSets.Merged(now.SelectMany(one => one.Ports)))
                is { Length: > 0 } ports)
            {
                lost.Add(line with { Ports = ports });
            }
        }

        return lost;
    }

    private static IEnumerable<WithdrawnFlow> Of(
        DomainPlan domain, List<FlowLine> lost, CheckedDatacentre datacentre, Lazy<FlowMatrix> open)
    {
        foreach (var group in lost.GroupBy(flow => Cause(domain.Domain, flow, datacentre, open)).OrderBy(
            group => group.Key, StringComparer.Ordinal))
        {
            var named = string.Join("; ", group.Take(MostNamed).Select(Text));
            var more = group.Count() > MostNamed ? $"; and {group.Count() - MostNamed} more" : "";
            yield return new WithdrawnFlow(
                domain.Domain, group.Count(), group.Key, $"{group.Key}: {named}{more}.");
        }
    }

    /// <summary>Which statement is another than the one that opened the flow, unless the flow is open still.</summary>
    private static string Cause(
        DomainRef domain, FlowLine flow, CheckedDatacentre datacentre, Lazy<FlowMatrix> open)
    {
        if (IsPromised(domain, flow, datacentre, open.Value))
        {
            return $"{string.Join(" and ", flow.Reason.Because.Distinct())} are open for it, but one of the machines "
                + "is not admitted any more where it was";
        }

        var changed = flow.Reason.Because.Select(was => Change(was, datacentre)).OfType<string>().Distinct().ToList();
        if (changed.Count > 0)
        {
            return $"Closed by {string.Join(" and by ", changed)}";
        }

        var conflict = open.Value.Conflicts.FirstOrDefault(one => one.IsBetween(
            Domain(flow.Reason.Because[0]), Domain(flow.Reason.Because[^1])));
        return conflict?.Sentence.TrimEnd('.') ?? "Closed by the statement of one of the machines";
    }

    private static string? Change(StatementOrigin was, CheckedDatacentre datacentre)
    {
        var domain = datacentre.Domains.GetValueOrDefault($"{was.Owner}/{was.Name}");
        return domain is null ? $"the end of {was}"
            : domain.Origin.Digest != was.Digest || domain.Origin.Revision != was.Revision
                ? $"{domain.Origin}, after r{was.Revision}" : null;
    }

    private static bool IsPromised(DomainRef own, FlowLine flow, CheckedDatacentre datacentre, FlowMatrix open)
    {
        var near = datacentre.Domains.GetValueOrDefault(own.ToString());
        var (client, server) = (Domain(flow.Reason.Because[0]), Domain(flow.Reason.Because[^1]));
        var machines = datacentre.Machinery.Compartments.Values;
        return open.Open.Any(one => one.From == client && one.To == server
            && one.Resource is FlowResource.Network network && network.Protocol == flow.Protocol
            && (flow.Ports.IsEmpty || PortSets.Intersection(network.Ports, flow.Ports).Length > 0)
            && machines.Any(machine => one.Senders.Contains(machine.Ref) && Has(machine, client, flow.From))
            && machines.Any(machine => one.Receivers.Contains(machine.Ref) && Has(machine, server, flow.To)));

        bool Has(CompartmentModel machine, DomainRef domain, string address) =>
            near is not null && datacentre.Domains.GetValueOrDefault(domain.ToString()) is { } model
            && machine.Ref.Tenant == domain.Tenant && machine.Nics.Where(nic => nic.Domain == domain.Name)
                .SelectMany(nic => new[] { nic.Ipv4, nic.Ipv6 }).OfType<IPAddress>()
                .Any(one => (domain == own ? one : Translations.Known(model, near, one)).ToString() == address);
    }

    private static DomainRef Domain(StatementOrigin origin) => new(origin.Owner, origin.Name);

    private static string Text(FlowLine flow) => flow.Protocol.ToString().ToLowerInvariant()
        + (flow.Ports.IsEmpty ? "" : $"/{PortSets.Text(flow.Ports)}") + $" from {flow.From} to {flow.To}";
}

/// <summary>Flows that a domain's gateway on a host no longer passes.</summary>
/// <param name="Domain">Whose gateway.</param>
/// <param name="Count">How many, by pair of addresses and protocol.</param>
/// <param name="Cause">The revision that closed them.</param>
/// <param name="Sentence">The same, and which they are.</param>
public sealed record WithdrawnFlow(DomainRef Domain, int Count, string Cause, string Sentence);
