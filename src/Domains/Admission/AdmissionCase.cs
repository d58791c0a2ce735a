using System.Collections.Immutable;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Admission;

/// <summary>What every admission of one datacentre is decided against.</summary>
internal sealed record AdmissionGround(
    CheckedDatacentre Datacentre, FlowMatrix Flows, DateTimeOffset Now)
{
    public static AdmissionGround Of(CheckedDatacentre datacentre, DateTimeOffset now) =>
        new(datacentre, datacentre.Index.Flows, now);

    /// <summary>
    /// The host, if the datacentre's own operator described it; another operator's word counts for nothing.
    /// </summary>
    public HostModel? Host(HostRef host) =>
        Datacentre.Datacentre is { } operated && host.Operator == operated.Id
        && Datacentre.Inventory.Hosts.TryGetValue(host.ToString(), out var model) ? model : null;

    /// <summary>The machine, if an accepted statement describes it.</summary>
    public CompartmentModel? Machine(CompartmentRef machine) =>
        Datacentre.Machinery.Compartments.GetValueOrDefault(machine.ToString());

    public DomainModel? Domain(PartyId tenant, StatementName name) =>
        Datacentre.Domains.GetValueOrDefault(new DomainRef(tenant, name).ToString());
}

/// <summary>
/// One machine on one host, with the domains of it that are known, each once, in the order of its ports.
/// </summary>
internal sealed record AdmissionCase(
    AdmissionGround Ground, CompartmentModel Machine, HostModel Host, ImmutableArray<DomainModel> Domains)
{
    public static AdmissionCase Of(AdmissionGround ground, CompartmentModel machine, HostModel host) => new(
        ground, machine, host, DomainsOf(ground, machine));

    /// <summary>The machine's domains that are known, each once, in the order of its ports.</summary>
    public static ImmutableArray<DomainModel> DomainsOf(AdmissionGround ground, CompartmentModel machine) =>
    [
        .. machine.Nics.Select(nic => nic.Domain).Distinct()
            .Select(name => ground.Domain(machine.Ref.Tenant, name)).OfType<DomainModel>(),
    ];

    /// <summary>The domains that own the machine's volumes and of which it is no member, each once.</summary>
    public ImmutableArray<DomainModel> Lenders =>
    [
        .. Machine.Disks
            .Select(disk => Ground.Datacentre.Machinery.Volumes.GetValueOrDefault(disk.Volume.ToString()))
            .OfType<VolumeModel>().Select(volume => Ground.Domain(volume.Ref.Tenant, volume.Domain))
            .OfType<DomainModel>().DistinctBy(domain => domain.Ref)
            .Where(domain => Domains.All(own => own.Ref != domain.Ref)),
    ];

    /// <summary><c>bank/web-1</c>.</summary>
    public string MachineText => Display.Of(Machine);
}

/// <summary>Names for people. They carry no authority.</summary>
internal static class Display
{
    public static string Of(DomainModel domain) => $"{domain.Origin.OwnerName}/{domain.Ref.Name}";

    public static string Of(CompartmentModel machine) => $"{machine.Origin.OwnerName}/{machine.Ref.Name}";

    public static string Of(VolumeModel volume) => $"the volume {volume.Origin.OwnerName}/{volume.Ref.Name}";

    public static string Of(HostModel host) => $"{host.Origin.OwnerName}/{host.Ref.Name}";

    public static string List<T>(IEnumerable<T> items)
    {
        var text = string.Join(", ", items);
        return text.Length == 0 ? "none" : text;
    }
}
