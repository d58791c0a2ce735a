using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Placement;

/// <summary>Hosts, the one with the most memory free first, the name deciding between equals.</summary>
internal sealed class HostOrder
{
    private readonly Dictionary<HostRef, Place> _places;
    private readonly SortedSet<Place> _inOrder;

    private sealed record Place(long FreeMib, string Name, HostModel Host);

    public HostOrder(IEnumerable<HostModel> hosts)
    {
        _places = hosts.ToDictionary(
            host => host.Ref, host => new Place(host.CapacityMemoryMib, host.Ref.ToString(), host));
        _inOrder = new SortedSet<Place>(_places.Values, Comparer<Place>.Create((one, other) =>
            other.FreeMib.CompareTo(one.FreeMib) is var order and not 0
                ? order : string.CompareOrdinal(one.Name, other.Name)));
    }

    /// <summary>All of them.</summary>
    public IEnumerable<HostModel> Hosts => _inOrder.Select(place => place.Host);

    /// <summary>Counts a machine that is to run on a host; one of an unknown host is nobody's.</summary>
    public void Take(HostRef host, long memoryMib)
    {
        if (_places.TryGetValue(host, out var place))
        {
            _inOrder.Remove(place);
            _places[host] = place with { FreeMib = place.FreeMib - memoryMib };
            _inOrder.Add(_places[host]);
        }
    }
}
