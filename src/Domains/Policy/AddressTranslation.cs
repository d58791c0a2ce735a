using System.Collections.Immutable;
using System.Net;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// Under which addresses two domains know each other's machines, each for each (RFC 2663, section 4.1.1, in both
/// directions): a machine keeps its place in the subnet, and no port is rewritten. It counts only where both domains
/// state the same.
/// </summary>
/// <param name="With">The other domain.</param>
/// <param name="Own">By what the other knows this domain's subnets, one for each, in their order; empty: as they are.
/// </param>
/// <param name="Peer">By what this domain knows the other's subnets, likewise.</param>
/// <param name="Pointer">JSON pointer of the clause in its statement's body.</param>
public sealed record AddressTranslation(
    DomainRef With, ImmutableArray<IPNetwork> Own, ImmutableArray<IPNetwork> Peer, string Pointer);
