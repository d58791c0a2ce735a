using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>
/// Where the information of each domain can come, directly and through others: the closure of what flows between any
/// two (D. E. Denning, "A lattice model of secure information flow", 1976), by open flows and by machines that are
/// members of several domains. Inside a domain everything flows, so a domain is one node; that what comes to it goes on
/// is assumed of each.
/// </summary>
public sealed class InformationFlow
{
    private readonly Dictionary<DomainRef, int> _numbers;
    private readonly int[][] _next;
    private readonly InformationEdge[][] _edges;
    private readonly Lazy<int[][]> _previous;
    private readonly Lazy<Reachability> _closure;

    private InformationFlow(ImmutableArray<DomainModel> domains, Dictionary<DomainRef, int> numbers,
        SortedDictionary<int, InformationEdge>[] edges)
    {
        _numbers = numbers;
        _next = [.. edges.Select(to => to.Keys.ToArray())];
        _edges = [.. edges.Select(to => to.Values.ToArray())];
        _previous = new Lazy<int[][]>(() => Reversed(_next));
        _closure = new Lazy<Reachability>(() => Reachability.Of(_next));
        Domains = domains;
    }

    /// <summary>All domains, by reference text.</summary>
    public ImmutableArray<DomainModel> Domains { get; }

    /// <summary>The edges, by the two domains' reference texts; of several between two the one that is told: the first
    /// open flow, else the first machine.</summary>
    public IEnumerable<InformationEdge> Edges => _edges.SelectMany(edges => edges);

    /// <summary>What can come where by all that a matrix has open.</summary>
    public static InformationFlow Of(FlowMatrix matrix)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        return Of(matrix.Datacentre, matrix.Open);
    }

    /// <summary>What can come where by these flows, and by the machines that are there.</summary>
    internal static InformationFlow Of(CheckedDatacentre datacentre, IEnumerable<OpenFlow> open)
    {
        ImmutableArray<DomainModel> domains = [.. datacentre.Domains.Values];
        var numbers = new Dictionary<DomainRef, int>(domains.Length);
        for (int i = 0; i < domains.Length; i++)
        {
            numbers.Add(domains[i].Ref, i);
        }

        var edges = new SortedDictionary<int, InformationEdge>[domains.Length];
        for (int i = 0; i < edges.Length; i++)
        {
            edges[i] = [];
        }

        foreach (var edge in open.SelectMany(InformationEdge.Of).Concat(Joined(datacentre)))
        {
            edges[numbers[edge.From.Ref]].TryAdd(numbers[edge.To.Ref], edge);
        }

        return new InformationFlow(domains, numbers, edges);
    }

    /// <summary>
    /// Whether what one domain knows can come to the other; a domain's own is with itself. False where no statement
    /// describes one of them.
    /// </summary>
    public bool Reaches(DomainRef from, DomainRef to) => _numbers.TryGetValue(from, out int source)
        && _numbers.TryGetValue(to, out int target) && _closure.Value.Reaches(source, target);

    /// <summary>
    /// A shortest way from one domain to the other, of several the first by the domains' reference texts; empty where
    /// there is none, and from a domain to itself.
    /// </summary>
    public ImmutableArray<InformationEdge> Path(DomainRef from, DomainRef to) =>
        _numbers.TryGetValue(from, out int source) && _numbers.TryGetValue(to, out int target)
            ? Search([source]).Path(target) : [];

    /// <summary>The number of a domain; null where no statement describes it.</summary>
    internal int? Number(DomainRef domain) => _numbers.TryGetValue(domain, out int number) ? number : null;

    /// <summary>Everything that is reached from some domains, each by a shortest way.</summary>
    /// <param name="sources">Their numbers.</param>
    /// <param name="keepers">Domains that are reached and lead nowhere, unless they are sources.</param>
    /// <param name="without">A domain that is left out.</param>
    internal InformationSearch Search(
        IEnumerable<int> sources, HashSet<int>? keepers = null, int? without = null)
    {
        var search = new InformationSearch(this, Domains.Length);
        var queue = new Queue<int>();
        foreach (int source in sources.Where(source => source != without && search.Start(source)))
        {
            queue.Enqueue(source);
        }

        while (queue.TryDequeue(out int node))
        {
            if (keepers?.Contains(node) == true && search.Distance(node) > 0)
            {
                continue;
            }

            foreach (int peer in _next[node])
            {
                if (peer != without && search.Add(node, peer))
                {
                    queue.Enqueue(peer);
                }
            }
        }

        return search;
    }

    /// <summary>
    /// Which domains lead to one of some targets: the targets themselves, and what informs a domain that leads there.
    /// </summary>
    /// <param name="targets">Their numbers.</param>
    /// <param name="keepers">Domains that lead nowhere, unless they are targets.</param>
    /// <param name="without">A domain that is left out.</param>
    internal bool[] LeadingTo(IEnumerable<int> targets, HashSet<int> keepers, int without)
    {
        var leads = new bool[Domains.Length];
        var queue = new Queue<int>(targets.Where(node => node != without));
        foreach (int node in queue)
        {
            leads[node] = true;
        }

        while (queue.TryDequeue(out int node))
        {
            foreach (int before in Previous(node))
            {
                if (!leads[before] && before != without && !keepers.Contains(before))
                {
                    leads[before] = true;
                    queue.Enqueue(before);
                }
            }
        }

        return leads;
    }

    /// <summary>The domains that a domain informs directly.</summary>
    internal int[] Next(int node) => _next[node];

    /// <summary>The domains that inform a domain directly.</summary>
    internal int[] Previous(int node) => _previous.Value[node];

    /// <summary>The edge between two domains that are neighbours.</summary>
    internal InformationEdge Edge(int from, int to) => _edges[from][Array.BinarySearch(_next[from], to)];

    private static int[][] Reversed(int[][] next)
    {
        var previous = new List<int>[next.Length];
        for (int i = 0; i < next.Length; i++)
        {
            previous[i] = [];
        }

        for (int i = 0; i < next.Length; i++)
        {
            foreach (int peer in next[i])
            {
                previous[peer].Add(i);
            }
        }

        return [.. previous.Select(list => list.ToArray())];
    }

    private static IEnumerable<InformationEdge> Joined(CheckedDatacentre datacentre) =>
        from machine in datacentre.Machinery.Compartments.Values
        where machine.Nics.Length > 1
        from one in FlowMatrix.Domains(machine)
        from other in FlowMatrix.Domains(machine)
        where one != other
        select new InformationEdge.Machine(
            datacentre.Domains[one.ToString()], datacentre.Domains[other.ToString()], machine);
}

