using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Flows;

/// <summary>A flow that both sides want: a grant and the acceptance that meets it.</summary>
/// <param name="From">The granting domain: clients of a network flow, owner of a volume or device.</param>
/// <param name="To">The accepting domain.</param>
/// <param name="Resource">What both sides named: ports of both, the lesser access.</param>
/// <param name="Senders">Machines of <paramref name="From"/> that its owner named; all when it named none.</param>
/// <param name="Receivers">Machines of <paramref name="To"/> that its owner named; all when it named none.</param>
/// <param name="Sides">The two terms.</param>
public sealed record OpenFlow(
    DomainRef From, DomainRef To, FlowResource Resource,
    ImmutableArray<CompartmentRef> Senders, ImmutableArray<CompartmentRef> Receivers, FlowSides Sides)
{
    /// <summary>The statement that grants it.</summary>
    public StatementOrigin Grant => Sides.Grant.Domain.Origin;

    /// <summary>What passes, for people: <c>tcp 5432</c>, <c>volume archive, read</c>.</summary>
    public string What => WhatOf(Resource);

    /// <summary>A resource in the same words.</summary>
    internal static string WhatOf(FlowResource resource) => resource switch
    {
        FlowResource.Network { Protocol: FlowProtocol.Icmp } => "icmp",
        FlowResource.Network network => $"{WireText.Of(network.Protocol)} {PortSets.Text(network.Ports)}",
        FlowResource.Volume volume => $"volume {volume.Name}, {WireText.Of(volume.Access)}",
        FlowResource.Device device => $"device {WireText.Of(device.Kind)}",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>The statement that accepts it.</summary>
    public StatementOrigin Accept => Sides.Accept.Domain.Origin;
}

/// <summary>The two terms of an open flow.</summary>
public sealed record FlowSides(FlowSide Grant, FlowSide Accept);

/// <summary>One term and the domain that says it.</summary>
/// <param name="Domain">The domain.</param>
/// <param name="Term">The term.</param>
/// <param name="IsGrant">Whether it stands in the domain's grants.</param>
public sealed record FlowSide(DomainModel Domain, FlowTerm Term, bool IsGrant);

/// <summary>
/// Flows between two domains that are closed although both sides want them, because one gateway would see the same
/// addresses twice, because the two do not agree how they know each other's, or because one demands of where its
/// information may come what they would violate.
/// </summary>
/// <param name="Judge">The side whose gateway would, or who demands; its other terms keep their flows.</param>
/// <param name="Peer">The domain that is cut off from it.</param>
/// <param name="Sentence">Why.</param>
public sealed record FlowConflict(FlowSide Judge, DomainModel Peer, string Sentence)
{
    /// <summary>What kind of finding it is.</summary>
    public FindingCode Code { get; init; } = FindingCode.SubnetSeenTwice;

    /// <summary>Whether it is of these two domains.</summary>
    internal bool IsBetween(DomainRef one, DomainRef other) =>
        FlowMatrix.Pair(Judge.Domain.Ref, Peer.Ref) == FlowMatrix.Pair(one, other);
}

/// <summary>What may pass from one machine to another. A closed set.</summary>
public abstract record FlowExpectation
{
    private FlowExpectation() { }

    /// <summary>Both are in one domain: everything passes.</summary>
    /// <param name="Domain">The domain.</param>
    public sealed record Everything(DomainRef Domain) : FlowExpectation;

    /// <summary>These and no others.</summary>
    /// <param name="Flows">Open network flows, at least one.</param>
    public sealed record Only(ImmutableArray<OpenFlow> Flows) : FlowExpectation;

    /// <summary>Nothing passes.</summary>
    /// <param name="Because">Why, for people.</param>
    public sealed record Nothing(string Because) : FlowExpectation;
}
