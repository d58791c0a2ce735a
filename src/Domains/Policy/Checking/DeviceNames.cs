using System.Collections.Immutable;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>Finds machines whose derived names collide: by chance never, by intent perhaps.</summary>
internal static class DeviceNames
{
    /// <summary>The machines that keep their names; the others are left out.</summary>
    public static ImmutableSortedDictionary<string, CompartmentModel> WithoutCollisions(
        StatementSet statements, TenantRanks ranks, ImmutableSortedDictionary<string, CompartmentModel> machines)
    {
        var taken = machines.Values
            .GroupBy(
                machine => DerivedNames.Digits(machine.Ref.ToString(), DerivedNames.DeviceDigits),
                    StringComparer.Ordinal)
            .Where(group => group.Count() > 1);
        foreach (var group in taken.ToArray())
        {
            var order = group.OrderBy(machine => ranks.Of(machine.Ref.Tenant))
                .ThenBy(machine => machine.Ref.ToString(), StringComparer.Ordinal);
            foreach (var later in order.Skip(1))
            {
                statements.Reject(
                    later.Origin, FindingCode.DeviceNameTaken, "",
                    $"The device name {group.Key} derived from this machine's belongs to another. Give it another "
                    + $"name.");
                machines = machines.Remove(later.Ref.ToString());
            }
        }

        return machines;
    }
}