/// <summary>What a search from some domains reached, each by a shortest way.</summary>
internal sealed class InformationSearch
{
    private const int Nowhere = -1;
    private readonly InformationFlow _flow;
    private readonly int[] _before;
    private readonly int[] _distance;
    private readonly List<int> _reached = [];

    public InformationSearch(InformationFlow flow, int count)
    {
        _flow = flow;
        (_before, _distance) = (new int[count], new int[count]);
        Array.Fill(_distance, Nowhere);
    }

    /// <summary>The domains reached, the sources among them, the nearest first.</summary>
    public IReadOnlyList<int> Reached => _reached;

    /// <summary>Whether a domain is reached; a source is.</summary>
    public bool Has(int node) => _distance[node] != Nowhere;

    /// <summary>How many edges away it is; negative where it is not reached.</summary>
    public int Distance(int node) => _distance[node];

    /// <summary>The way to a domain from the source it is nearest to.</summary>
    public ImmutableArray<InformationEdge> Path(int node)
    {
        var path = new Stack<InformationEdge>();
        for (; _distance[node] > 0; node = _before[node])
        {
            path.Push(_flow.Edge(_before[node], node));
        }

        return [.. path];
    }

    internal bool Start(int node)
    {
        if (Has(node))
        {
            return false;
        }

        _distance[node] = 0;
        _reached.Add(node);
        return true;
    }

    internal bool Add(int from, int node)
    {
        if (Has(node))
        {
            return false;
        }

        (_before[node], _distance[node]) = (from, _distance[from] + 1);
        _reached.Add(node);
        return true;
    }
}
