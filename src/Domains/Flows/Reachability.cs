namespace Bailiwick.Domains.Flows;

/// <summary>
/// Who is reached from whom in a directed graph, for all pairs: strongly connected components (Tarjan 1972), and over
/// them one set of bits for each, made in reverse topological order, so that every edge is looked at once. Costs
/// O(V + E + C * E' / 64) for C components with E' edges between them.
/// </summary>
internal sealed class Reachability
{
    private const int Unseen = -1;
    private readonly int[] _component;
    private readonly List<ulong[]> _reached = [];

    private Reachability(int[] component) => _component = component;

    /// <summary>Makes the closure of a graph.</summary>
    /// <param name="next">For each node, by number from 0, the nodes that an edge leads to.</param>
    public static Reachability Of(int[][] next)
    {
        var closure = new Reachability([.. Enumerable.Repeat(Unseen, next.Length)]);
        closure.Walk(next);
        return closure;
    }

    /// <summary>Whether a path leads from one node to the other; from each to itself one of no edges does.</summary>
    public bool Reaches(int from, int to) => Has(_reached[_component[from]], _component[to]);

    // Without recursion: a path may be as long as there are domains.
    private void Walk(int[][] next)
    {
        var (order, low, at) = (new int[next.Length], new int[next.Length], new int[next.Length]);
        var (open, path) = (new Stack<int>(), new Stack<int>());
        int seen = 0;
        for (int root = 0; root < next.Length; root++)
        {
            if (order[root] != 0)
            {
                continue;
            }

            Enter(root);
            while (path.TryPeek(out int node))
            {
                if (at[node] < next[node].Length)
                {
                    int peer = next[node][at[node]++];
                    if (order[peer] == 0)
                    {
                        Enter(peer);
                    }
                    else if (_component[peer] == Unseen)
                    {
                        low[node] = Math.Min(low[node], order[peer]);
                    }

                    continue;
                }

                path.Pop();
                if (path.TryPeek(out int before))
                {
                    low[before] = Math.Min(low[before], low[node]);
                }

                if (low[node] == order[node])
                {
                    Close(node, open, next);
                }
            }
        }

        void Enter(int node)
        {
            order[node] = low[node] = ++seen;
            open.Push(node);
            path.Push(node);
        }
    }

    /// <summary>A component is whole; all that it leads to were before it.</summary>
    private void Close(int root, Stack<int> open, int[][] next)
    {
        var members = new List<int>();
        int member;
        do
        {
            member = open.Pop();
            _component[member] = _reached.Count;
            members.Add(member);
        }
        while (member != root);

        var reached = new ulong[(_reached.Count / 64) + 1];
        Add(reached, _reached.Count);
        foreach (int target in members.SelectMany(one => next[one]).Select(peer => _component[peer]))
        {
            if (!Has(reached, target))
            {
                ulong[] more = _reached[target];
                for (int i = 0; i < more.Length; i++)
                {
                    reached[i] |= more[i];
                }
            }
        }

        _reached.Add(reached);
    }

    // A component reaches none that was made after it, so its set ends where it stands.
    private static bool Has(ulong[] set, int bit) =>
        bit / 64 < set.Length && (set[bit / 64] & (1UL << (bit % 64))) != 0;

    private static void Add(ulong[] set, int bit) => set[bit / 64] |= 1UL << (bit % 64);
}
