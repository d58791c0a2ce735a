using System.Collections.Immutable;
using System.Numerics;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Consequences;

/// <summary>Looks for a host that meets all of some demands.</summary>
/// <param name="hosts">The hosts of the datacentre, by reference; at least one.</param>
internal sealed class HostSearch(ImmutableArray<HostModel> hosts)
{
    /// <summary>The hosts.</summary>
    public ImmutableArray<HostModel> Hosts => hosts;

    /// <summary>The hosts that count: those of the datacentre's own operator.</summary>
    public static HostSearch? Over(AdmissionGround ground)
    {
        ImmutableArray<HostModel> hosts =
            [.. ground.Datacentre.Inventory.Hosts.Values.Where(host => ground.Host(host.Ref) is not null)];
        return hosts.IsEmpty ? null : new HostSearch(hosts);
    }

    /// <summary>Why there is none; null when there is one.</summary>
    public NoHost? For(ImmutableArray<HostTerm> terms)
    {
        var missed = new BigInteger[hosts.Length];
        for (int i = 0; i < hosts.Length; i++)
        {
            missed[i] = Missed(terms, hosts[i]);
            if (missed[i].IsZero)
            {
                return null;
            }
        }

        var nearest = Enumerable.Range(0, hosts.Length).MinBy(i => BigInteger.PopCount(missed[i]));
        return new NoHost(
            [.. SmallestReason.Of(missed, terms.Length).Select(i => terms[i])], hosts[nearest],
            [.. terms.Where((_, i) => !(missed[nearest] >> i).IsEven)], hosts.Length);
    }

    private static BigInteger Missed(ImmutableArray<HostTerm> terms, HostModel host)
    {
        var missed = BigInteger.Zero;
        for (int i = 0; i < terms.Length; i++)
        {
            if (!terms[i].Holds(host))
            {
                missed |= BigInteger.One << i;
            }
        }

        return missed;
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
