using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>Who would use a VXLAN network number.</summary>
/// <param name="Reference">Of a domain or of a passage.</param>
/// <param name="Number">The number.</param>
/// <param name="Chosen">Whether its tenant chose it.</param>
/// <param name="Rank">The place of its tenant in the operator's list.</param>
/// <param name="Of">The domain, or the two domains.</param>
internal sealed record NumberClaim(string Reference, int Number, bool Chosen, int Rank, ImmutableArray<DomainRef> Of)
    : IComparable<NumberClaim>
{
    public static NumberClaim By(CheckedDatacentre datacentre, DomainModel domain) => new(
        domain.Ref.ToString(), DerivedNames.NetworkNumber(domain), domain.Network.Number is not null,
        NetworkNumbers.Rank(datacentre, domain.Ref), [domain.Ref]);

    public static NumberClaim By(CheckedDatacentre datacentre, FlowPair pair) => new(
        pair.Reference, pair.Number, Chosen: false,
        Math.Max(NetworkNumbers.Rank(datacentre, pair.First.Ref), NetworkNumbers.Rank(datacentre, pair.Second.Ref)),
        [pair.First.Ref, pair.Second.Ref]);

    /// <summary>Who has the number goes first.</summary>
    public int CompareTo(NumberClaim? other) => other is null ? 1
        : (Chosen, Rank).CompareTo((other.Chosen, other.Rank)) is not 0 and var order ? order
        : string.CompareOrdinal(Reference, other.Reference);
}

/// <summary>
/// Who may use which VXLAN network number. Two networks with one number would be one network, so of several claimants
/// exactly one has it, everywhere and wherever machines run: derived numbers go before chosen ones, then the tenant
/// that the datacentre's operator listed first, then the reference.
/// </summary>
internal sealed class NetworkNumbers
{
    private readonly Layered<int, Claims> _claims;

    private sealed record Claims(ImmutableArray<NumberClaim> All)
    {
        public NumberClaim Holder { get; } = All.Min() ?? throw new System.Diagnostics.UnreachableException();
    }

    private NetworkNumbers(Layered<int, Claims> claims) => _claims = claims;

    public static NetworkNumbers Of(CheckedDatacentre datacentre, ImmutableArray<FlowPair> pairs)
    {
        var all = new Dictionary<int, Claims>();
        foreach (var claim in datacentre.Domains.Values.Select(domain => NumberClaim.By(datacentre, domain))
            .Concat(pairs.Select(pair => NumberClaim.By(datacentre, pair))))
        {
            all[claim.Number] = new Claims(all.TryGetValue(claim.Number, out var others)
                ? others.All.Add(claim) : [claim]);
        }

        return new NetworkNumbers(Layered<int, Claims>.Of(all));
    }

    /// <summary>The same without some claims and with others.</summary>
    /// <param name="gone">Those that are none any more.</param>
    /// <param name="come">Those that are new.</param>
    /// <param name="touched">Gets the domains whose networks, or passages, have a number that another had, or had one
    /// that another has.</param>
    public NetworkNumbers With(
        IEnumerable<NumberClaim> gone, IEnumerable<NumberClaim> come, ISet<DomainRef> touched)
    {
        var next = new Dictionary<int, ImmutableArray<NumberClaim>>();
        foreach (var claim in gone)
        {
            next[claim.Number] = Now(claim.Number).RemoveAll(one => one.Reference == claim.Reference);
        }

        foreach (var claim in come)
        {
            next[claim.Number] = Now(claim.Number).Add(claim);
        }

        foreach (var (number, claims) in next)
        {
            // Who claims alone, and who claimed alone, is new or gone itself.
            if (_claims.Find(number)?.Holder is { } then && claims.Min() is { } now && then.Reference != now.Reference)
            {
                touched.UnionWith([.. then.Of, .. now.Of]);
            }
        }

        return new NetworkNumbers(_claims.With(
            [.. next.Select(one => KeyValuePair.Create(one.Key, one.Value.IsEmpty ? null : new Claims(one.Value)))]));

        ImmutableArray<NumberClaim> Now(int number) =>
            next.TryGetValue(number, out var changed) ? changed : _claims.Find(number)?.All ?? [];
    }

    /// <summary>True if the network with this reference holds the number.</summary>
    public bool Holds(int number, string reference) =>
        string.Equals(_claims.Find(number)?.Holder.Reference, reference, StringComparison.Ordinal);

    /// <summary>Position of the domain's tenant in the operator's list; those not listed come last.</summary>
    public static int Rank(CheckedDatacentre datacentre, DomainRef domain) => datacentre.Index.Rank(domain.Tenant);
}
