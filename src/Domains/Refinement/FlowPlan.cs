using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// One open flow at one gateway, in one family: whatever it lets pass, it lets pass between every machine of one side
/// and every machine of the other. A host has as much of it as it has machines, and not the product.
/// </summary>
/// <param name="Outward">True if the clients are the gateway's own domain's, false if the servers are.</param>
/// <param name="Leg">The gateway's end of the leg towards the other domain.</param>
/// <param name="Protocol">Transport.</param>
/// <param name="Ports">Server's ports, in order, neither overlapping nor adjoining; empty for ICMP echo.</param>
/// <param name="Own">Addresses of the domain's machines on this host; in order, each once, at least one.</param>
/// <param name="Others">
/// Addresses by which the domain knows the other's machines anywhere, the same on every host; in order, each once, at
/// least one.
/// </param>
/// <param name="Reason">The grant and the acceptance.</param>
public sealed record FlowPlan(
    bool Outward, string Leg, FlowProtocol Protocol, ImmutableArray<PortRange> Ports, ImmutableArray<string> Own,
    ImmutableArray<string> Others, Reason Reason)
{
    /// <summary>
    /// By which address the other domain knows each of <see cref="Own"/>, in their order; null where by its own.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ImmutableArray<string>? Known { get; init; }

    /// <summary>The family of all its addresses.</summary>
    [JsonIgnore]
    public bool IsIpv6 => Own[0].Contains(':', StringComparison.Ordinal);

    /// <summary>By which other address the other domain knows a machine here; null where by its own, or for none.
    /// </summary>
    public string? KnownAs(string own) =>
        Known is { } known && Place(Own, own) is >= 0 and var place && known[place] != own ? known[place] : null;

    /// <summary>What it lets pass between two addresses; null where it names one of them not.</summary>
    public FlowLine? Between(string own, string other) =>
        Place(Own, own) >= 0 && Place(Others, other) >= 0 ? Line(own, other) : null;

    /// <summary>What it lets pass between each two addresses: a product, for those who write it out.</summary>
    public IEnumerable<FlowLine> Lines()
    {
        foreach (var own in Own)
        {
            foreach (var other in Others)
            {
                yield return Line(own, other);
            }
        }
    }

    /// <summary>Whether all that another flow of the same gateway lets pass passes by this one too.</summary>
    internal bool Covers(FlowPlan flow) =>
        (Outward, Leg, Protocol) == (flow.Outward, flow.Leg, flow.Protocol) && Has(Own, flow.Own)
        && Has(Others, flow.Others) && PortSets.Without(flow.Ports, Ports).IsEmpty;

    private FlowLine Line(string own, string other) => new(
        Outward ? own : other, Outward ? other : own, Outward, Leg, Protocol, Ports, Reason)
    {
        Known = KnownAs(own),
    };

    private static int Place(ImmutableArray<string> addresses, string address) =>
        addresses.BinarySearch(address, StringComparer.Ordinal);

    private static bool Has(ImmutableArray<string> all, ImmutableArray<string> some) =>
        all == some || some.All(one => Place(all, one) >= 0);
}

/// <summary>What may pass between two machines' addresses of the same family at one gateway.</summary>
/// <param name="From">Client's address.</param>
/// <param name="To">Server's address.</param>
/// <param name="Outward">True if the client is the gateway's own domain's, false if the server is.</param>
/// <param name="Leg">The gateway's end of the leg towards the other domain.</param>
/// <param name="Protocol">Transport.</param>
/// <param name="Ports">Server's ports, in order, neither overlapping nor adjoining; empty for ICMP echo.</param>
/// <param name="Reason">The grants and the acceptances.</param>
public sealed record FlowLine(
    string From, string To, bool Outward, string Leg, FlowProtocol Protocol, ImmutableArray<PortRange> Ports,
    Reason Reason)
{
    /// <summary>By which address the other domain knows the machine on this side; null where by its own.</summary>
    public string? Known { get; init; }

    /// <summary>The server's address as the connection's first packet came to this gateway with it.</summary>
    public string Original => Outward ? To : Known ?? To;

    /// <summary>The address on this gateway's side.</summary>
    public string Own => Outward ? From : To;

    /// <summary>The address on the other domain's side.</summary>
    public string Other => Outward ? To : From;

    /// <summary>
    /// What several flows let pass between each two addresses, by leg and then by address: the ports of all in one.
    /// </summary>
    public static IEnumerable<FlowLine> Of(IEnumerable<FlowPlan> flows) => flows
        .GroupBy(flow => flow.Leg, StringComparer.Ordinal)
        .SelectMany(leg => leg.SelectMany(flow => flow.Lines())
            .GroupBy(line => (line.From, line.To, line.Outward, line.Protocol))
            .OrderBy(group => group.Key.From, StringComparer.Ordinal)
            .ThenBy(group => group.Key.To, StringComparer.Ordinal)
            .ThenBy(group => group.Key.Protocol)
            .Select(group => One([.. group])));

    private static FlowLine One(FlowLine[] lines) => lines is [var only] ? only
        : lines[0] with { Ports = PortSets.Merged(lines.SelectMany(line => line.Ports)) };
}
