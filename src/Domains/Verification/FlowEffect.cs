using System.Collections.Immutable;
using System.Globalization;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Verification;

/// <summary>
/// What tables open or close that are not what policies say, in the words of the policies: <c>opens tcp/22 from
/// bank/web (web-1) to hospital/records (records-1)</c>.
/// </summary>
public static class FlowEffect
{
    private const string Stranger = "a domain of another tenant";

    /// <summary>The effect that a counter-example shows.</summary>
    /// <param name="example">The packet.</param>
    /// <param name="plans">The plans of all hosts that have a part in it.</param>
    /// <param name="isNamed">Which domains the reader may be told by their names.</param>
    public static string Of(Counterexample example, IEnumerable<HostPlan> plans, Func<DomainRef, bool> isNamed)
    {
        ArgumentNullException.ThrowIfNull(isNamed);
        ArgumentNullException.ThrowIfNull(example);
        ArgumentNullException.ThrowIfNull(plans);
        var all = plans.ToImmutableArray();
        var verb = example.Difference == Difference.PassesThoughClosed ? "opens" : "closes";
        var (from, to) = (End(example, all, isSender: true), End(example, all, isSender: false));
        var isWhole = new[] { from, to }.All(end => end.Domain is null || isNamed(end.Domain.Domain));
        return $"It {verb} {Service(example)} from {Words(from)} to {Words(to)}, for example."
            + (isWhole ? " " + example.Sentence : "");

        string Words((DomainPlan? Domain, string Machine) end) => end.Domain is null ? end.Machine
            : isNamed(end.Domain.Domain) ? $"{end.Domain.DisplayName} ({end.Machine})" : Stranger;
    }

    private static string Service(Counterexample example)
    {
        var packet = example.Packet;
        if (!packet.TryGetValue(HeaderField.Protocol, out var protocol))
        {
            return packet.TryGetValue(HeaderField.EtherType, out var type) ? Frames(type) : "frames";
        }

        // What goes back comes from the server's port.
        var end = example.Place == ProofPlace.GatewayAnswer ? HeaderField.SourcePort : HeaderField.DestinationPort;
        return (int)protocol switch
        {
            HeaderFields.Tcp => "tcp" + Port(packet, end),
            HeaderFields.Udp => "udp" + Port(packet, end),
            HeaderFields.Icmp => "icmp",
            HeaderFields.Icmp6 => "icmpv6",
            HeaderFields.None => packet.TryGetValue(HeaderField.EtherType, out var type) ? Frames(type) : "frames",
            var number => string.Create(CultureInfo.InvariantCulture, $"IP protocol {number}"),
        };
    }

    private static string Port(ImmutableSortedDictionary<HeaderField, UInt128> packet, HeaderField end) =>
        packet.TryGetValue(end, out var port) ? string.Create(CultureInfo.InvariantCulture, $"/{port}") : "";

    private static string Frames(UInt128 type) => (int)type switch
    {
        HeaderFields.Ipv4 => "IPv4",
        HeaderFields.Ipv6 => "IPv6",
        HeaderFields.Arp => "ARP",
        var other => string.Create(CultureInfo.InvariantCulture, $"frames of type 0x{other:x4}"),
    };

    /// <summary>Who is at an end: by the port it is behind, else by its address within reach of the place.</summary>
    private static (DomainPlan? Domain, string Machine) End(
        Counterexample example, ImmutableArray<HostPlan> plans, bool isSender)
    {
        var packet = example.Packet;
        if (packet.TryGetValue(isSender ? HeaderField.InName : HeaderField.OutName, out var device))
        {
            foreach (var domain in plans.SelectMany(plan => plan.Domains))
            {
                if (domain.Network.Ports.FirstOrDefault(port => NftValues.OfName(port.Device) == device) is { } port)
                {
                    return (domain, port.Member.Ref.Name.Text);
                }
            }
        }

        var four = isSender ? HeaderField.Source4 : HeaderField.Destination4;
        var six = isSender ? HeaderField.Source6 : HeaderField.Destination6;
        var isIpv4 = packet.TryGetValue(four, out var address);
        var here = plans.FirstOrDefault(plan => plan.Host == example.Host);
        if ((isIpv4 || packet.TryGetValue(six, out address)) && here is not null
            && Reach(here, example, plans).FirstOrDefault(one => Has(one.Member, address, isIpv4)) is
                { Domain: { } of, Member: { } member })
        {
            return (of, member.Ref.Name.Text);
        }

        // An address that is nobody's here names nobody.
        return (null, isIpv4 ? NftValues.Text("ipv4_addr", ValueRange.Of(address))
            : packet.ContainsKey(six) ? NftValues.Text("ipv6_addr", ValueRange.Of(address))
            : "anybody");
    }

    /// <summary>
    /// The members that a place can mean by an address: of the switches' domains, or of a gateway's and of those that
    /// it has a passage with. Their addresses are all different (subnet-seen-twice).
    /// </summary>
    private static IEnumerable<(DomainPlan Domain, MemberPlan Member)> Reach(
        HostPlan here, Counterexample example, ImmutableArray<HostPlan> plans)
    {
        var own = here.Domains.Where(domain =>
            example.Namespace is null || domain.Gateway?.Namespace == example.Namespace).ToArray();
        HashSet<DomainRef> near =
        [
            .. own.Select(domain => domain.Domain),
            .. here.Passages.Where(passage => passage.Between.Any(one => own.Any(domain => domain.Domain == one)))
                .SelectMany(passage => passage.Between),
        ];
        return plans.SelectMany(plan => plan.Domains).Where(domain => near.Contains(domain.Domain))
            .SelectMany(domain => domain.Network.Ports, (domain, port) => (domain, port.Member));
    }

    private static bool Has(MemberPlan member, UInt128 address, bool isIpv4) =>
        (isIpv4 ? member.Ipv4 : member.Ipv6) is { } text && NftValues.OfAddress(text) == address;
}
