using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// The host's guard: the table that drops every frame of a port that has no group (<see cref="PortGroups"/>), every
/// frame on a bridge of ours without a table of its own, and every tunnel packet of a host that the plan does not name.
/// The one place that makes ports live and dead. Its operations are one after the other, so that a dead port never
/// comes back; and whoever closes a port never waits for the description of a drift, as whoever opens one does.
/// </summary>
public sealed class HostGuard(
    NetworkTools tools, TableKeeper tables, IntegrityManager integrity, PlannedNames planned)
{
    /// <summary>The guard's table, of the bridge family.</summary>
    public const string Table = "bw_guard";

    /// <summary>Held while ports are made live or dead; nobody who holds it waits for <see cref="_standing"/>.
    /// </summary>
    private readonly Lock _turn = new();

    /// <summary>Held while the guard is made to stand, and by whoever needs that it does.</summary>
    private readonly Lock _standing = new();

    /// <summary>The ports of ours that have a group now, and the group.</summary>
    public ImmutableSortedDictionary<string, int> Live() => tools.Links().Values
        .Where(link => link.Name.StartsWith("bw", StringComparison.Ordinal) && link.Group != PortGroups.Dead)
        .ToImmutableSortedDictionary(link => link.Name, link => link.Group, StringComparer.Ordinal);

    /// <summary>Each line in which the guard's tables are not as planned, read from the kernel.</summary>
    /// <exception cref="WorldException">The kernel does not answer.</exception>
    public ImmutableArray<string> Differences(HostPlan plan) => tables.Differences(Rules(plan));

    /// <summary>Whether the guard stands as the plan says.</summary>
    public bool Stands(HostPlan plan) => tables.State(Rules(plan)) == RulesState.Held;

    /// <summary>
    /// Makes sure that the guard stands as the plan says. After a drift every port is dead until it was looked at
    /// again: nobody knows what passed meanwhile, and why.
    /// </summary>
    public void Ensure(HostPlan plan)
    {
        lock (_standing)
        {
            WantedRules rules = Rules(plan);
            if (tables.State(rules) != RulesState.Held)
            {
                KeepBridgesApart();
            }

            switch (tables.State(rules))
            {
                case RulesState.Held:
                    return;
                case RulesState.Drifted:
                    // Closed first: to read what it was, and to prove what that opened, takes a moment.
                    lock (_turn)
                    {
                        tools.SetGroups([.. Live().Keys.Select(port => (port, PortGroups.Dead))]);
                    }

                    integrity.RecordOrOwe(
                        IntegrityKind.Drift, IntegrityReaders.Everyone, Table,
                        tables.Drift(rules, IntegrityReaders.Everyone));
                    tables.Load(rules);
                    return;
                case RulesState.New:
                    tables.Load(rules);
                    return;
                default:
                    throw new UnreachableException();
            }
        }
    }

    /// <summary>Keeps bridged frames out of the host's own IP stack.</summary>
    public void KeepBridgesApart() => tools.Run(SegmentCommands.KeepBridgesApart());

    /// <summary>
    /// Makes ports dead. Ports that are dead already stay so. The record comes first, and no disk holds it back.
    /// </summary>
    /// <exception cref="WorldException">One of them is still live.</exception>
    public void Kill(IReadOnlyCollection<string> ports, string why)
    {
        ArgumentNullException.ThrowIfNull(ports);
        if (ports.Count == 0)
        {
            // So it is in nearly every round: nothing need be listed for it.
            return;
        }

        lock (_turn)
        {
            ImmutableSortedDictionary<string, int> live = Live();
            string[] closing = [.. ports.Where(live.ContainsKey).Order()];
            foreach (string port in closing)
            {
                integrity.RecordOrOwe(IntegrityKind.PortClosed, planned.ReadersOf(port), port, why);
            }

            tools.SetGroups([.. closing.Select(port => (port, PortGroups.Dead))]);
        }
    }

    /// <summary>Makes every port of the host dead.</summary>
    /// <exception cref="WorldException">One of them is still live.</exception>
    public void KillAll(string why) => Kill([.. Live().Keys], why);

    /// <summary>Makes ports live; the record of it comes first.</summary>
    /// <param name="ports">The ports, and the group of each.</param>
    /// <param name="why">What was observed.</param>
    /// <param name="dead">
    /// Those of them that somebody has closed meanwhile; asked while nobody can close any.
    /// </param>
    /// <exception cref="WorldException">One of them is not in its group.</exception>
    public void Revive(
        IReadOnlyDictionary<string, int> ports, string why, Func<IReadOnlySet<string>>? dead = null)
    {
        ArgumentNullException.ThrowIfNull(ports);
        lock (_standing)
        {
            lock (_turn)
            {
                Open(ports, why, dead);
            }
        }
    }

    private void Open(IReadOnlyDictionary<string, int> ports, string why, Func<IReadOnlySet<string>>? dead)
    {
        ImmutableSortedDictionary<string, int> live = Live();
        IReadOnlySet<string> closed = dead?.Invoke() ?? FrozenSet<string>.Empty;
        var opening = ports
            .Where(port => live.GetValueOrDefault(port.Key) != port.Value && !closed.Contains(port.Key))
            .OrderBy(port => port.Key, StringComparer.Ordinal).ToList();
        foreach ((string port, _) in opening)
        {
            integrity.Record(IntegrityKind.PortOpened, planned.ReadersOf(port), port, why);
        }

        tools.SetGroups([.. opening.Select(port => (port.Key, port.Value))]);
    }

    private static WantedRules Rules(HostPlan plan) => new(null, NftTables.ForHost(plan));
}
