using System.Collections.Immutable;
using Bailiwick.Attestation.Predicates;
using Bailiwick.Domains.Policy.Checking;

namespace Bailiwick.Domains.Policy;

/// <summary>
/// All policies and the inventory, each statement by itself well formed and typed, and consistent with the others as
/// far as one tenant's carelessness cannot hurt another: a statement that is not, is left out with its findings.
/// Made only by <see cref="PolicyCheck"/>.
/// </summary>
public sealed class CheckedDatacentre
{
    internal CheckedDatacentre(
        ImmutableSortedDictionary<string, TenantModel> tenants, DatacentreModel? datacentre, Inventory inventory,
        ImmutableSortedDictionary<string, DomainModel> domains, Machinery machinery, CheckedDatacentre? before = null,
        DatacentreChange? change = null)
    {
        Tenants = tenants;
        Datacentre = datacentre;
        Inventory = inventory;
        Domains = domains;
        Machinery = machinery;
        Index = new DatacentreIndex(this, before?.Index, change);
    }

    /// <summary>Tenants by id text.</summary>
    public ImmutableSortedDictionary<string, TenantModel> Tenants { get; }
    /// <summary>The datacentre, or null when no operator's root is known: nothing is admitted then.</summary>
    public DatacentreModel? Datacentre { get; }
    /// <summary>The operator's hosts and links.</summary>
    public Inventory Inventory { get; }
    /// <summary>Domains by reference text.</summary>
    public ImmutableSortedDictionary<string, DomainModel> Domains { get; }
    /// <summary>Machines, volumes and images.</summary>
    public Machinery Machinery { get; }

    /// <summary>The datacentre that was checked before it, and what may be otherwise in this one; null where nobody
    /// knows.</summary>
    private (object Mark, DatacentreChange Change)? _since;

    /// <summary>Stands for it with those that come after, which do not keep it.</summary>
    private object Mark { get; } = new();

    /// <summary>What a check that goes on from this one need not find again; null while it is not done.</summary>
    internal KnownCheck? Known { get; set; }

    /// <summary>How its parties call themselves.</summary>
    public PartyNames Names => PartyNames.Of(Tenants.Values.Select(tenant => (tenant.Name, tenant.Id))
        .Concat(Datacentre is { } operated ? [(operated.Name, operated.Id)] : [])
        .Select(party => KeyValuePair.Create(party.Name.Text, party.Id)));

    /// <summary>What is looked up in it otherwise than by reference.</summary>
    internal DatacentreIndex Index { get; }

    /// <summary>What may be otherwise than in another datacentre; null where nobody knows.</summary>
    internal DatacentreChange? ChangeSince(CheckedDatacentre before) =>
        ReferenceEquals(before, this) ? DatacentreChange.Of([])
        : _since is { } since && ReferenceEquals(since.Mark, before.Mark) ? since.Change : null;

    /// <summary>Says what may be otherwise than in the datacentre that was checked before it.</summary>
    internal void Follows(CheckedDatacentre before, DatacentreChange change) => _since = (before.Mark, change);

    /// <summary>What a domain demands of the logs of its hosts; nothing where no statement describes it.</summary>
    public IReadOnlyList<Predicate> DemandsOf(DomainRef domain)
    {
        ArgumentNullException.ThrowIfNull(domain);
        return Domains.GetValueOrDefault(domain.ToString())?.Hosts.Evidence ?? [];
    }
}

/// <summary>The operator's facts, by reference text.</summary>
public sealed record Inventory(
    ImmutableSortedDictionary<string, HostModel> Hosts, ImmutableArray<LinkModel> Links);

/// <summary>The tenants' machines, volumes and images, by reference text.</summary>
public sealed record Machinery(
    ImmutableSortedDictionary<string, CompartmentModel> Compartments,
    ImmutableSortedDictionary<string, VolumeModel> Volumes,
    ImmutableSortedDictionary<string, ImageModel> Images);
