using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// Brings a domain's gateway to its plan. Its rules are replaced in one transaction; legs, neighbours and routes that
/// differ are changed one by one, so that the flows that stay are not disturbed by those that come and go. What was
/// changed by somebody else, or was never built by us, is built anew.
/// </summary>
public sealed class GatewayKeeper(
    NetworkTools tools, TableKeeper tables, HostGuard guard, IntegrityManager integrity, PlannedNames planned)
{
    private readonly ConcurrentDictionary<string, Built> _built = new(StringComparer.Ordinal);

    /// <summary>Brings the gateway to its plan.</summary>
    /// <exception cref="Host.WorldException">The world refused.</exception>
    public void Bring(GatewayPlan gateway, int mtu, Apply apply)
    {
        GatewayShape shape = GatewayShape.Of(gateway, mtu);
        WantedRules rules = Rules(gateway);
        bool there = tools.Namespaces().Contains(gateway.Namespace);
        if (there && _built.TryGetValue(gateway.Namespace, out Built? built) && built.Shape.Core == shape.Core)
        {
            if (tools.NamespaceState(gateway.Namespace) == built.State && Present(built.Shape))
            {
                Change(gateway, built.Shape, shape, rules);
                return;
            }

            Drifted(gateway, "The gateway is not as it was built.");
        }

        Build(gateway, mtu, rules, there, apply);
        _built[gateway.Namespace] = new Built(shape, tools.NamespaceState(gateway.Namespace));
    }

    /// <summary>Revokes what left, replaces the rules, then grants what came.</summary>
    private void Change(GatewayPlan gateway, GatewayShape before, GatewayShape after, WantedRules rules)
    {
        if (before.SameAs(after))
        {
            BringRules(gateway, rules);
            return;
        }

        // Not known to be built until all of it is: a failure in between builds it anew.
        _built.TryRemove(gateway.Namespace, out _);
        foreach (string port in before.Legs.Keys.Where(p => after.Legs.GetValueOrDefault(p) != before.Legs[p]))
        {
            guard.Kill([port], "The leg left the gateway's plan, or changed.");
            tools.Run(SegmentCommands.Remove(port));
        }

        foreach (string address in before.Neighbours.Keys.Except(after.Neighbours.Keys))
        {
            tools.Run(GatewayCommands.Forget(gateway, address));
        }

        BringRules(gateway, rules);
        foreach (string[] command in after.Changes(before))
        {
            tools.Run(command);
        }

        _built[gateway.Namespace] = new Built(after, tools.NamespaceState(gateway.Namespace));
    }

    /// <summary>Each way in which the gateway is not as it was built by its plan, read from the kernel.</summary>
    /// <exception cref="Host.WorldException">The kernel does not answer.</exception>
    public ImmutableArray<string> Differences(GatewayPlan gateway)
    {
        ArgumentNullException.ThrowIfNull(gateway);
        if (!tools.Namespaces().Contains(gateway.Namespace)
            || !_built.TryGetValue(gateway.Namespace, out Built? built))
        {
            return [$"The gateway {gateway.Namespace} is not built."];
        }

        return
        [
            .. tables.Differences(Rules(gateway)),
            .. NetworkTools.Differences(
                gateway.Namespace, built.State, tools.NamespaceState(gateway.Namespace)),
        ];
    }

    private static WantedRules Rules(GatewayPlan gateway) => new(gateway.Namespace, NftTables.ForGateway(gateway));

    private bool Present(GatewayShape shape)
    {
        var links = tools.Links();
        return links.ContainsKey(shape.BridgePort) && shape.Legs.Keys.All(links.ContainsKey);
    }

    private void BringRules(GatewayPlan gateway, WantedRules rules)
    {
        RulesState state = tables.State(rules);
        if (state == RulesState.Held)
        {
            return;
        }

        if (state == RulesState.Drifted)
        {
            guard.Kill(Ports(gateway), "The gateway's rules were changed by somebody.");
            Drifted(gateway, tables.Drift(rules, planned.ReadersOf(gateway.Namespace)));
        }

        tables.Load(rules);
    }

    private void Drifted(GatewayPlan gateway, string sentence) => integrity.RecordOrOwe(
        IntegrityKind.Drift, planned.ReadersOf(gateway.Namespace), gateway.Namespace, sentence);

    private void Build(GatewayPlan gateway, int mtu, WantedRules rules, bool there, Apply apply)
    {
        guard.Kill(Ports(gateway), "The gateway is built anew.");
        _built.TryRemove(gateway.Namespace, out _);
        if (there)
        {
            tools.Run(SegmentCommands.RemoveNamespace(gateway.Namespace));
        }

        tables.Forget(gateway.Namespace);
        RemoveEnds(gateway);
        apply.OnUndo($"build {gateway.Namespace}", () =>
        {
            _built.TryRemove(gateway.Namespace, out _);
            tools.RunIgnoringAbsence(SegmentCommands.RemoveNamespace(gateway.Namespace));
        });
        tools.Run(GatewayCommands.Add(gateway));
        // Rules before the first interface: no packet ever meets a gateway without them.
        tables.Load(rules);
        tools.Run(GatewayCommands.Configure(), gateway.Namespace);
        foreach (string[] command in GatewayCommands.Build(gateway, mtu))
        {
            tools.Run(command);
        }
    }

    /// <summary>
    /// The kernel removes a pair some time after its namespace; a name still taken would fail the next build.
    /// </summary>
    private void RemoveEnds(GatewayPlan gateway)
    {
        var links = tools.Links();
        foreach (string port in Ports(gateway).Where(links.ContainsKey))
        {
            tools.RunIgnoringAbsence(SegmentCommands.Remove(port));
        }
    }

    private static string[] Ports(GatewayPlan gateway) => [gateway.BridgePort, .. gateway.Legs.Select(l => l.Port)];

    private sealed record Built(GatewayShape Shape, string State);
}
