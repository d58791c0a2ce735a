using System.Collections.Immutable;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>Finds machines whose derived names collide: by chance never, by intent perhaps.</summary>
internal sealed class DeviceNames
{
    private readonly Layered<string, Claimants> _names;
    private readonly ImmutableHashSet<string> _contested;

    private sealed record Claimants(ImmutableArray<CompartmentRef> Machines);

    private DeviceNames(Layered<string, Claimants> names, ImmutableHashSet<string> contested) =>
        (_names, _contested) = (names, contested);

    /// <summary>The names of all these machines.</summary>
    public static DeviceNames Of(IEnumerable<CompartmentModel> machines)
    {
        var names = new Dictionary<string, Claimants>(StringComparer.Ordinal);
        var contested = ImmutableHashSet<string>.Empty;
        foreach (var machine in machines)
        {
            var name = Name(machine.Ref);
            if (!names.TryAdd(name, new Claimants([machine.Ref])))
            {
                names[name] = new Claimants(names[name].Machines.Add(machine.Ref));
                contested = contested.Add(name);
            }
        }

        return new DeviceNames(Layered<string, Claimants>.Of(names), contested);
    }

    /// <summary>The same where these machines came, went or changed.</summary>
    public DeviceNames With(
        IEnumerable<CompartmentRef> changed, ImmutableSortedDictionary<string, CompartmentModel> machines)
    {
        var next = new Dictionary<string, Claimants?>(StringComparer.Ordinal);
        foreach (var machine in changed)
        {
            var name = Name(machine);
            var others = ((next.TryGetValue(name, out var known) ? known : _names.Find(name))?.Machines ?? [])
                .Remove(machine);
            var now = machines.ContainsKey(machine.ToString()) ? others.Add(machine) : others;
            next[name] = now.IsEmpty ? null : new Claimants(now);
        }

        var contested = _contested.Except(next.Keys)
            .Union(next.Where(one => one.Value?.Machines.Length > 1).Select(one => one.Key));
        return new DeviceNames(_names.With(next), contested);
    }

    /// <summary>The machines that keep their names; the others are left out.</summary>
    public ImmutableSortedDictionary<string, CompartmentModel> WithoutCollisions(
        StatementSet statements, TenantRanks ranks, ImmutableSortedDictionary<string, CompartmentModel> machines)
    {
        foreach (var name in _contested.Order(StringComparer.Ordinal))
        {
            var order = (_names.Find(name)?.Machines ?? [])
                .Select(machine => machines.GetValueOrDefault(machine.ToString())).OfType<CompartmentModel>()
                .OrderBy(machine => ranks.Of(machine.Ref.Tenant))
                .ThenBy(machine => machine.Ref.ToString(), StringComparer.Ordinal).ToArray();
            foreach (var later in order.Skip(1))
            {
                statements.Reject(
                    later.Origin, FindingCode.DeviceNameTaken, "",
                    $"The device name {name} derived from this machine's belongs to another. Give it another name.");
                machines = machines.Remove(later.Ref.ToString());
            }
        }

        return machines;
    }

    private static string Name(CompartmentRef machine) =>
        DerivedNames.Digits(machine.ToString(), DerivedNames.DeviceDigits);
}
