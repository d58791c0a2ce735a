using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.Proxy.Seeing;

/// <summary>What was read of one set of counters.</summary>
/// <param name="Device">The machine's port.</param>
/// <param name="Machine">The machine.</param>
/// <param name="At">What was counted.</param>
/// <param name="Counts">The set's elements.</param>
public sealed record FlowReading(string Device, string Machine, CountedAt At, IReadOnlyList<FlowCount> Counts)
{
    /// <summary>Reads the sets of the given ones of a domain's tables, as they are and as their receivers see them.
    /// </summary>
    /// <param name="plan">The plan whose counting tables stand.</param>
    /// <param name="isGateway">Whether the gateway's table is read, or the switch's.</param>
    /// <param name="read">Reads one set.</param>
    public static IReadOnlyList<FlowReading> All(
        DomainPlan plan, bool isGateway, Func<CountedSet, IReadOnlyList<FlowCount>> read)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(read);
        List<FlowReading> own =
        [
            .. from port in plan.Network.Ports
               from set in FlowTables.SetsOf(plan, port)
               where (set.Namespace is not null) == isGateway
               select new FlowReading(port.Device, port.Member.Ref.ToString(), set.At, read(set)),
        ];
        return [.. own, .. own.Where(reading => reading.At == CountedAt.Sent).SelectMany(sent => ToOthers(plan, sent))];
    }

    /// <summary>What one machine sends to another of the same switch is counted where it is sent, and got there.
    /// </summary>
    private static IEnumerable<FlowReading> ToOthers(DomainPlan plan, FlowReading sent)
    {
        MemberPlan sender = plan.Network.Ports.Single(port => port.Device == sent.Device).Member;
        return from count in sent.Counts
               let receiver = IsOf(sender, count.Client) ? count.Server : count.Client
               from port in plan.Network.Ports
               where port.Device != sent.Device && IsOf(port.Member, receiver)
               group count by port into got
               select new FlowReading(got.Key.Device, got.Key.Member.Ref.ToString(), CountedAt.Got, [.. got]);
    }

    private static bool IsOf(MemberPlan member, string address) => member.Ipv4 == address || member.Ipv6 == address;
}
