using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Tracing;

/// <summary>A packet of a connection on its way.</summary>
/// <param name="Question">What the connection is.</param>
/// <param name="Way">Which way this packet goes.</param>
/// <param name="From">Its sender.</param>
/// <param name="To">Whom it is for.</param>
/// <param name="IsIpv6">Its family.</param>
internal sealed record TracedPacket(
    TraceQuestion Question, TraceWay Way, TraceEnd From, TraceEnd To, bool IsIpv6)
{
    /// <summary>Whether it has passed to the receiver's domain, which knows the sender by another address.</summary>
    public bool HasCrossed { get; init; }

    public string Source => (HasCrossed ? TraceScene.Known(From, To, IsIpv6) : From.Address(IsIpv6)) ?? "";

    public string Destination => (HasCrossed ? To.Address(IsIpv6) : TraceScene.Known(To, From, IsIpv6)) ?? "";

    /// <summary>Whom the connection was opened by, as connection tracking remembers it.</summary>
    public string Client => Way == TraceWay.Request ? Source : Destination;

    /// <summary>Whom it was opened to.</summary>
    public string Server => Way == TraceWay.Request ? Destination : Source;

    public string Family => IsIpv6 ? "6" : "4";

    /// <summary>Whether a line of a gateway names the connection itself.</summary>
    public bool IsOf(FlowLine flow) =>
        flow.From == Client && flow.To == Server && flow.Protocol == Question.Protocol
        && (flow.Protocol == FlowProtocol.Icmp
            || flow.Ports.Any(range => range.First <= Question.Port && Question.Port <= range.Last));
}
