using System.Collections.Immutable;
using System.Numerics;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Consequences;

/// <summary>Machines that run together or not at all: one, or those bound by <c>togetherWith</c>.</summary>
/// <param name="Machines">By reference; at least one.</param>
/// <param name="Hosts">The hosts that could run all of them with nothing else there, as bits.</param>
internal sealed record Bundle(ImmutableArray<CompartmentModel> Machines, BigInteger Hosts)
{
    /// <summary>What all of them need.</summary>
    public Room Needs { get; } = Capacity.Sum(Machines.Select(Capacity.Needed));

    /// <summary>Whether the two must be on different hosts.</summary>
    public bool IsApartFrom(Bundle other) => Machines.Any(one => other.Machines.Any(two => Apart(one, two)));

    /// <summary>Whether either machine's statement demands that the two be on different hosts.</summary>
    public static bool Apart(CompartmentModel one, CompartmentModel two) => one.Ref.Tenant == two.Ref.Tenant
        && (one.Placement.ApartFrom.Contains(two.Ref.Name) || two.Placement.ApartFrom.Contains(one.Ref.Name));
}

/// <summary>
/// Whether bundles can be placed at the same time: each on a host of its own choice, apart where they must be, with
/// room. Exact for what is left of few after those are set aside that always find a host no other has; of more, only
/// what is certain is said.
/// </summary>
internal sealed class Places(ImmutableArray<HostModel> hosts)
{
    /// <summary>So many bundles are searched exhaustively.</summary>
    public const int Few = 10;

    private const int MostSteps = 20_000;
    private int _steps;

    /// <summary>Bundles, none of which could be left out, that cannot all be placed; empty if none is proven.</summary>
    public ImmutableArray<Bundle> Impossible(ImmutableArray<Bundle> bundles)
    {
        var tight = Tight(bundles);
        var proven = tight.Length <= Few ? (IsImpossible(tight) ? tight : [])
            : Cliques(tight).Select(Crowd).FirstOrDefault(crowd => !crowd.IsEmpty, []);
        foreach (var bundle in proven.Length <= Few + 1 ? proven : [])
        {
            var without = proven.Remove(bundle);
            proven = IsImpossible(without) ? without : proven;
        }

        return proven;
    }

    /// <summary>Who may go to as many hosts as there are bundles comes last to one that nobody has.</summary>
    private static ImmutableArray<Bundle> Tight(ImmutableArray<Bundle> bundles)
    {
        while (true)
        {
            var left = bundles.RemoveAll(bundle => BigInteger.PopCount(bundle.Hosts) >= bundles.Length);
            if (left.Length == bundles.Length)
            {
                return left;
            }

            bundles = left;
        }
    }

    private bool IsImpossible(ImmutableArray<Bundle> bundles)
    {
        _steps = 0;
        var order = bundles.OrderBy(bundle => BigInteger.PopCount(bundle.Hosts)).ToArray();
        return !CanPlace(order, 0, new int[order.Length]) && _steps <= MostSteps;
    }

    /// <summary>True also where the steps run out: only what was searched to its end is impossible.</summary>
    private bool CanPlace(Bundle[] order, int next, int[] at)
    {
        if (next == order.Length || ++_steps > MostSteps)
        {
            return true;
        }

        for (int host = 0; host < hosts.Length; host++)
        {
            at[next] = host;
            if (!(order[next].Hosts >> host).IsEven && Fits(order, next, at) && CanPlace(order, next + 1, at))
            {
                return true;
            }
        }

        return false;
    }

    private bool Fits(Bundle[] order, int next, int[] at)
    {
        var room = Capacity.Whole(hosts[at[next]]) - order[next].Needs;
        for (int i = 0; i < next; i++)
        {
            if (at[i] != at[next])
            {
                continue;
            }

            room -= order[i].Needs;
            if (order[i].IsApartFrom(order[next]))
            {
                return false;
            }
        }

        return !room.IsShort;
    }

    /// <summary>Bundles that must all be apart from each other, as far as looking from each once finds them.</summary>
    private static IEnumerable<ImmutableArray<Bundle>> Cliques(ImmutableArray<Bundle> bundles)
    {
        var seen = new HashSet<Bundle>();
        foreach (var first in bundles.OrderBy(bundle => BigInteger.PopCount(bundle.Hosts)))
        {
            if (!seen.Add(first))
            {
                continue;
            }

            var clique = new List<Bundle> { first };
            foreach (var other in bundles.Where(one => one != first))
            {
                if (clique.TrueForAll(one => one.IsApartFrom(other)))
                {
                    clique.Add(other);
                    seen.Add(other);
                }
            }

            yield return [.. clique];
        }
    }

    /// <summary>
    /// Members of a clique that have fewer hosts than they are (Hall, On Representatives of Subsets, 1935): what an
    /// augmenting path that fails has reached. Empty when each has a host.
    /// </summary>
    private ImmutableArray<Bundle> Crowd(ImmutableArray<Bundle> clique)
    {
        var taken = new Dictionary<int, int>();
        for (int i = 0; i < clique.Length; i++)
        {
            var reached = new HashSet<int>();
            var tried = new HashSet<int>();
            if (!Augment(clique, i, taken, reached, tried))
            {
                return [.. reached.Order().Select(one => clique[one])];
            }
        }

        return [];
    }

    private bool Augment(
        ImmutableArray<Bundle> clique, int member, Dictionary<int, int> taken, HashSet<int> reached,
        HashSet<int> tried)
    {
        reached.Add(member);
        for (int host = 0; host < hosts.Length; host++)
        {
            if (!(clique[member].Hosts >> host).IsEven && tried.Add(host)
                && (!taken.TryGetValue(host, out int other) || Augment(clique, other, taken, reached, tried)))
            {
                taken[host] = member;
                return true;
            }
        }

        return false;
    }
}
