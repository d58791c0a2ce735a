using System.Collections.Immutable;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;

namespace Bailiwick.Domains.Tracing;

/// <summary>Which way a packet of a connection goes.</summary>
public enum TraceWay
{
    /// <summary>From the client to the server.</summary>
    Request = 1,
    /// <summary>Back from the server to the client.</summary>
    Answer,
    /// <summary>What the server's end tells the client's of a fault of the connection (ICMP, ICMPv6).</summary>
    Error,
}

/// <summary>What a packet meets.</summary>
public enum TracePlace
{
    /// <summary>A machine's port: who may send from it as whom, and where it ends.</summary>
    Port = 1,
    /// <summary>A domain's switch on one host.</summary>
    Switch,
    /// <summary>A domain's gateway on one host.</summary>
    Gateway,
    /// <summary>The segment between two domains' gateways.</summary>
    Passage,
    /// <summary>The way between two hosts.</summary>
    Link,
}

/// <summary>What is asked: may a client in one machine reach a server in another.</summary>
/// <param name="From">The client's machine.</param>
/// <param name="To">The server's machine.</param>
/// <param name="Protocol">Transport.</param>
/// <param name="Port">The server's port, 1 to 65535; 0 for ICMP echo.</param>
public sealed record TraceQuestion(CompartmentRef From, CompartmentRef To, FlowProtocol Protocol, int Port)
{
    /// <summary>Over IPv6; else over IPv4, or over IPv6 where the two have no IPv4 address both.</summary>
    public bool Ipv6 { get; init; }

    /// <summary><c>tcp/443</c>, <c>udp/53</c> or <c>icmp</c>.</summary>
    public string Service => Protocol == FlowProtocol.Icmp
        ? WireText.Of(Protocol)
        : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{WireText.Of(Protocol)}/{Port}");

    /// <summary>Reads what <see cref="Service"/> writes; false for anything else.</summary>
    public static bool TryParseService(string? text, out FlowProtocol protocol, out int port)
    {
        (protocol, port) = (FlowProtocol.Icmp, 0);
        if (text == WireText.Of(FlowProtocol.Icmp))
        {
            return true;
        }

        return text?.Split('/') is [var name, var number] && WireText.TryParse(name, out protocol)
            && protocol != FlowProtocol.Icmp && number.Length is > 0 and <= 5 && number.All(char.IsAsciiDigit)
            && (port = int.Parse(number, System.Globalization.CultureInfo.InvariantCulture)) is >= 1 and <= 65535;
    }
}

/// <summary>One thing that a packet meets, and what it does to the packet.</summary>
/// <param name="Way">The request or its answer.</param>
/// <param name="Place">What.</param>
/// <param name="Host">On which host; for a link, the one it leaves.</param>
/// <param name="Owners">Whose it is: one domain, or the two of a passage.</param>
/// <param name="Rule">The set, map or device that decides, and the element.</param>
/// <param name="Passes">Whether the packet goes on.</param>
/// <param name="Sentence">Why, for people.</param>
public sealed record TraceStep(
    TraceWay Way, TracePlace Place, HostRef Host, ImmutableArray<DomainRef> Owners, string Rule, bool Passes,
    string Sentence)
{
    /// <summary>The statements that it follows from.</summary>
    public ImmutableArray<StatementOrigin> Because { get; init; } = [];

    /// <summary>What the host's plan leaves out that the packet's domains asked for, and why.</summary>
    public ImmutableArray<Reason> Withheld { get; init; } = [];
}

/// <summary>The way of one packet and of its answer, step by step.</summary>
/// <param name="Question">What was asked.</param>
/// <param name="Client">The client's address; empty where it has none, or runs nowhere.</param>
/// <param name="Server">The server's address; likewise.</param>
/// <param name="Steps">In order; the last of a way that does not arrive is the one that drops the packet.</param>
/// <param name="Missing">Why there is no way at all, where there is none.</param>
public sealed record PacketTrace(
    TraceQuestion Question, string Client, string Server, ImmutableArray<TraceStep> Steps,
    ImmutableArray<string> Missing)
{
    /// <summary>Whether the request arrives and its answer comes back.</summary>
    public bool IsOpen => !Steps.IsEmpty && Steps.All(step => step.Passes);
}
