using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Consequences;

/// <summary>
/// What follows from all policies and the inventory together and nobody can have meant: found before anything is
/// deployed, each with the fewest statements that cause it and the least change that would end it. It decides nothing
/// and leaves no statement out: admission refuses what it refuses, and this asks admission's own rules in advance.
/// </summary>
/// <remarks>
/// Only what is certain is said. What hosts prove by evidence is known when they show it, and without an inventory
/// nothing is said of hosts.
/// </remarks>
public static class PolicyConsequences
{
    /// <summary>Finds them; by file, line and pointer.</summary>
    /// <param name="documents">The documents that were checked.</param>
    /// <param name="datacentre">What <see cref="PolicyCheck"/> made of them.</param>
    /// <param name="at">The moment for which it is asked.</param>
    public static ImmutableArray<Finding> Of(
        IEnumerable<PolicyDocument> documents, CheckedDatacentre datacentre, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(documents);
        ArgumentNullException.ThrowIfNull(datacentre);
        var places = new FindingPlaces(documents);
        var ground = AdmissionGround.Of(datacentre, at);
        var kinds = MachineKind.All(ground);
        var contradicted = Contradictions.Find(places, ground, kinds);
        Mounts.Find(places, ground, kinds);
        if (HostSearch.Over(ground) is { } search)
        {
            var kept = ReservedRoom.Of(ground, search.Hosts);
            var placeable = LonelyMachines.Find(
                places, ground, search, kept, [.. kinds.Where(kind => !contradicted.Contains(kind))]);
            Companies.Find(places, ground, search, placeable);
        }

        Meetings.Find(places, ground);
        Expiries.Find(places, ground);
        return Finding.Sorted(places.All);
    }
}
