using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Rendering;

/// <summary>
/// How one text of a table becomes another, as the elements that one transaction takes out and puts in: what one
/// machine changes is a few among the tens of thousands of a large domain.
/// </summary>
/// <param name="Commands">For <c>nft -f -</c>; empty when nothing differs.</param>
/// <param name="Elements">How many elements go or come.</param>
public sealed record NftChange(string Commands, int Elements)
{
    /// <summary>Nothing differs.</summary>
    public static NftChange None { get; } = new("", 0);

    /// <summary>
    /// Compares two texts that <see cref="NftTables"/> made; null when they differ in more than the elements of their
    /// sets, so that the whole text must be loaded.
    /// </summary>
    public static NftChange? Between(string before, string after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        if (before == after)
        {
            return None;
        }

        var (was, now) = (Parts.Of(before), Parts.Of(after));
        if (was.Frame != now.Frame)
        {
            return null;
        }

        StringBuilder going = new(), coming = new();
        var count = was.Sets.Zip(now.Sets).Sum(pair =>
            Merge(pair.First.Elements, pair.Second.Elements, pair.First.Name, going, coming));
        // What goes comes first: an element may come again with another verdict.
        return new NftChange(going.Append(coming).ToString(), count);
    }

    /// <summary>
    /// The same for the tables of two plans of one domain, without writing down what is about members that are in both.
    /// </summary>
    public static NftChange? Between(DomainPlan before, DomainPlan after)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        if (!DomainTable.SayTheSameOfAMember(before, after))
        {
            return Between(DomainTable.Text(before), DomainTable.Text(after));
        }

        var (was, now) = WithoutEqualPeers(before, after);
        return Between(DomainTable.Text(Without(was, Places(now))), DomainTable.Text(Without(now, Places(was))));
    }

    /// <summary>
    /// The same plans without the members of peers that are in both, which are nearly all of a large domain; but as
    /// they are where such a peer has a member that is somewhere else too.
    /// </summary>
    private static (DomainPlan Before, DomainPlan After) WithoutEqualPeers(DomainPlan before, DomainPlan after)
    {
        var others = new Dictionary<(HostRef, LinkProtection), PeerPlan>();
        foreach (var peer in after.Network.Peers)
        {
            others.TryAdd((peer.Host, peer.Protection), peer);
        }

        var equal = new HashSet<(HostRef, LinkProtection)>();
        var members = new List<ImmutableArray<MemberPlan>>();
        foreach (var peer in before.Network.Peers)
        {
            if (others.TryGetValue((peer.Host, peer.Protection), out var other)
                && peer.Members.SequenceEqual(other.Members) && equal.Add((peer.Host, peer.Protection)))
            {
                members.Add(peer.Members);
            }
        }

        var (was, now) = (Emptied(before, equal), Emptied(after, equal));
        var left = Macs(was).Concat(Macs(now)).ToHashSet(StringComparer.Ordinal);
        return members.Any(peer => peer.Any(member => left.Contains(member.Mac))) ? (before, after) : (was, now);
    }

    private static IEnumerable<string> Macs(DomainPlan plan) => plan.Network.Ports.Select(port => port.Member.Mac)
        .Concat(plan.Network.Peers.SelectMany(peer => peer.Members.Select(member => member.Mac)));

    /// <summary>The first of each of these peers is empty.</summary>
    private static DomainPlan Emptied(DomainPlan plan, HashSet<(HostRef, LinkProtection)> peers)
    {
        var left = peers.ToHashSet();
        return plan with
        {
            Network = plan.Network with
            {
                Peers =
                [
                    .. plan.Network.Peers.Select(peer =>
                        left.Remove((peer.Host, peer.Protection)) ? peer with { Members = [] } : peer),
                ],
            },
        };
    }

    private static Dictionary<(string Device, string Mac), MemberPlan> Places(DomainPlan plan)
    {
        var places = new Dictionary<(string, string), MemberPlan>();
        foreach (var port in plan.Network.Ports)
        {
            places[(port.Device, port.Member.Mac)] = port.Member;
        }

        foreach (var peer in plan.Network.Peers)
        {
            foreach (var member in peer.Members)
            {
                places[(Way(peer.Protection), member.Mac)] = member;
            }
        }

        return places;
    }

    private static DomainPlan Without(DomainPlan plan, Dictionary<(string, string), MemberPlan> same)
    {
        bool IsNew(string place, MemberPlan member) =>
            !same.TryGetValue((place, member.Mac), out var other) || !other.Equals(member);

        var network = plan.Network;
        return plan with
        {
            Network = network with
            {
                Ports = [.. network.Ports.Where(port => IsNew(port.Device, port.Member))],
                Peers =
                [
                    .. network.Peers.Select(peer => peer with
                    {
                        Members = [.. peer.Members.Where(member => IsNew(Way(peer.Protection), member))],
                    }),
                ],
            },
        };
    }

    /// <summary>Frames of all peers that are reached in the same way come by the same ports.</summary>
    private static string Way(LinkProtection protection) => protection switch
    {
        LinkProtection.Clear => "clear",
        LinkProtection.Encrypted => "encrypted",
        LinkProtection.Vlan => "vlan",
        _ => throw new UnreachableException(),
    };

    /// <summary>Both are in the order of their characters' numbers, each element once.</summary>
    private static int Merge(
        List<ReadOnlyMemory<char>> was, List<ReadOnlyMemory<char>> now, string set, StringBuilder going,
        StringBuilder coming)
    {
        int count = 0, i = 0, j = 0;
        while (i < was.Count || j < now.Count)
        {
            var order = i == was.Count ? 1 : j == now.Count ? -1 : was[i].Span.SequenceCompareTo(now[j].Span);
            if (order < 0)
            {
                going.Append("delete element ").Append(set).Append(" { ").Append(was[i++]).Append(" }\n");
                count++;
            }
            else if (order > 0)
            {
                coming.Append("add element ").Append(set).Append(" { ").Append(now[j++]).Append(" }\n");
                count++;
            }
            else
            {
                i++;
                j++;
            }
        }

        return count;
    }

    /// <summary>A text apart: its sets' elements, and everything else.</summary>
    /// <param name="Frame">All lines that are not an element.</param>
    /// <param name="Sets">Family, table and name of each set or map, in the order of the text.</param>
    private sealed record Parts(string Frame, List<(string Name, List<ReadOnlyMemory<char>> Elements)> Sets)
    {
        public static Parts Of(string text)
        {
            var frame = new StringBuilder();
            List<(string, List<ReadOnlyMemory<char>>)> sets = [];
            List<ReadOnlyMemory<char>>? elements = null;
            var table = "";
            var isInside = false;
            for (int at = 0, end; at < text.Length; at = end + 1)
            {
                end = text.IndexOf('\n', at);
                end = end < 0 ? text.Length : end;
                var line = text.AsMemory(at, end - at).TrimStart('\t');
                if (isInside && !line.Span.SequenceEqual("}"))
                {
                    elements?.Add(line.TrimEnd(','));
                    continue;
                }

                if (isInside || line.Span.SequenceEqual(NftText.Elements))
                {
                    // A set that has none has no such block either.
                    isInside = !isInside;
                    continue;
                }

                frame.Append(line).Append('\n');
                switch (line.ToString().Split(' '))
                {
                    case ["table", var family, var name, "{"]:
                        table = $"{family} {name}";
                        break;
                    case ["set" or "map", var name, "{"]:
                        elements = [];
                        sets.Add(($"{table} {name}", elements));
                        break;
                    default:
                        break;
                }
            }

            return new Parts(frame.ToString(), sets);
        }
    }
}
