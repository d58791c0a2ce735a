using System.Text.Json.Serialization;

namespace Bailiwick.Domains.Seeing;

/// <summary>Packets and bytes.</summary>
public sealed record FlowTotal(long Packets, long Bytes)
{
    /// <summary>None.</summary>
    public static FlowTotal None { get; } = new(0, 0);

    /// <summary>The sum of two.</summary>
    public FlowTotal Plus(FlowTotal other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new FlowTotal(Packets + other.Packets, Bytes + other.Bytes);
    }

    /// <summary>What is left; what was counted later may be more, and is none then.</summary>
    public FlowTotal Less(FlowTotal other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new FlowTotal(Math.Max(0, Packets - other.Packets), Math.Max(0, Bytes - other.Bytes));
    }
}

/// <summary>Who spoke with whom about what, at one machine's port.</summary>
/// <param name="Client">Who opened it, as far as that can be told.</param>
/// <param name="Server">Whom it was opened to.</param>
/// <param name="Protocol">tcp, udp, icmp, or the number of another.</param>
/// <param name="Port">The server's port; 0 where there is none.</param>
public sealed record FlowKey(string Client, string Server, string Protocol, int Port);

/// <summary>What was counted of a flow at one machine's port, and at the gateway of its domain.</summary>
/// <param name="Device">The machine's port.</param>
/// <param name="Machine">The machine.</param>
/// <param name="Flow">The flow.</param>
/// <param name="First">When it was first seen.</param>
/// <param name="Last">When it was last seen.</param>
public sealed record FlowRecord(
    string Device, string Machine, FlowKey Flow, DateTimeOffset First, DateTimeOffset Last)
{
    /// <summary>What the machine sent, before any rule of its domain.</summary>
    public FlowTotal Asked { get; init; } = FlowTotal.None;

    /// <summary>What of it the switch passed on.</summary>
    public FlowTotal Sent { get; init; } = FlowTotal.None;

    /// <summary>What the switch passed to the machine.</summary>
    public FlowTotal Got { get; init; } = FlowTotal.None;

    /// <summary>What came to the gateway.</summary>
    public FlowTotal AtGateway { get; init; } = FlowTotal.None;

    /// <summary>What of it the gateway passed on.</summary>
    public FlowTotal ThroughGateway { get; init; } = FlowTotal.None;

    /// <summary>What the switch dropped of what the machine sent.</summary>
    [JsonIgnore]
    public FlowTotal DroppedBySwitch => Asked.Less(Sent);

    /// <summary>What the gateway dropped.</summary>
    [JsonIgnore]
    public FlowTotal DroppedByGateway => AtGateway.Less(ThroughGateway);

    /// <summary>What was dropped here.</summary>
    [JsonIgnore]
    public FlowTotal Dropped => DroppedBySwitch.Plus(DroppedByGateway);

    /// <summary>What passed, both ways.</summary>
    [JsonIgnore]
    public FlowTotal Passed => Sent.Plus(Got).Less(DroppedByGateway);
}
