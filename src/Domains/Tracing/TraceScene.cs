using System.Collections.Immutable;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Tracing;

/// <summary>A member of a domain on the host that runs it.</summary>
internal sealed record TraceEnd(HostPlan Plan, DomainPlan Domain, LocalPort Port)
{
    public MemberPlan Member => Port.Member;

    public string? Address(bool isIpv6) => isIpv6 ? Member.Ipv6 : Member.Ipv4;
}

/// <summary>The plans of the hosts that a packet may meet. Nothing else is looked at to follow it.</summary>
internal sealed class TraceScene(IEnumerable<HostPlan> plans)
{
    private readonly ImmutableDictionary<string, HostPlan> _plans =
        plans.ToImmutableDictionary(plan => plan.Host.ToString(), StringComparer.Ordinal);

    public HostPlan? Plan(HostRef host) => _plans.GetValueOrDefault(host.ToString());

    /// <summary>
    /// By what another domain knows a machine, as the plan of the machine's own host has its gateway translate it.
    /// </summary>
    public static string? Known(TraceEnd end, TraceEnd by, bool isIpv6)
    {
        var own = end.Address(isIpv6);
        var passages = end.Plan.Passages.Where(passage => passage.Between.Contains(end.Domain.Domain)
            && passage.Between.Contains(by.Domain.Domain)).Select(passage => passage.Name).ToHashSet();
        var legs = end.Domain.Gateway?.Legs.Where(leg => passages.Contains(leg.Passage)).Select(leg => leg.Device)
            .ToHashSet();
        return end.Domain.Domain == by.Domain.Domain || legs is null ? own
            : own is null ? null
            : end.Domain.Gateway?.Flows.Where(flow => legs.Contains(flow.Leg)).Select(flow => flow.KnownAs(own))
                .FirstOrDefault(known => known is not null) ?? own;
    }

    /// <summary>The ports of a machine, in the order of its addresses.</summary>
    public ImmutableArray<TraceEnd> Ports(CompartmentRef machine) =>
    [
        .. _plans.Values.OrderBy(plan => plan.Host.ToString(), StringComparer.Ordinal)
            .SelectMany(plan => plan.Domains.SelectMany(domain => domain.Network.Ports
                .Where(port => port.Member.Ref == machine).Select(port => new TraceEnd(plan, domain, port)))),
    ];

    /// <summary>What plans say of a machine that they leave out.</summary>
    public IEnumerable<string> WhyAbsent(CompartmentRef machine) => _plans.Values
        .SelectMany(plan => plan.Refused.Where(refused => refused.Compartment == machine))
        .SelectMany(refused => refused.Refusals.Select(reason => reason.Sentence)).Distinct(StringComparer.Ordinal);

    /// <summary>A machine's name for people, as the plan that runs it has it.</summary>
    public string NameOf(CompartmentRef machine) => _plans.Values
        .SelectMany(plan => plan.Domains).SelectMany(domain => domain.Compartments)
        .FirstOrDefault(one => one.Ref == machine)?.DisplayName ?? machine.Name.Text;

    /// <summary>The port's description in the plan that runs its machine.</summary>
    public static Reason ReasonOf(TraceEnd end) => end.Plan.Domains.SelectMany(domain => domain.Compartments)
        .SelectMany(machine => machine.Ports).FirstOrDefault(port => port.Device == end.Port.Device)?.Reason
        ?? end.Domain.Network.Reason;
}
