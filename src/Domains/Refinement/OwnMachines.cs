using System.Collections.Immutable;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// Narrows a host's plan to the machines with which the host itself is still trusted. The others are taken out of it,
/// or stay in it to be paused, as their domains say. Pure, like the refinement; it only ever takes away.
/// </summary>
public static class OwnMachines
{
    /// <summary>Every domain whose trust a machine needs: those it is a member of, and those of its volumes.</summary>
    public static ImmutableArray<DomainRef> DomainsOf(CheckedDatacentre datacentre, CompartmentRef machine)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(machine);
        if (!datacentre.Machinery.Compartments.TryGetValue(machine.ToString(), out CompartmentModel? model))
        {
            return [];
        }

        var colours = model.Disks.Select(disk =>
            datacentre.Machinery.Volumes.GetValueOrDefault(disk.Volume.ToString())?.Colour);
        return
        [
            .. model.Nics.Select(nic => new DomainRef(machine.Tenant, nic.Domain)).Concat(colours).OfType<DomainRef>()
                .Distinct(),
        ];
    }

    /// <summary>Every domain that must trust this host, each once and in order.</summary>
    public static ImmutableArray<DomainRef> Wanted(HostPlan plan, CheckedDatacentre datacentre)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return
        [
            .. plan.Domains.Select(domain => domain.Domain)
                .Concat(plan.Domains.SelectMany(domain => domain.Compartments)
                    .SelectMany(machine => DomainsOf(datacentre, machine.Ref)))
                .Distinct().OrderBy(domain => domain.ToString(), StringComparer.Ordinal),
        ];
    }

    /// <summary>
    /// The plan without the machines that must be stopped, and which of the rest must be paused. Everything that is
    /// taken away is named among what is withheld.
    /// </summary>
    public static NarrowedPlan Narrow(
        HostPlan plan, CheckedDatacentre datacentre, Func<DomainRef, OwnStanding> standing)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(standing);
        var lost = plan.Domains.SelectMany(domain => domain.Compartments).DistinctBy(machine => machine.Ref)
            .Select(machine => Judge(datacentre, machine, standing)).OfType<LostMachine>().ToArray();
        if (lost.Length == 0)
        {
            return new NarrowedPlan(plan, []);
        }

        HashSet<CompartmentRef> stopped = [.. lost.Where(one => one.Stops).Select(one => one.Machine)];
        HostPlan narrowed = plan with
        {
            Domains = [.. plan.Domains.Select(domain => Without(domain, stopped))],
            Withheld = [.. plan.Withheld, .. lost.Select(one => new Reason(one.Sentence, []))],
        };
        return new NarrowedPlan(narrowed, [.. lost]);
    }

    private static LostMachine? Judge(
        CheckedDatacentre datacentre, CompartmentPlan machine, Func<DomainRef, OwnStanding> standing)
    {
        var doubts = DomainsOf(datacentre, machine.Ref)
            .Select(domain => (Domain: datacentre.Domains.GetValueOrDefault(domain.ToString()), Own: standing(domain)))
            .Where(found => found.Own.Trust == OwnTrust.Lost).ToArray();
        if (doubts.Length == 0)
        {
            return null;
        }

        // A paused machine keeps its disks' keys: only its own tenant may choose that.
        bool stops = doubts.Any(found => found.Domain?.Hosts.OnLostTrust is not LostTrust.Pause
            || found.Domain.Ref.Tenant != machine.Ref.Tenant);
        return new LostMachine(
            machine.Ref, stops,
            $"{machine.DisplayName} is {(stops ? "stopped" : "paused")}: " + string.Join(" ", doubts.Select(
                found => $"this host has lost the trust of {found.Domain?.Origin.ToString() ?? "its domain"}"
                + $"{Lent(datacentre, machine, found.Domain)}: {found.Own.Because}")));
    }

    /// <summary>Which volumes the machine loses with a domain's trust.</summary>
    private static string Lent(CheckedDatacentre datacentre, CompartmentPlan machine, DomainModel? domain)
    {
        var lent = machine.Disks
            .Select(disk => datacentre.Machinery.Volumes.GetValueOrDefault(disk.Volume.ToString()))
            .OfType<VolumeModel>().Where(volume => volume.Colour == domain?.Ref).Select(volume => volume.Ref.Name.Text);
        return string.Join(", ", lent) is { Length: > 0 } names ? $", which owns the volume {names}" : "";
    }

    private static DomainPlan Without(DomainPlan domain, HashSet<CompartmentRef> stopped)
    {
        ImmutableArray<LocalPort> ports =
            [.. domain.Network.Ports.Where(port => !stopped.Contains(port.Member.Ref))];
        return domain with
        {
            Compartments = [.. domain.Compartments.Where(machine => !stopped.Contains(machine.Ref))],
            Network = domain.Network with { Ports = ports },
            ServicePoint = domain.ServicePoint is { } point
                ? point with
                {
                    Machines = [.. point.Machines.Where(one => ports.Any(port => port.Device == one.Device))],
                }
                : null,
        };
    }
}

/// <summary>A plan for a host that is not trusted with all of its machines.</summary>
/// <param name="Plan">Without the machines that must be stopped.</param>
/// <param name="Lost">The machines with which the host is not trusted.</param>
public sealed record NarrowedPlan(HostPlan Plan, ImmutableArray<LostMachine> Lost);

/// <summary>A machine with which a host is no longer trusted.</summary>
/// <param name="Machine">The machine.</param>
/// <param name="Stops">Whether it is stopped and out of the plan; else it stays in it, paused, its ports dead.</param>
/// <param name="Sentence">Why, for people.</param>
public sealed record LostMachine(CompartmentRef Machine, bool Stops, string Sentence);
