using System.Collections.Immutable;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;
using Bailiwick.Proxy.Services;
using Bailiwick.Proxy.Traffic;

namespace Bailiwick.Proxy.Networking;

/// <summary>A domain's virtual switch and gateway on this host, brought to the plan and watched.</summary>
public sealed class VirtualNetworkManager(
    SegmentKeeper segments, GatewayKeeper gateways, ServicePointKeeper points, HostGuard guard, TunnelKeeper tunnels)
{
    /// <summary>How much may pass the ports.</summary>
    public required PortLimits Limits { get; init; }

    /// <summary>Brings rules, bridge, tunnel and gateway to the plan; ports are confirmed later.</summary>
    /// <exception cref="WorldException">The world refused.</exception>
    public void Bring(EnforcedPlan plan, DomainPlan domain, Apply apply)
    {
        if (domain.Gateway is { } gateway)
        {
            gateways.Bring(gateway, domain.Network.Mtu, apply);
        }

        if (domain.ServicePoint is { } point)
        {
            points.Bring(point, domain.Network.Mtu, apply);
        }

        // A host that cannot be reached encrypted is not reached: the machines here and all other hosts still are.
        apply.Try("tunnels", () => tunnels.Bring(domain.Network.Encrypted, TunnelKeeper.PeersOf(domain)));
        segments.Bring(plan.Plan, Wanted(plan, domain), Rules(domain), apply);
    }

    /// <summary>Makes sure that the domain's service point answers. Its machines run without it.</summary>
    /// <exception cref="WorldException">Its server does not start.</exception>
    public void Serve(DomainPlan domain)
    {
        if (domain.ServicePoint is { } point)
        {
            points.Serve(point, domain.Network.Mtu);
        }
    }

    /// <summary>Makes live every port of the domain that was observed to be right, and dead every other.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="domain">The domain.</param>
    /// <param name="dead">
    /// Ports that must be dead however right they are; asked again when the others are made live.
    /// </param>
    /// <exception cref="WorldException">The switch is not as planned; all its ports are dead.</exception>
    public void ConfirmPorts(EnforcedPlan plan, DomainPlan domain, Func<IReadOnlySet<string>> dead)
    {
        ImmutableDictionary<string, WorldException> unlimited = Limits.Bring(domain.Network.Ports);
        segments.Confirm(
            plan.Plan, Wanted(plan, domain), Rules(domain), () => dead().Union(unlimited.Keys).ToHashSet());
        foreach (WorldException fault in unlimited.Values)
        {
            throw fault;
        }
    }

    /// <summary>Each way in which the domain's switch and rules are not as planned, read from the kernel.</summary>
    /// <exception cref="WorldException">The kernel does not answer.</exception>
    public ImmutableArray<string> Differences(EnforcedPlan plan, DomainPlan domain) =>
        segments.Differences(plan.Plan, Wanted(plan, domain), Rules(domain));

    /// <summary>Each way in which the domain's gateway is not as planned; none without one.</summary>
    /// <exception cref="WorldException">The kernel does not answer.</exception>
    public ImmutableArray<string> GatewayDifferences(DomainPlan domain) =>
        domain.Gateway is { } gateway ? gateways.Differences(gateway) : [];

    /// <summary>Each way in which the domain's service point is not as planned; none without one.</summary>
    /// <exception cref="WorldException">The kernel does not answer.</exception>
    public ImmutableArray<string> ServiceDifferences(DomainPlan domain) =>
        domain.ServicePoint is { } point ? points.Differences(point) : [];

    /// <summary>Each way in which the domain's encrypted tunnels are not as planned; none without any.</summary>
    /// <exception cref="WorldException">The kernel does not answer.</exception>
    public ImmutableArray<string> TunnelDifferences(DomainPlan domain) =>
        tunnels.Differences(domain.Network.Encrypted, TunnelKeeper.PeersOf(domain));

    /// <summary>What stands against a machine's start in the network of each of its domains.</summary>
    public ImmutableArray<string> Faults(EnforcedPlan plan, CompartmentPlan machine)
    {
        ImmutableArray<string>.Builder faults = ImmutableArray.CreateBuilder<string>();
        foreach (PortPlan port in machine.Ports)
        {
            if (plan.Plan.Domains.FirstOrDefault(d => d.Network.Bridge == port.Bridge) is { } domain)
            {
                faults.AddRange(segments.Faults(
                    plan.Plan, Wanted(plan, domain), Rules(domain)));
            }
            else
            {
                faults.Add($"no domain of this host has the bridge {port.Bridge}");
            }
        }

        return faults.ToImmutable();
    }

    /// <summary>Makes the ports of a machine dead.</summary>
    public void KillPorts(CompartmentPlan machine, string why) =>
        guard.Kill([.. machine.Ports.Select(p => p.Device)], why);

    /// <summary>Makes the ports of a domain dead.</summary>
    public void KillPorts(EnforcedPlan plan, DomainPlan domain, string why) =>
        segments.Kill(Wanted(plan, domain), why);

    private WantedSegment Wanted(EnforcedPlan plan, DomainPlan domain) =>
        WantedSegment.Of(domain, plan.Plan.Underlay, tunnels.Standing(domain.Network.Encrypted));

    private static WantedRules Rules(DomainPlan domain) => new(domain);
}

/// <summary>The passages of this host, brought to the plan and watched.</summary>
public sealed class PassageKeeper(SegmentKeeper segments, TunnelKeeper tunnels)
{
    /// <summary>Brings a passage to the plan, and makes live the legs that were observed to be right.</summary>
    /// <exception cref="WorldException">The world refused, or the passage is not as planned.</exception>
    public void Bring(EnforcedPlan plan, PassagePlan passage, Apply apply)
    {
        apply.Try("tunnels", () => tunnels.Bring(passage.Network.Encrypted, TunnelKeeper.PeersOf(passage)));
        WantedSegment wanted = Wanted(plan, passage);
        WantedRules rules = new(null, NftTables.ForPassage(passage));
        segments.Bring(plan.Plan, wanted, rules, apply);
        segments.Confirm(plan.Plan, wanted, rules);
    }

    /// <summary>Each way in which the passage is not as planned, read from the kernel.</summary>
    /// <exception cref="WorldException">The kernel does not answer.</exception>
    public ImmutableArray<string> Differences(EnforcedPlan plan, PassagePlan passage) =>
    [
        .. segments.Differences(
            plan.Plan, Wanted(plan, passage), new WantedRules(null, NftTables.ForPassage(passage))),
        .. tunnels.Differences(passage.Network.Encrypted, TunnelKeeper.PeersOf(passage)),
    ];

    /// <summary>Makes the passage's ports dead.</summary>
    public void Close(EnforcedPlan plan, PassagePlan passage, string why) =>
        segments.Kill(Wanted(plan, passage), why);

    private WantedSegment Wanted(EnforcedPlan plan, PassagePlan passage) =>
        WantedSegment.Of(passage, plan.Plan.Underlay, tunnels.Standing(passage.Network.Encrypted));
}
