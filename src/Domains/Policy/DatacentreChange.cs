using System.Collections.Immutable;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// What of one datacentre may be otherwise than in another that was checked before it; all else is equal in both.
/// </summary>
/// <param name="Domains">Domains.</param>
/// <param name="Machines">Machines, also those of which only the image is another.</param>
/// <param name="Volumes">Volumes.</param>
internal sealed record DatacentreChange(
    ImmutableHashSet<DomainRef> Domains, ImmutableHashSet<CompartmentRef> Machines, ImmutableHashSet<VolumeRef> Volumes)
{
    /// <summary>With these machines too.</summary>
    public DatacentreChange And(ImmutableHashSet<CompartmentRef> machines) =>
        this with { Machines = Machines.Union(machines) };

    /// <summary>These machines alone.</summary>
    public static DatacentreChange Of(ImmutableHashSet<CompartmentRef> machines) => new([], machines, []);
}
