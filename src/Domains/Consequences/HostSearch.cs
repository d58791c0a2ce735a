using System.Collections.Immutable;
using System.Numerics;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Consequences;

/// <summary>Looks for hosts that meet all of some demands. Each demand is asked of each host once.</summary>
internal sealed class HostSearch
{
    private readonly Dictionary<object, BigInteger> _holding = [];
    private readonly Dictionary<BigInteger, ImmutableArray<HostModel>> _named = [];
    private readonly BigInteger _all;

    private HostSearch(ImmutableArray<HostModel> hosts)
    {
        Hosts = hosts;
        _all = (BigInteger.One << hosts.Length) - BigInteger.One;
    }

    /// <summary>The hosts of the datacentre, by reference; at least one.</summary>
    public ImmutableArray<HostModel> Hosts { get; }

    /// <summary>The hosts that count: those of the datacentre's own operator; null where there is none.</summary>
    public static HostSearch? Over(AdmissionGround ground)
    {
        ImmutableArray<HostModel> hosts =
            [.. ground.Datacentre.Inventory.Hosts.Values.Where(host => ground.Host(host.Ref) is not null)];
        return hosts.IsEmpty ? null : new HostSearch(hosts);
    }

    /// <summary>The hosts that meet all of them, as bits.</summary>
    public BigInteger Meeting(ImmutableArray<HostTerm> terms) =>
        terms.Aggregate(_all, (left, term) => left.IsZero ? left : left & Holding(term));

    /// <summary>The hosts of some bits.</summary>
    public ImmutableArray<HostModel> Named(BigInteger hosts) => _named.TryGetValue(hosts, out var known) ? known
        : _named[hosts] = [.. Hosts.Where((_, i) => !(hosts >> i).IsEven)];

    /// <summary>Why there is none; null when there is one.</summary>
    public NoHost? For(ImmutableArray<HostTerm> terms)
    {
        if (!Meeting(terms).IsZero)
        {
            return null;
        }

        var missed = Hosts.Select((_, host) => terms.Select(Holding).Select((holding, term) =>
            (holding >> host).IsEven ? BigInteger.One << term : BigInteger.Zero)
            .Aggregate(BigInteger.Zero, (all, bit) => all | bit)).ToArray();
        int nearest = Enumerable.Range(0, Hosts.Length).MinBy(i => BigInteger.PopCount(missed[i]));
        return new NoHost(
            [.. SmallestReason.Of(missed, terms.Length).Select(i => terms[i])], Hosts[nearest],
            [.. terms.Where((_, i) => !(missed[nearest] >> i).IsEven)], Hosts.Length);
    }

    private BigInteger Holding(HostTerm term)
    {
        var measure = term.Measure;
        if (_holding.TryGetValue(measure, out var known))
        {
            return known;
        }

        if (term is HostTerm.Reserved { Without: var without })
        {
            return _holding[measure] = _all & ~without;
        }

        var bits = new byte[(Hosts.Length / 8) + 1];
        for (int i = 0; i < Hosts.Length; i++)
        {
            if (term.Holds(Hosts[i]))
            {
                bits[i / 8] |= (byte)(1 << (i % 8));
            }
        }

        return _holding[measure] = new BigInteger(bits, isUnsigned: true);
    }
}

/// <summary>That no host meets some demands.</summary>
/// <param name="Reason">The fewest of them that exclude every host.</param>
/// <param name="Nearest">The host that misses the fewest.</param>
/// <param name="Missing">What it misses: the fewest demands whose change lets a host in.</param>
/// <param name="Hosts">How many hosts there are.</param>
internal sealed record NoHost(
    ImmutableArray<HostTerm> Reason, HostModel Nearest, ImmutableArray<HostTerm> Missing, int Hosts)
{
    /// <summary>For people: what excludes every host, and where it is said.</summary>
    public string Because(FindingPlaces places) => string.Join("; ", Reason.Select(term =>
            $"{term.Demand} ({places.At(term.Because, term.Pointer)})"))
        + (Reason.Length > 1 ? $": none of {Count} meets all of it." : $": none of {Count} meets it.");

    /// <summary>For people: the least change, and what it gives.</summary>
    public string Remedy =>
        $"The least change: {string.Join(", and ", Missing.Select(term => term.Change(Nearest)))}; then "
        + $"{Nearest.Ref.Name} can.";

    private string Count => Hosts == 1 ? "1 host" : $"{Hosts} hosts";
}
