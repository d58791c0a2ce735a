using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Placement;

/// <summary>
/// The Master's suggestion that a machine run on a host. It decides nothing: every Proxy checks admission itself and
/// counts only proposals whose host the machine's domains admit.
/// </summary>
/// <param name="Compartment">The machine.</param>
/// <param name="Host">The host.</param>
/// <param name="Running">Whether the machine should be running.</param>
public sealed record PlacementProposal(CompartmentRef Compartment, HostRef Host, bool Running);
