using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// Brings one virtual switch (a domain's or a passage's) to its plan: rules first, then the bridge, then the tunnel,
/// and its ports live only after all of that was observed to be right.
/// </summary>
public sealed class SegmentKeeper(
    NetworkTools tools, TableKeeper tables, HostGuard guard, IntegrityManager integrity,
    PlannedNames planned)
{
    private const int Passes = 2;
    private static readonly string[] NoVlans = ["Unknown device type", "Operation not supported"];

    /// <summary>Observes, revokes, grants, and observes again.</summary>
    /// <param name="plan">The whole plan, for the guard.</param>
    /// <param name="wanted">The switch.</param>
    /// <param name="rules">Its table.</param>
    /// <param name="apply">The run this belongs to.</param>
    /// <exception cref="WorldException">The world refused, or did not become what it was told.</exception>
    public void Bring(HostPlan plan, WantedSegment wanted, WantedRules rules, Apply apply)
    {
        wanted = Placed(plan, wanted);
        guard.Ensure(plan);
        ObservedNetwork seen = tools.Observe();
        ImmutableArray<SegmentFault> faults = wanted.Faults(seen);
        Revoke(wanted, faults);
        BringRules(wanted, rules);
        if (!faults.IsEmpty)
        {
            apply.OnUndo($"ports of {wanted.Bridge}", () => Kill(wanted, "A change was undone."));
            // A bridge that was missing hides what else is: its ports are looked at once it is there.
            for (int pass = 0; pass < Passes && !faults.IsEmpty; pass++)
            {
                foreach (SegmentFault fault in faults)
                {
                    Repair(wanted, fault, apply);
                }

                faults = wanted.Faults(tools.Observe());
            }

            BringForwards(wanted);
        }
    }

    /// <summary>
    /// Makes live what is there and right, and dead what is not. Called at the end of each run, after everything else.
    /// </summary>
    public void Confirm(
        HostPlan plan, WantedSegment wanted, WantedRules rules, Func<IReadOnlySet<string>>? dead = null)
    {
        wanted = Placed(plan, wanted);
        ObservedNetwork seen = tools.Observe();
        ImmutableArray<SegmentFault> faults = wanted.Faults(seen);
        if (tables.State(rules) != RulesState.Held || !guard.Stands(plan) || faults.Any(f => Whole(f.Kind)))
        {
            Kill(wanted, "Its rules or its bridge are not as planned.");
            throw new WorldException(
                ["bring", wanted.Bridge], -1,
                faults.IsEmpty ? "its rules are not in the kernel" : string.Join("; ", faults.Select(f => f.Sentence)));
        }

        HashSet<string> wrong = [.. faults.Select(f => f.Device)];
        IReadOnlySet<string> closed = dead?.Invoke() ?? FrozenSet<string>.Empty;
        var right = wanted.Groups.Where(p => !closed.Contains(p.Key) && !wrong.Contains(p.Key)
            && seen.Links.TryGetValue(p.Key, out ObservedLink? link) && link.Master == wanted.Bridge).ToDictionary();
        guard.Kill(
            [.. wanted.Groups.Keys.Except(right.Keys)],
            "The port is not there, not on its bridge, or its machine is paused.");
        guard.Revive(right, $"Its rules and {wanted.Bridge} were observed to be as planned.", dead);
        if (!faults.IsEmpty)
        {
            throw new WorldException(
                ["bring", wanted.Bridge], -1, string.Join("; ", faults.Select(f => $"{f.Device}: {f.Sentence}")));
        }
    }

    /// <summary>Whether rules and bridge are in the kernel as planned now; else why not.</summary>
    public ImmutableArray<string> Faults(HostPlan plan, WantedSegment wanted, WantedRules rules)
    {
        ImmutableArray<string>.Builder faults = ImmutableArray.CreateBuilder<string>();
        if (!guard.Stands(plan))
        {
            faults.Add("the host's guard is not in the kernel as planned");
        }

        if (tables.State(rules) != RulesState.Held)
        {
            faults.Add($"the rules of {wanted.Bridge} are not in the kernel as planned");
        }

        faults.AddRange(Placed(plan, wanted).Faults(tools.Observe()).Where(f => f.Kind is SegmentFaultKind.BridgeMissing
            or SegmentFaultKind.BridgeWrong or SegmentFaultKind.ForeignPort).Select(f => $"{f.Device}: {f.Sentence}"));
        return faults.ToImmutable();
    }

    /// <summary>Each way in which rules, bridge, ports and tunnels are not as planned, read from the kernel.</summary>
    /// <exception cref="WorldException">The kernel does not answer.</exception>
    public ImmutableArray<string> Differences(HostPlan plan, WantedSegment wanted, WantedRules rules) =>
    [
        .. tables.Differences(rules),
        .. Placed(plan, wanted).Faults(tools.Observe()).Select(fault => $"{fault.Device}: {fault.Sentence}."),
    ];

    /// <summary>Makes all ports of the switch dead.</summary>
    public void Kill(WantedSegment wanted, string why) => guard.Kill([.. wanted.Groups.Keys], why);

    /// <summary>With the device that a VLAN is on, which no plan can know.</summary>
    private WantedSegment Placed(HostPlan plan, WantedSegment wanted) => wanted.Vlan is not { } vlan ? wanted
        : wanted with
        {
            Vlan = vlan with
            {
                Parent = tools.DeviceOf(plan.Underlay.LocalIpv4) ?? throw new WorldException(
                    ["find", "uplink"], -1, $"not one device has the address {plan.Underlay.LocalIpv4}"),
            },
        };

    /// <summary>What must not be goes first, before anything is granted.</summary>
    private void Revoke(WantedSegment wanted, ImmutableArray<SegmentFault> faults)
    {
        foreach (SegmentFault fault in faults.Where(f =>
            f.Kind is SegmentFaultKind.ForeignPort or SegmentFaultKind.TapElsewhere))
        {
            guard.Kill([fault.Device], $"{fault.Device}: {fault.Sentence}.");
            if (fault.Kind != SegmentFaultKind.ForeignPort || !planned.Has(fault.Device))
            {
                // A port that an earlier plan put there has left the plan; nobody slipped it in.
                Drifted(wanted, fault.Device, $"{fault.Device}: {fault.Sentence}.");
            }

            if (fault.Kind == SegmentFaultKind.ForeignPort)
            {
                // The kernel removes a tunnel some time after its namespace: it may be gone by now.
                tools.RunIgnoringAbsence(SegmentCommands.Unplug(fault.Device));
            }
        }

        guard.Kill(
            [.. faults.Where(f => f.Kind is SegmentFaultKind.TunnelWrong or SegmentFaultKind.TunnelUnplugged)
                .Select(f => f.Device)],
            "The tunnel is not as planned.");
    }

    /// <summary>Whatever is wrong on a switch concerns those whose switch it is, whosesoever the device.</summary>
    private void Drifted(WantedSegment wanted, string subject, string sentence) => integrity.RecordOrOwe(
        IntegrityKind.Drift, planned.ReadersOf(wanted.Bridge), subject, sentence);

    private void BringRules(WantedSegment wanted, WantedRules rules)
    {
        switch (tables.State(rules))
        {
            case RulesState.Held:
                break;
            case RulesState.New:
                tables.Load(rules);
                break;
            case RulesState.Drifted:
                Kill(wanted, "Its rules were changed by somebody.");
                Drifted(wanted, wanted.Bridge, tables.Drift(rules, planned.ReadersOf(wanted.Bridge)));
                tables.Load(rules);
                break;
            default:
                throw new UnreachableException();
        }
    }

    private void Repair(WantedSegment wanted, SegmentFault fault, Apply apply)
    {
        switch (fault.Kind)
        {
            case SegmentFaultKind.BridgeMissing:
                apply.OnUndo(
                    $"make {wanted.Bridge}", () => tools.RunIgnoringAbsence(SegmentCommands.Remove(wanted.Bridge)));
                tools.Run(SegmentCommands.AddBridge(wanted.Bridge));
                tools.Run(SegmentCommands.Raise(wanted.Bridge, wanted.Mtu));
                BringTunnels(wanted);
                break;
            case SegmentFaultKind.BridgeWrong:
                tools.Run(SegmentCommands.Deafen(wanted.Bridge));
                tools.Run(SegmentCommands.Raise(wanted.Bridge, wanted.Mtu));
                break;
            case SegmentFaultKind.TunnelMissing:
                BringTunnel(wanted, fault.Device, remove: false);
                break;
            case SegmentFaultKind.TunnelWrong:
            case SegmentFaultKind.TunnelUnplugged:
                BringTunnel(wanted, fault.Device, remove: true);
                break;
            case SegmentFaultKind.TapElsewhere:
                tools.Run(SegmentCommands.Plug(fault.Device, wanted.Bridge));
                break;
            case SegmentFaultKind.PairMissing:
                PlugPair(wanted, fault.Device);
                break;
            case SegmentFaultKind.ForeignPort:
            case SegmentFaultKind.ForwardsWrong:
                // Unplugged already; forwarding entries are brought after all devices.
                break;
            default:
                throw new UnreachableException();
        }
    }

    private void BringTunnels(WantedSegment wanted)
    {
        ImmutableSortedDictionary<string, ObservedLink> links = tools.Links();
        foreach (string device in wanted.Uplinks)
        {
            BringTunnel(wanted, device, remove: links.ContainsKey(device));
        }
    }

    private void BringTunnel(WantedSegment wanted, string device, bool remove)
    {
        if (remove)
        {
            tools.Run(SegmentCommands.Remove(device));
        }

        if (wanted.Vlan is { } vlan && vlan.Device == device)
        {
            AddVlan(vlan);
        }
        else
        {
            tools.Run(SegmentCommands.AddTunnel(wanted.Tunnels.Single(t => t.Device == device)));
        }

        tools.Run(SegmentCommands.Plug(device, wanted.Bridge));
        tools.Run(SegmentCommands.Unlearning(device));
        tools.Run(SegmentCommands.Raise(device, wanted.Mtu));
    }

    /// <summary>
    /// There is no other way to hosts that are reached by a VLAN: they would not take what came by it.
    /// </summary>
    private void AddVlan(WantedVlan vlan)
    {
        string[] command = SegmentCommands.AddVlan(vlan);
        try
        {
            tools.Run(command);
        }
        catch (WorldException refused) when (NoVlans.Any(said =>
            refused.Stderr.Contains(said, StringComparison.Ordinal)))
        {
            throw new WorldException(
                command, refused.ExitCode,
                "this host's kernel has no 802.1Q, which its operator's statement says it has. Load the module 8021q; "
                + "or let the operator take vlans out of the underlay of the Host statement.");
        }
    }

    /// <summary>A pair's end that is not there yet is made by its gateway's unit; then this is called again.</summary>
    private void PlugPair(WantedSegment wanted, string device)
    {
        if (tools.Links().ContainsKey(device))
        {
            tools.Run(SegmentCommands.Plug(device, wanted.Bridge));
            tools.Run(SegmentCommands.Raise(device, wanted.Mtu));
        }
    }

    private void BringForwards(WantedSegment wanted) => tools.RunBridge(wanted.ForwardRepairs(tools.Observe()));

    /// <summary>Whether a fault makes the whole switch unfit, or only the device it is about.</summary>
    private static bool Whole(SegmentFaultKind kind) => kind switch
    {
        SegmentFaultKind.BridgeMissing or SegmentFaultKind.BridgeWrong or SegmentFaultKind.ForeignPort => true,
        SegmentFaultKind.TunnelMissing or SegmentFaultKind.TunnelWrong or SegmentFaultKind.TunnelUnplugged
            or SegmentFaultKind.ForwardsWrong or SegmentFaultKind.PairMissing or SegmentFaultKind.TapElsewhere => false,
        _ => throw new UnreachableException(),
    };
}
