using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Verification;

/// <summary>In which way tables differ from policies.</summary>
public enum Difference
{
    /// <summary>They pass what is closed.</summary>
    PassesThoughClosed = 1,
    /// <summary>They drop what is open.</summary>
    DroppedThoughOpen,
}

/// <summary>Where a packet is that tables treat otherwise than policies say.</summary>
public enum ProofPlace
{
    /// <summary>Between two ports of a host's switches.</summary>
    Switch = 1,
    /// <summary>From a switch to the host's own stack.</summary>
    IntoHost,
    /// <summary>From the host's own stack to a switch.</summary>
    FromHost,
    /// <summary>On the host's underlay, coming.</summary>
    TunnelIn,
    /// <summary>On the host's underlay, leaving.</summary>
    TunnelOut,
    /// <summary>In a gateway, as its connection was opened.</summary>
    GatewayRequest,
    /// <summary>In a gateway, back.</summary>
    GatewayAnswer,
    /// <summary>In a gateway, an error about a connection.</summary>
    GatewayError,
}

/// <summary>A packet that shows that tables are not what policies say.</summary>
/// <param name="Host">On which host.</param>
/// <param name="Namespace">In which network namespace; null for the host's own.</param>
/// <param name="Place">Where.</param>
/// <param name="Difference">What is wrong.</param>
/// <param name="Packet">The packet: those of its fields that matter, in the order of fields; others are any.</param>
/// <param name="Rule">The rule that decides, or what is missing.</param>
/// <param name="Because">The statements by which it is wrong.</param>
public sealed record Counterexample(
    HostRef Host, string? Namespace, ProofPlace Place, Difference Difference,
    ImmutableSortedDictionary<HeaderField, UInt128> Packet, string Rule, ImmutableArray<StatementOrigin> Because)
{
    /// <summary>For people: what passes or is dropped, where, by which rule and against which statements.</summary>
    public string Sentence => $"{Host.Name}{(Namespace is null ? "" : $", namespace {Namespace}")}: "
        + (Difference == Difference.PassesThoughClosed
            ? $"{Words} passes, which no policy allows. It is accepted by {Rule}."
            : $"{Words} is dropped, which the policies allow. It is dropped by {Rule}.")
        + (Because.IsEmpty ? "" : $" The statements: {string.Join(", ", Because)}.");

    /// <summary>The packet in words.</summary>
    public string Words => PacketWords.Of(Packet);
}
