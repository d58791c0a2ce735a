using System.Collections.Frozen;
using System.Diagnostics;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Refinement;
using Bailiwick.Domains.Rendering;
using Bailiwick.Proxy.Integrity;
using Bailiwick.Proxy.Plans;

namespace Bailiwick.Proxy.Networking;

/// <summary>
/// The host's guard: the table that drops every frame of a port that is not in its set of live ports, every frame on a
/// bridge of ours without a table of its own, and every tunnel packet of a host that the plan does not name. The one
/// place that makes ports live and dead. Its operations are one after the other, so that a replaced table never loses
/// a port and a dead port never comes back.
/// </summary>
public sealed class HostGuard(
    NetworkTools tools, TableKeeper tables, IntegrityManager integrity, PlannedNames planned)
{
    /// <summary>The guard's table, of the bridge family.</summary>
    public const string Table = "bw_guard";
    /// <summary>The set of interface names that may carry frames.</summary>
    public const string LivePorts = "live_ports";

    private readonly Lock _turn = new();

    /// <summary>The ports that are live now; none when there is no guard.</summary>
    public IReadOnlySet<string> Live() => tools.Names(Table, LivePorts) ?? new HashSet<string>();

    /// <summary>Whether the guard stands as the plan says.</summary>
    public bool Stands(HostPlan plan) => tables.State(Rules(plan)) == RulesState.Held;

    /// <summary>
    /// Makes sure that the guard stands as the plan says. A new text keeps the set of live ports; after a drift the
    /// whole table is made anew and every port is dead, because what was changed may be that very set.
    /// </summary>
    public void Ensure(HostPlan plan)
    {
        lock (_turn)
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
                    integrity.RecordOrOwe(
                        IntegrityKind.Drift, IntegrityReaders.Everyone, Table,
                        "The guard's tables are not as they were loaded.");
                    tables.Load(rules, before: $"table bridge {Table}\ndelete table bridge {Table}\n");
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
    public void Kill(IReadOnlyCollection<string> ports, string why)
    {
        lock (_turn)
        {
            IReadOnlySet<string> live = Live();
            string[] closing = [.. ports.Where(live.Contains).Order()];
            if (closing.Length == 0)
            {
                return;
            }

            foreach (string port in closing)
            {
                integrity.RecordOrOwe(IntegrityKind.PortClosed, planned.ReadersOf(port), port, why);
            }

            tools.Load(Command("delete", closing), null);
        }
    }

    /// <summary>Makes ports live; the record of it comes first.</summary>
    /// <param name="ports">The ports.</param>
    /// <param name="why">Why they may be.</param>
    /// <param name="dead">
    /// Those of them that somebody has closed meanwhile; asked while nobody can close any.
    /// </param>
    public void Revive(IReadOnlyCollection<string> ports, string why, Func<IReadOnlySet<string>>? dead = null)
    {
        lock (_turn)
        {
            IReadOnlySet<string> live = Live();
            IReadOnlySet<string> closed = dead?.Invoke() ?? FrozenSet<string>.Empty;
            string[] opening = [.. ports.Where(p => !live.Contains(p) && !closed.Contains(p)).Order()];
            if (opening.Length == 0)
            {
                return;
            }

            foreach (string port in opening)
            {
                integrity.Record(IntegrityKind.PortOpened, planned.ReadersOf(port), port, why);
            }

            tools.Load(Command("add", opening), null);
        }
    }

    private static WantedRules Rules(HostPlan plan) => new(null, NftTables.ForHost(plan));

    private static string Command(string verb, IEnumerable<string> ports) =>
        $"{verb} element bridge {Table} {LivePorts} {{ {string.Join(", ", ports.Select(p => $"\"{p}\""))} }}\n";
}
