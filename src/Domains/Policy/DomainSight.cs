using System.Collections.Immutable;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// Which domains a party may know: its own, and those with which one of its own has a flow that both state, whether or
/// not it is open. Every other domain is a stranger's, and nothing that is told depends on whether it is there.
/// </summary>
public sealed class DomainSight
{
    private readonly CheckedDatacentre _datacentre;
    private readonly PartyId _reader;

    private DomainSight(CheckedDatacentre datacentre, PartyId reader)
    {
        (_datacentre, _reader) = (datacentre, reader);
        Peers =
        [
            .. datacentre.Domains.Values.Where(domain => domain.Ref.Tenant == reader).SelectMany(Consenting),
        ];
    }

    /// <summary>The domains with which one of the reader's has such a flow; some may be its own.</summary>
    public ImmutableHashSet<DomainRef> Peers { get; }

    /// <summary>What a reader may know.</summary>
    /// <param name="datacentre">The policies.</param>
    /// <param name="reader">Who reads.</param>
    public static DomainSight Of(CheckedDatacentre datacentre, PartyId reader)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(reader);
        return new DomainSight(datacentre, reader);
    }

    /// <summary>Whether a domain is the reader's or a consenting peer's.</summary>
    public bool Sees(DomainRef domain)
    {
        ArgumentNullException.ThrowIfNull(domain);
        return domain.Tenant == _reader || Peers.Contains(domain);
    }

    private IEnumerable<DomainRef> Consenting(DomainModel own) =>
        from term in own.Grants.Concat(own.Accepts)
        let peer = _datacentre.Domains.GetValueOrDefault(term.Peer.ToString())
        where peer is not null && (Meet(own, peer) || Meet(peer, own))
        select peer.Ref;

    private static bool Meet(DomainModel granting, DomainModel accepting) =>
        granting.Grants.Any(one => one.Peer == accepting.Ref) && accepting.Accepts.Any(one => one.Peer == granting.Ref);
}
