using System.Collections.Concurrent;
using System.Collections.Immutable;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Reconciling;

namespace Bailiwick.Proxy.Services;

/// <summary>
/// Brings a domain's service point to its plan: namespace, rules, addresses and who is behind which, and the one server
/// in it. What was changed by somebody else, or was never built by us, is built anew; a server that ended, or another
/// program in its place, is replaced.
/// </summary>
public sealed class ServicePointKeeper(
    NetworkTools tools, TableKeeper tables, HostGuard guard, ServiceServer server,
    (IntegrityManager Integrity, PlannedNames Planned) record)
{
    private readonly ConcurrentDictionary<string, Built> _built = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _serving = new(StringComparer.Ordinal);

    /// <summary>Brings all but the server to its plan.</summary>
    /// <exception cref="Host.WorldException">The world refused.</exception>
    public void Bring(ServicePointPlan point, int mtu, Apply apply)
    {
        string core = string.Join('\n', ServicePointCommands.Core(point, mtu).Select(c => string.Join(' ', c)));
        WantedRules rules = new(point.Namespace, NftTables.ForServicePoint(point));
        bool there = tools.Namespaces().Contains(point.Namespace);
        if (there && _built.TryGetValue(point.Namespace, out Built? built) && built.Core == core)
        {
            if (tools.NamespaceState(point.Namespace) == built.State && tools.Links().ContainsKey(point.BridgePort)
                && tables.State(rules) != RulesState.Drifted)
            {
                Change(point, built, rules);
                return;
            }

            Drifted(point, "The service point is not as it was built.");
        }

        Build(point, mtu, rules, there, apply);
        Remember(point, core);
    }

    /// <summary>Each way in which the service point is not as it was built by its plan, read from the kernel.</summary>
    /// <exception cref="Host.WorldException">The kernel does not answer.</exception>
    public ImmutableArray<string> Differences(ServicePointPlan point)
    {
        ArgumentNullException.ThrowIfNull(point);
        return tools.Namespaces().Contains(point.Namespace) && _built.TryGetValue(point.Namespace, out Built? built)
            ?
            [
                .. tables.Differences(new WantedRules(point.Namespace, NftTables.ForServicePoint(point))),
                .. NetworkTools.Differences(point.Namespace, built.State, tools.NamespaceState(point.Namespace)),
            ]
            : [$"The service point {point.Namespace} is not built."];
    }

    /// <summary>Makes sure that the server runs, and runs what the plan says.</summary>
    /// <exception cref="Host.WorldException">It does not start.</exception>
    public void Serve(ServicePointPlan point, int mtu)
    {
        string text = ServiceText.Of(point, mtu);
        string wanted = ServiceServer.CommandOf(text);
        if (server.Commands(point.Namespace) is [var only] && only == wanted)
        {
            _serving[point.Namespace] = wanted;
            return;
        }

        if (_serving.TryRemove(point.Namespace, out string? before) && before == wanted)
        {
            Drifted(point, "The server of the service point had ended, or was not alone.");
        }

        tools.EndPrograms(point.Namespace);
        server.Start(point.Namespace, text);
        _serving[point.Namespace] = wanted;
    }

    /// <summary>Machines came or went, or the rules are new; the namespace stays.</summary>
    private void Change(ServicePointPlan point, Built before, WantedRules rules)
    {
        ImmutableSortedDictionary<string, string> now = ServicePointCommands.Stations(point);
        bool same = now.SequenceEqual(before.Stations);
        if (!same)
        {
            // Not known to be built until all of it is: a failure in between builds it anew.
            _built.TryRemove(point.Namespace, out _);
            foreach (string address in before.Stations.Keys.Where(one => !now.ContainsKey(one)))
            {
                tools.Run(ServicePointCommands.Forget(point, address));
            }
        }

        if (tables.State(rules) != RulesState.Held)
        {
            tables.Load(rules);
        }

        if (!same)
        {
            Learn(point, now.Where(one => before.Stations.GetValueOrDefault(one.Key) != one.Value));
            Remember(point, before.Core);
        }
    }

    private void Build(ServicePointPlan point, int mtu, WantedRules rules, bool there, Apply apply)
    {
        guard.Kill([point.BridgePort], "The service point is built anew.");
        _built.TryRemove(point.Namespace, out _);
        _serving.TryRemove(point.Namespace, out _);
        if (there)
        {
            Remove(point);
        }

        tables.Forget(point.Namespace);
        // The kernel removes a pair some time after its namespace; a name still taken would fail the next build.
        tools.RunIgnoringAbsence(SegmentCommands.Remove(point.BridgePort));
        apply.OnUndo($"build {point.Namespace}", () =>
        {
            _built.TryRemove(point.Namespace, out _);
            Remove(point);
        });
        tools.Run(ServicePointCommands.Add(point));
        // Rules before the first interface: no packet ever meets a service point without them.
        tables.Load(rules);
        tools.Run(ServicePointCommands.Configure(), point.Namespace);
        foreach (string[] command in ServicePointCommands.Core(point, mtu))
        {
            tools.Run(command);
        }

        Learn(point, ServicePointCommands.Stations(point));
    }

    private void Remove(ServicePointPlan point)
    {
        if (tools.Namespaces().Contains(point.Namespace))
        {
            tools.EndPrograms(point.Namespace);
            tools.RunIgnoringAbsence(SegmentCommands.RemoveNamespace(point.Namespace));
        }
    }

    private void Learn(ServicePointPlan point, IEnumerable<KeyValuePair<string, string>> stations)
    {
        foreach ((string address, string mac) in stations)
        {
            tools.Run(ServicePointCommands.Learn(point, address, mac));
        }
    }

    private void Remember(ServicePointPlan point, string core) => _built[point.Namespace] = new Built(
        core, ServicePointCommands.Stations(point), tools.NamespaceState(point.Namespace));

    private void Drifted(ServicePointPlan point, string sentence) => record.Integrity.RecordOrOwe(
        IntegrityKind.Drift, record.Planned.ReadersOf(point.Namespace), point.Namespace, sentence);

    private sealed record Built(string Core, ImmutableSortedDictionary<string, string> Stations, string State);
}
