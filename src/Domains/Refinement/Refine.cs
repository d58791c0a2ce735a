using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// Refines the policies of all tenants, the operator's inventory and the Master's proposals to what one host must
/// enforce. Pure: equal inputs, in whatever order, give equal plans, and every host computes the others' part alike.
/// </summary>
/// <remarks>
/// Proposals are not believed. Only machines that <see cref="AdmissionControl"/> admits where they are proposed are
/// members or peers, so a Master that lies can keep a domain's machines apart but cannot bring its frames to a host
/// that the domain does not accept.
/// </remarks>
public static class Refine
{
    /// <summary>The plan of one host.</summary>
    /// <param name="datacentre">The checked policies and inventory.</param>
    /// <param name="proposals">What should run where, by the Master's word.</param>
    /// <param name="host">The host. One that is unknown gets an empty plan.</param>
    /// <param name="now">The moment against which policies expire.</param>
    public static HostPlan ForHost(
        CheckedDatacentre datacentre, IReadOnlyList<PlacementProposal> proposals, HostRef host, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(host);
        return Of(datacentre, proposals, now).ForHost(host);
    }

    /// <summary>What the plans of all hosts have in common, for those who want more than one.</summary>
    /// <param name="datacentre">The checked policies and inventory.</param>
    /// <param name="proposals">What should run where, by the Master's word.</param>
    /// <param name="now">The moment against which policies expire.</param>
    public static RefinedDatacentre Of(
        CheckedDatacentre datacentre, IReadOnlyList<PlacementProposal> proposals, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(proposals);
        return new RefinedDatacentre(Scene.Of(datacentre, proposals, now));
    }
}
