using System.Collections.Immutable;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;

namespace Bailiwick.Domains.Verification;

/// <summary>The ports of one switch, and what passes between them by the statements.</summary>
/// <param name="Ports">Their groups, by their names.</param>
/// <param name="Open">The frames that pass, of a place's own sets.</param>
internal sealed record SwitchPorts(ImmutableSortedDictionary<string, int> Ports, Func<FrameSets, int> Open)
{
    /// <summary>A device of ours that was given no group.</summary>
    public const string Dead = "bwt0000000dead";

    /// <summary>A device that is not ours.</summary>
    public const string Foreign = "eth0";

    /// <summary>All switches of a host; what is not ours is one of them.</summary>
    public static ImmutableArray<SwitchPorts> Of(ProofScene scene, HostPlan plan) =>
    [
        .. plan.Domains.Select(domain => new SwitchPorts(
            PortGroups.Of(domain), frames => new SwitchExpectation(frames, scene, plan, domain).Frames())),
        .. plan.Passages.Select(passage => new SwitchPorts(
            PortGroups.Of(passage), frames => new PassageExpectation(frames, scene, plan, passage).Frames())),
        new SwitchPorts(Alone(Dead), _ => PacketSets.None),
        // What is not ours is nobody's business here.
        new SwitchPorts(Alone(Foreign), _ => PacketSets.All),
    ];

    private static ImmutableSortedDictionary<string, int> Alone(string port) =>
        ImmutableSortedDictionary<string, int>.Empty.Add(port, PortGroups.Dead);
}
