using System.Net;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Lab.Probes;

namespace Bailiwick.Lab.Demonstration;

/// <summary>One way for a packet to get from one machine to another.</summary>
/// <param name="Name">As shown: <c>icmp</c>, <c>tcp/5432</c>, <c>arp</c>, <c>icmp6</c>...</param>
/// <param name="Kind">What the probe is asked.</param>
/// <param name="Ipv6">Whether to the machine's IPv6 address.</param>
/// <param name="Port">For TCP and UDP.</param>
public sealed record Way(string Name, ProbeKind Kind, bool Ipv6, int Port)
{
    /// <summary>A port that no example flow opens.</summary>
    public const int OtherTcpPort = 22;

    /// <summary>Port of the UDP questions.</summary>
    public const int UdpPort = 4000;

    /// <summary>Everything that is tried between every ordered pair.</summary>
    public static IReadOnlyList<Way> All { get; } =
    [
        new("icmp", ProbeKind.Ping, false, 0),
        new("tcp/5432", ProbeKind.Tcp, false, 5432),
        new("tcp/8443", ProbeKind.Tcp, false, 8443),
        new("tcp/22", ProbeKind.Tcp, false, OtherTcpPort),
        new("udp/4000", ProbeKind.Udp, false, UdpPort),
        new("arp", ProbeKind.Arp, false, 0),
        new("icmp6", ProbeKind.Ping, true, 0),
        new("tcp6/5432", ProbeKind.Tcp, true, 5432),
        new("tcp6/8443", ProbeKind.Tcp, true, 8443),
        new("tcp6/22", ProbeKind.Tcp, true, OtherTcpPort),
        new("nd", ProbeKind.Neighbour, true, 0),
    ];

    /// <summary>Broadcast and multicast, unasked.</summary>
    public static Way Shout { get; } = new("shout", ProbeKind.Arp, false, 0);

    /// <summary>Any frame at all, straight from one machine to another.</summary>
    public static Way Frame { get; } = new("frame", ProbeKind.Arp, false, 0);

    /// <summary>TCP ports on which every machine listens, so that a closed door is the policy's doing.</summary>
    public static IEnumerable<int> TcpPorts => All.Where(w => w.Kind == ProbeKind.Tcp).Select(w => w.Port).Distinct();

    /// <summary>Whether the policies promise that it passes.</summary>
    public bool Promised(FlowExpectation expectation) => expectation switch
    {
        FlowExpectation.Everything => true,
        FlowExpectation.Nothing => false,
        FlowExpectation.Only only => only.Flows.Any(f => f.Resource is FlowResource.Network network && Opens(network)),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private bool Opens(FlowResource.Network network) => Kind switch
    {
        ProbeKind.Ping => network.Protocol == FlowProtocol.Icmp,
        ProbeKind.Tcp => network.Protocol == FlowProtocol.Tcp && Contains(network),
        ProbeKind.Udp => network.Protocol == FlowProtocol.Udp && Contains(network),

        // Whoever is in another domain is behind a gateway: no link-layer question reaches it.
        ProbeKind.Arp or ProbeKind.Neighbour => false,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private bool Contains(FlowResource.Network network) => network.Ports.Any(r => r.First <= Port && Port <= r.Last);
}

/// <summary>One cell of the matrix: what was promised, and what was measured with packets.</summary>
/// <param name="From">The asking machine.</param>
/// <param name="To">The asked machine.</param>
/// <param name="Way">How.</param>
/// <param name="Promised">What the policies say.</param>
/// <param name="Passed">Whether information really got to <paramref name="To"/>.</param>
/// <param name="Evidence">How that is known.</param>
public sealed record Cell(string From, string To, Way Way, bool Promised, bool Passed, string Evidence)
{
    /// <summary>Whether it is as promised.</summary>
    public bool Matches => Promised == Passed;

    /// <summary>Information passed that no policy allows.</summary>
    public bool Leaks => Passed && !Promised;
}

/// <summary>A machine of the demonstration.</summary>
public sealed record DemoMachine(
    string Name, CompartmentModel Model, string Host, ProbeChannel Probe, IPAddress Ipv4, IPAddress Ipv6);
