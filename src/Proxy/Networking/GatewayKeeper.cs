using System.Collections.Concurrent;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// Brings a domain's gateway to its plan. When only flows change, its rules are replaced in one transaction. When
/// interfaces, addresses, neighbours or routes differ, from the plan or from what was built, it is built anew.
/// </summary>
public sealed class GatewayKeeper(
    NetworkTools tools, TableKeeper tables, HostGuard guard, IntegrityManager integrity)
{
    private readonly ConcurrentDictionary<string, Built> _built = new(StringComparer.Ordinal);

    /// <summary>Brings the gateway to its plan.</summary>
    /// <exception cref="Host.WorldException">The world refused.</exception>
    public void Bring(GatewayPlan gateway, int mtu, Apply apply)
    {
        string shape = Shape(gateway, mtu);
        WantedRules rules = Rules(gateway);
        bool there = tools.Namespaces().Contains(gateway.Namespace);
        if (there && _built.TryGetValue(gateway.Namespace, out Built? built) && built.Shape == shape)
        {
            if (tools.NamespaceState(gateway.Namespace) == built.State && Present(gateway))
            {
                BringRules(gateway, rules);
                return;
            }

            integrity.Record(IntegrityKind.Drift, gateway.Namespace, "The gateway is not as it was built.");
        }

        Build(gateway, mtu, rules, there, apply);
        _built[gateway.Namespace] = new Built(shape, tools.NamespaceState(gateway.Namespace));
    }

    private static WantedRules Rules(GatewayPlan gateway) => new(gateway.Namespace, NftTables.ForGateway(gateway));

    private bool Present(GatewayPlan gateway)
    {
        var links = tools.Links();
        return links.ContainsKey(gateway.BridgePort) && gateway.Legs.All(l => links.ContainsKey(l.Port));
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
            integrity.Record(
                IntegrityKind.Drift, gateway.Namespace, $"The kernel does not hold {rules.Place} as it was loaded.");
        }

        tables.Load(rules);
    }

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

    /// <summary>All of the gateway that a replacement of its rules does not change.</summary>
    private static string Shape(GatewayPlan gateway, int mtu) =>
        string.Join('\n', GatewayCommands.Build(gateway, mtu).Select(c => string.Join(' ', c)));

    private sealed record Built(string Shape, string State);
}
