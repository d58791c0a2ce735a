using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>An admitted machine's port in one domain, and where the machine is.</summary>
internal sealed class PlacedMember(CompartmentModel machine, HostModel host, int index)
{
    private MemberPlan? _plan;
    private string? _device;

    public CompartmentModel Machine => machine;

    public HostModel Host => host;

    public int Index => index;

    public NicModel Nic => machine.Nics[index];

    /// <summary>The interface of its host.</summary>
    public string Device => _device ??= DeviceNames.Tap(machine.Ref, index);

    /// <summary>Made once for all hosts that have it in their plans.</summary>
    public MemberPlan Plan => _plan ??= new MemberPlan(
        machine.Ref, DeviceNames.TapMac(machine.Ref, index), Nic.Ipv4?.ToString(), Nic.Ipv6?.ToString());

    /// <summary>Its address in a family, or null.</summary>
    public IPAddress? Address(bool isIpv6) => isIpv6 ? Nic.Ipv6 : Nic.Ipv4;
}

/// <summary>Members of one domain on one host, at least one. What plans say of them is made once for all hosts.
/// </summary>
internal sealed class HostMembers(string name, int place, ImmutableArray<PlacedMember> all)
{
    private ImmutableArray<MemberPlan> _plans;
    private ImmutableArray<string> _ipv4;
    private ImmutableArray<string> _ipv6;
    private ImmutableArray<LinkModel> _links;
    private Kept<PeerPlan>? _peers;

    /// <summary>The host's reference as text, by which hosts are in order.</summary>
    public string Name => name;

    /// <summary>Its place among the hosts of the domain's members.</summary>
    public int Place => place;

    public HostModel Host => all[0].Host;

    /// <summary>By machine and index.</summary>
    public ImmutableArray<PlacedMember> All => all;

    public ImmutableArray<MemberPlan> Plans => _plans.IsDefault
        ? _plans = [.. all.Select(member => member.Plan)] : _plans;

    /// <summary>Their addresses in a family, in order, each once.</summary>
    public ImmutableArray<string> Addresses(bool isIpv6) => isIpv6
        ? _ipv6.IsDefault ? _ipv6 = Made(isIpv6) : _ipv6
        : _ipv4.IsDefault ? _ipv4 = Made(isIpv6) : _ipv4;

    /// <summary>The links that the host is on.</summary>
    public ImmutableArray<LinkModel> Links(HostLinks links) => _links.IsDefault ? _links = links.Of(Host) : _links;

    /// <summary>What hosts that are reached in a way that is several hosts' have of it in their plans.</summary>
    public PeerPlan Peer(LinkWay way) => Kept<PeerPlan>.Find(_peers, way)
        ?? Kept<PeerPlan>.Of(ref _peers, way, Made);

    /// <summary>The same for a way that is one host's alone.</summary>
    public PeerPlan Made(LinkWay way) => new(
        Host.Ref, Host.UnderlayIpv4, Plans, way.Protection, new Reason(way.Sentence, [.. way.Because, Host.Origin]));

    private ImmutableArray<string> Made(bool isIpv6) =>
    [
        .. all.Select(member => isIpv6 ? member.Plan.Ipv6 : member.Plan.Ipv4).OfType<string>()
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
    ];
}

/// <summary>A domain's members by host.</summary>
internal sealed class PlacedDomain
{
    private readonly Dictionary<HostRef, HostMembers> _byHost;
    // By the lists themselves, which flows that name the same have in common.
    private readonly ConcurrentDictionary<ImmutableArray<CompartmentRef>, PlacedDomain> _named = [];
    // By the hosts' links, and the ways that were found for these.
    private readonly ConcurrentDictionary<(ImmutableArray<LinkModel>, LinkWays), ImmutableArray<PeerPlan>> _peers = [];
    private ImmutableArray<PlacedAddress> _ipv4;
    private ImmutableArray<PlacedAddress> _ipv6;

    private PlacedDomain(ImmutableArray<PlacedMember> all)
    {
        All = all;
        ByHost =
        [
            .. all.GroupBy(member => member.Host.Ref)
                .Select(group => (Name: group.Key.ToString(), Members: group))
                .OrderBy(there => there.Name, StringComparer.Ordinal)
                .Select((there, place) => new HostMembers(there.Name, place, [.. there.Members])),
        ];
        _byHost = ByHost.ToDictionary(there => there.Host.Ref);
    }

    public static PlacedDomain Empty { get; } = new([]);

    /// <summary>All, by machine and index.</summary>
    public ImmutableArray<PlacedMember> All { get; }

    /// <summary>Those on each host that has one, in the order of the hosts' references.</summary>
    public ImmutableArray<HostMembers> ByHost { get; }

