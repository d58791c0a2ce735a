using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>What all hosts' plans say alike of a domain.</summary>
internal sealed class LaidDomain(DomainModel domain)
{
    public string Bridge { get; } = DeviceNames.Bridge(domain.Ref);

    public string Vxlan { get; } = DeviceNames.Vxlan(domain.Ref);

    public string Table { get; } = DeviceNames.Table(domain.Ref);

    public string Segment { get; } = DeviceNames.Segment(domain.Ref);

    public string Namespace { get; } = DeviceNames.Namespace(domain.Ref);

    public string GatewayPort { get; } = DeviceNames.GatewayPort(domain.Ref);

    public string GatewayMac { get; } = DeviceNames.GatewayMac(domain.Ref);

    public ImmutableArray<string> GatewayAddresses { get; } = [.. domain.Network.Subnets.Select(Subnets.GatewayText)];

    /// <summary>The number of its network.</summary>
    public int Number { get; } = DerivedNames.NetworkNumber(domain);

    /// <summary>Why it has a network.</summary>
    public Reason NetworkReason { get; } = new(
        $"The machines of {Display.Of(domain)} speak with each other and, by its flows, with others.", [domain.Origin]);

    /// <summary>How its frames pass links.</summary>
    public LinkWays Ways { get; } = new(links => Links.Of(domain, links));
}
