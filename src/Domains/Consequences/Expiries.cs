using System.Globalization;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Consequences;

/// <summary>Domains whose end is past or near, with the machines that end with them.</summary>
internal static class Expiries
{
    /// <summary>So long before a domain's end it is said that it comes.</summary>
    public static TimeSpan Soon { get; } = TimeSpan.FromDays(30);

    /// <summary>Finds them.</summary>
    public static void Find(FindingPlaces places, AdmissionGround ground)
    {
        var members = ground.Datacentre.Machinery.Compartments.Values
            .SelectMany(machine => machine.Nics.Select(nic => nic.Domain).Distinct()
                .Select(name => (Domain: new DomainRef(machine.Ref.Tenant, name), Machine: machine)))
            .ToLookup(pair => pair.Domain, pair => pair.Machine);
        foreach (var domain in ground.Datacentre.Domains.Values.Where(one => one.Expires - ground.Now <= Soon))
        {
            CompartmentModel[] machines = [.. members[domain.Ref]];
            bool isOver = ground.Now >= domain.Expires;
            var longer = machines.SelectMany(machine => AdmissionCase.DomainsOf(ground, machine)
                .Where(other => other.Expires > domain.Expires).Select(other => (machine, other))).FirstOrDefault();
            places.Add(
                domain.Origin, isOver ? FindingCode.Expired : FindingCode.ExpiresSoon, "/expires",
                (isOver ? $"It ended {Days(ground.Now - domain.Expires)} before the moment asked about, so "
                    : $"It ends in {Days(domain.Expires - ground.Now)}, and then ")
                + (machines.Length == 0 ? "nothing joins it"
                    : $"{Many(machines)} {(machines.Length == 1 ? "is" : "are")} refused everywhere and given no keys")
                + (longer.other is null ? "" : $", {Display.Of(longer.machine)} although it is also in "
                    + $"{Display.Of(longer.other)}, which ends later")
                + ". The least change: sign a revision with a later expires.");
        }
    }

    private static string Many(CompartmentModel[] machines) => machines.Length == 1 ? Display.Of(machines[0])
        : $"{machines.Length} machines, as {Display.Of(machines[0])},";

    private static string Days(TimeSpan span) => Math.Floor(span.TotalDays) switch
    {
        < 1 => "less than a day",
        1 => "1 day",
        var days => string.Create(CultureInfo.InvariantCulture, $"{days} days"),
    };
}