    public static PlacedDomain Of(ImmutableArray<PlacedMember> members) => new(members);

    /// <summary>Those that a flow names.</summary>
    public PlacedDomain Only(ImmutableArray<CompartmentRef> machines) => _named.GetOrAdd(machines, those =>
    {
        var named = those.ToHashSet();
        return All.All(member => named.Contains(member.Machine.Ref)) ? this
            : Of([.. All.Where(member => named.Contains(member.Machine.Ref))]);
    });

    /// <summary>All addresses of a family, in order, each once.</summary>
    public ImmutableArray<PlacedAddress> Addresses(bool isIpv6) => isIpv6
        ? _ipv6.IsDefault ? _ipv6 = Made(isIpv6) : _ipv6
        : _ipv4.IsDefault ? _ipv4 = Made(isIpv6) : _ipv4;

    /// <summary>What the plan of a host with these members has of the others'.</summary>
    /// <param name="own">The host's members.</param>
    /// <param name="links">Which links join hosts.</param>
    /// <param name="ways">How the domain's frames pass them.</param>
    public ImmutableArray<PeerPlan> Peers(HostMembers own, HostLinks links, LinkWays ways)
    {
        // All hosts that are on the same links say the same of each other host.
        var on = own.Links(links);
        if (_peers.TryGetValue((on, ways), out var all))
        {
            return all.RemoveAt(own.Place);
        }

        // More than the hosts can have by one statement: those of statements before are nobody's any more.
        if (_peers.Count > 2 * ByHost.Length)
        {
            _peers.Clear();
        }

        return ByHost.Any(there => there != own && there.Links(links) == on)
            ? _peers.GetOrAdd((on, ways), Made(ByHost, on, links, ways)).RemoveAt(own.Place)
            : Made(ByHost.RemoveAt(own.Place), on, links, ways);
    }

    private static ImmutableArray<PeerPlan> Made(
        ImmutableArray<HostMembers> those, ImmutableArray<LinkModel> on, HostLinks links, LinkWays ways) =>
        [.. those.Select(there => there.Peer(ways.By(links.Joining(on, there.Links(links)))))];

    private ImmutableArray<PlacedAddress> Made(bool isIpv6)
    {
        var all = ImmutableArray.CreateBuilder<PlacedAddress>();
        foreach (var there in ByHost)
        {
            foreach (var address in there.Addresses(isIpv6))
            {
                all.Add(new PlacedAddress(address, there.Place));
            }
        }

        // Of two hosts with one address the first has it.
        all.Sort((one, other) => string.CompareOrdinal(one.Text, other.Text) is not 0 and var order
            ? order : one.Host.CompareTo(other.Host));
        for (var i = all.Count - 1; i > 0; i--)
        {
            if (all[i].Text == all[i - 1].Text)
            {
                all.RemoveAt(i);
            }
        }

        return all.DrainToImmutable();
    }

    /// <summary>Those on a host; null where there are none.</summary>
    public HostMembers? At(HostRef host) => _byHost.GetValueOrDefault(host);

    /// <summary>The same as a list.</summary>
    public ImmutableArray<PlacedMember> On(HostRef host) => At(host)?.All ?? [];
}

/// <summary>An address, and the place of the host that it is on among the hosts of the domain's members.</summary>
internal readonly record struct PlacedAddress(string Text, int Host);

/// <summary>What was made for each of a few ways, each of which is always the same one.</summary>
internal sealed class Kept<T>
    where T : class
{
    // A host is reached in few ways by one statement; those of statements before are nobody's any more.
    private const int Most = 32;
    private readonly LinkWay _way;
    private readonly int _count;
    private readonly T _made;
    private readonly Kept<T>? _others;

    private Kept(LinkWay way, T made, Kept<T>? others) =>
        (_way, _made, _others, _count) = (way, made, others, (others?._count ?? 0) + 1);

    /// <summary>What was made for a way; null where nothing was yet.</summary>
    public static T? Find(Kept<T>? all, LinkWay way)
    {
        while (all is not null && !ReferenceEquals(all._way, way))
        {
            all = all._others;
        }

        return all?._made;
    }

    /// <summary>Finds it, or makes it; whoever comes second gets what the first made.</summary>
    public static T Of(ref Kept<T>? all, LinkWay way, Func<LinkWay, T> make)
    {
        while (true)
        {
            var newest = Volatile.Read(ref all);
            if (Find(newest, way) is { } made)
            {
                return made;
            }

            var others = newest?._count < Most ? newest : null;
            Interlocked.CompareExchange(ref all, new Kept<T>(way, make(way), others), newest);
        }
    }
}
