using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Domains.Flows;

namespace Bailiwick.Domains.Policy.Differences;

/// <summary>What opens and closes between domains: the flows themselves, and for whom.</summary>
internal static class FlowDifferences
{
    /// <summary>Adds the differences.</summary>
    public static void Add(List<PolicyChange> changes, FlowMatrix before, FlowMatrix after)
    {
        var names = new Dictionary<DomainRef, string>();
        foreach (var flow in before.Open.Concat(after.Open))
        {
            names[flow.From] = FlowMatrix.Display(flow.Sides.Grant.Domain);
            names[flow.To] = FlowMatrix.Display(flow.Sides.Accept.Domain);
        }

        var (old, now) = (Rows(before), Rows(after));
        foreach (var key in old.Keys.Union(now.Keys))
        {
            var was = old.GetValueOrDefault(key) ?? Row.None;
            var isNow = now.GetValueOrDefault(key) ?? Row.None;
            Add(changes, PolicyEffect.Opens, key, isNow.Without(was), names);
            Add(changes, PolicyEffect.Closes, key, was.Without(isNow), names);
        }
    }

    private static void Add(
        List<PolicyChange> changes, PolicyEffect effect, Key key, Row row, Dictionary<DomainRef, string> names)
    {
        foreach (var group in row.Machines.GroupBy(pair => pair.What, StringComparer.Ordinal))
        {
            var from = string.Join(", ", group.Select(pair => pair.From).Distinct().Order(StringComparer.Ordinal));
            var to = string.Join(", ", group.Select(pair => pair.To).Distinct().Order(StringComparer.Ordinal));
            var verb = effect == PolicyEffect.Opens ? "may now" : "may no longer";
            var sentence = key.Resource == FlowResourceClass.Network
                ? $"{names[key.From]} ({from}) {verb} reach {names[key.To]} ({to}): {group.Key}."
                : $"{names[key.To]} ({to}) {verb} use of {names[key.From]}: {group.Key}.";
            changes.Add(new PolicyChange(
                effect,
                key.Resource == FlowResourceClass.Network
                    ? PolicyChangeCode.NetworkFlow : PolicyChangeCode.LentResource,
                sentence));
        }
    }

    private static Dictionary<Key, Row> Rows(FlowMatrix matrix) => matrix.Open
        .GroupBy(flow => new Key(flow.From, flow.To, ClassOf(flow.Resource)))
        .ToDictionary(group => group.Key, group => new Row([.. group.SelectMany(Cells)]));

    private static IEnumerable<Cell> Cells(OpenFlow flow)
    {
        var senders = flow.Resource is FlowResource.Network
            ? flow.Senders.Select(machine => machine.Name.Text) : ["owner"];
        return senders.SelectMany(
            _ => flow.Receivers, (from, to) => (from, to: to.Name.Text))
            .SelectMany(_ => Words(flow.Resource), (pair, what) => new Cell(pair.from, pair.to, what));
    }

    private static IEnumerable<string> Words(FlowResource resource) => resource switch
    {
        FlowResource.Network { Protocol: FlowProtocol.Icmp } => ["icmp"],
        FlowResource.Network network => network.Ports.Select(
            range => $"{WireText.Of(network.Protocol)} {PortSets.Text([range])}"),
        FlowResource.Volume volume => [$"volume {volume.Name}, {WireText.Of(volume.Access)}"],
        FlowResource.Device device => [$"device {WireText.Of(device.Kind)}"],
        _ => throw new UnreachableException(),
    };

    private static FlowResourceClass ClassOf(FlowResource resource) => resource switch
    {
        FlowResource.Network => FlowResourceClass.Network,
        FlowResource.Volume => FlowResourceClass.Volume,
        FlowResource.Device => FlowResourceClass.Device,
        _ => throw new UnreachableException(),
    };

    private enum FlowResourceClass
    {
        Network = 1,
        Volume,
        Device,
    }

    private sealed record Key(DomainRef From, DomainRef To, FlowResourceClass Resource);

    private sealed record Cell(string From, string To, string What);

    private sealed record Row(ImmutableHashSet<Cell> Machines)
    {
        public static Row None { get; } = new([]);

        public Row Without(Row other) => new(Machines.Except(other.Machines));
    }
}
