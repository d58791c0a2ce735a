using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// How what this host sends to others is shared out between domains. Each is known by the numbers of its networks in
/// clear, and by the switches whose ciphertext is its own.
/// </summary>
/// <param name="LocalIpv4">The host's underlay address: the device that has it is the uplink.</param>
/// <param name="Mbit">The whole, 10^6 bits a second.</param>
/// <param name="Parts">The domains that have a part; what is nobody's is shared by all others.</param>
/// <param name="Reason">Why.</param>
public sealed record UplinkPlan(string LocalIpv4, int Mbit, ImmutableArray<UplinkPart> Parts, Reason Reason);

/// <summary>One domain's part.</summary>
/// <param name="Domain">The domain.</param>
/// <param name="Number">Its class on this host, from 16 on.</param>
/// <param name="ReserveMbit">What it gets when others want more.</param>
/// <param name="LimitMbit">What it gets at most.</param>
/// <param name="Networks">VXLAN network numbers, in order: its own, and those of passages that it pays for.</param>
/// <param name="Segments">The encrypted switches of the same, in order.</param>
/// <param name="Reason">Why.</param>
public sealed record UplinkPart(
    DomainRef Domain, int Number, int ReserveMbit, int LimitMbit, ImmutableArray<int> Networks,
    ImmutableArray<string> Segments, Reason Reason);
