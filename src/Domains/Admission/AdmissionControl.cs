using System.Collections.Immutable;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>
/// Decides whether a machine may run on a host as a member of its domains: the machine's own integrity, the flow
/// rules of all its domains, the host's platform, then co-location and quota, in the order of
/// <see cref="AdmissionRefusalCode"/> (Cabuk and others, Towards automated security policy enforcement in
/// multi-tenant virtual data centers, section 4). Nothing is admitted by default: what is not known is refused.
/// </summary>
public static class AdmissionControl
{
    /// <summary>Decides about one machine and one host.</summary>
    /// <param name="datacentre">The checked policies.</param>
    /// <param name="compartment">The machine.</param>
    /// <param name="host">The host.</param>
    /// <param name="proposals">
    /// What runs elsewhere by the Master's word; only what would itself be admitted is counted. If it proposes exactly
    /// this machine here, the machine has its place in the order; otherwise it comes after all others.
    /// </param>
    /// <param name="now">The moment against which policies expire.</param>
    /// <returns>Admitted, or refused with every reason.</returns>
    public static AdmissionVerdict Decide(
        CheckedDatacentre datacentre, CompartmentRef compartment, HostRef host,
        IReadOnlyList<PlacementProposal> proposals, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        return Place(AdmissionGround.Of(datacentre, now), compartment, host, proposals);
    }

    /// <summary>
    /// Decides whether a machine may start now, by what the host measured of it: as <see cref="Decide"/>, and the
    /// machine's own integrity comes first. What its domains reserve must be there.
    /// </summary>
    /// <param name="datacentre">The checked policies.</param>
    /// <param name="measured">What the host measured of the machine, before the start.</param>
    /// <param name="host">The host.</param>
    /// <param name="proposals">As for <see cref="Decide"/>.</param>
    /// <param name="now">The moment against which policies expire.</param>
    public static AdmissionVerdict DecideStart(
        CheckedDatacentre datacentre, MachineMeasurement measured, HostRef host,
        IReadOnlyList<PlacementProposal> proposals, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(measured);
        var ground = AdmissionGround.Of(datacentre, now);
        var placed = Place(ground, measured.Compartment, host, proposals);
        var refusals = placed is AdmissionVerdict.Refused refused
            ? refused.Refusals.ToList() : [];
        if (datacentre.Machinery.Compartments.GetValueOrDefault(measured.Compartment.ToString()) is { } machine)
        {
            IntegrityChecks.Add(refusals, ground, machine, measured);
            if (ground.Host(host) is { } there && Uplink(ground, machine, there, proposals) is
                { Keeping: UplinkKeeping.Nothing, Refusal: { } full })
            {
                refusals.Add(full);
            }
        }

        return refusals.Count == 0
            ? placed : Refused(new PlacementProposal(measured.Compartment, host, Running: true), refusals);
    }

    /// <summary>
    /// Decides about one machine more, after those that are admitted already: for who asks it of many, one after
    /// another.
    /// </summary>
    internal static AdmissionVerdict Beside(
        Standing standing, AdmissionGround ground, CompartmentRef compartment, HostRef host) =>
        One(ground, new PlacementProposal(compartment, host, Running: true), standing);

    private static (UplinkKeeping Keeping, AdmissionRefusal? Refusal) Uplink(
        AdmissionGround ground, CompartmentModel machine, HostModel host,
        IReadOnlyList<PlacementProposal> proposals) => UplinkRoom.Of(
            AdmissionCase.Of(ground, machine, host), Standing.After(ground, Review(ground, proposals)));

    private static AdmissionVerdict Place(
        AdmissionGround ground, CompartmentRef compartment, HostRef host, IReadOnlyList<PlacementProposal> proposals)
    {
        ArgumentNullException.ThrowIfNull(compartment);
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(proposals);
        var own = new PlacementProposal(compartment, host, Running: true);
        if (proposals.Contains(own))
        {
            var placed = Review(ground, proposals).Single(verdict =>
                verdict.Compartment == compartment && verdict.Host == host);
            return placed;
        }

        var others = Review(ground, [.. proposals.Where(proposal => proposal.Compartment != compartment)]);
        return One(ground, own, Standing.After(ground, others));
    }

    /// <summary>
    /// Decides about all proposals that are to run, in the order of the machines' references: of two that exclude
    /// each other, the first stands on every host alike.
    /// </summary>
    public static ImmutableArray<AdmissionVerdict> DecideAll(
        CheckedDatacentre datacentre, IReadOnlyList<PlacementProposal> proposals, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(proposals);
        return Review(AdmissionGround.Of(datacentre, now), proposals);
    }

    internal static ImmutableArray<AdmissionVerdict> Review(
        AdmissionGround ground, IReadOnlyList<PlacementProposal> proposals)
    {
        var running = proposals.Where(proposal => proposal.Running).Distinct()
            .OrderBy(proposal => proposal.Compartment.ToString(), StringComparer.Ordinal)
            .ThenBy(proposal => proposal.Host.ToString(), StringComparer.Ordinal)
            .ToImmutableArray();
        var placesOf = running.GroupBy(proposal => proposal.Compartment)
            .ToDictionary(group => group.Key, group => group.Select(proposal => proposal.Host).ToImmutableArray());
        var verdicts = ImmutableArray.CreateBuilder<AdmissionVerdict>(running.Length);
        var standing = Standing.Empty(ground);
        foreach (var proposal in running)
        {
            var places = placesOf[proposal.Compartment];
            var verdict = places.Length == 1
                ? One(ground, proposal, standing)
                : new AdmissionVerdict.Refused(proposal.Compartment, proposal.Host, [PlacedTwice(ground, places)]);
            verdicts.Add(verdict);
            standing.Count(verdict);
        }

        return verdicts.MoveToImmutable();
    }

    private static AdmissionVerdict One(AdmissionGround ground, PlacementProposal proposal, Standing standing)
    {
        var (refusals, admission) = Alone(ground, proposal);
        if (admission is not null)
        {
            NeighbourChecks.Add(refusals, admission, standing);
        }

        return admission is not null && refusals.Count == 0
            ? new AdmissionVerdict.Admitted(proposal.Compartment, proposal.Host, Because(admission))
            : Refused(proposal, refusals);
    }

    /// <summary>The verdicts on a machine's proposals to which no other machine has anything to say.</summary>
    internal static ImmutableArray<AdmissionVerdict> WithoutNeighbours(
        AdmissionGround ground, CompartmentRef machine, IEnumerable<HostRef> hosts)
    {
        ImmutableArray<HostRef> places = [.. hosts.OrderBy(host => host.ToString(), StringComparer.Ordinal)];
        if (places.Length > 1)
        {
            return [.. places.Select(host =>
                new AdmissionVerdict.Refused(machine, host, [PlacedTwice(ground, places)]))];
        }

        var proposal = new PlacementProposal(machine, places[0], Running: true);
        var (refusals, admission) = Alone(ground, proposal);
        return
        [
            admission is not null && refusals.Count == 0
                ? new AdmissionVerdict.Admitted(machine, places[0], Because(admission)) : Refused(proposal, refusals),
        ];
    }

    /// <summary>What follows from the policies alone, whoever else runs; no case where machine or host are unknown.
    /// </summary>
    private static (List<AdmissionRefusal> Refusals, AdmissionCase? Case) Alone(
        AdmissionGround ground, PlacementProposal proposal)
    {
        var refusals = new List<AdmissionRefusal>();
        var machine = ground.Machine(proposal.Compartment);
        var host = ground.Host(proposal.Host);
        if (machine is null)
        {
            refusals.Add(new(AdmissionRefusalCode.UnknownCompartment,
                $"No accepted statement describes the machine {proposal.Compartment}; its tenant must "
                + "sign one.", null));
        }

        if (host is null)
        {
            refusals.Add(UnknownHost(ground, proposal.Host));
        }

        AddTenant(refusals, ground, proposal.Compartment);
        if (machine is not null)
        {
            MachineChecks.Add(refusals, ground, machine);
        }

        if (machine is null || host is null)
        {
            return (refusals, null);
        }

        var admission = AdmissionCase.Of(ground, machine, host);
        HostChecks.Add(refusals, admission);
        return (refusals, admission);
    }

    private static AdmissionVerdict.Refused Refused(PlacementProposal proposal, List<AdmissionRefusal> refusals) =>
        new(proposal.Compartment, proposal.Host, [.. refusals.OrderBy(refusal => refusal.Code)]);

    private static AdmissionRefusal UnknownHost(AdmissionGround ground, HostRef host) => new(
        AdmissionRefusalCode.UnknownHost,
        ground.Datacentre.Datacentre is { } operated
            ? $"{operated.Origin} has no host {host}; only hosts its operator signed are accepted."
            : $"No datacentre is known, so no operator's word about the host {host} is accepted.",
        ground.Datacentre.Datacentre?.Origin);

    private static void AddTenant(
        List<AdmissionRefusal> refusals, AdmissionGround ground, CompartmentRef machine)
    {
        var operated = ground.Datacentre.Datacentre;
        if (operated is not null && ground.Datacentre.Index.Rank(machine.Tenant) < int.MaxValue
            && ground.Datacentre.Tenants.ContainsKey(machine.Tenant.ToString()))
        {
            return;
        }

        var name = ground.Datacentre.Tenants.GetValueOrDefault(machine.Tenant.ToString())?.Name.Text ?? "unknown";
        refusals.Add(new(AdmissionRefusalCode.TenantNotInDatacentre,
            operated is null
                ? $"No datacentre is known, so the tenant {name} ({machine.Tenant.Short}) is admitted to none."
                : $"{operated.Origin} does not list the tenant {name} ({machine.Tenant.Short}), or no root "
                    + "of it is known.",
            operated?.Origin));
    }

    private static AdmissionRefusal PlacedTwice(AdmissionGround ground, ImmutableArray<HostRef> places) => new(
        AdmissionRefusalCode.HostNotChosen,
        $"The machine is proposed for {places.Length} hosts at once ("
        + Display.List(places.Select(place => ground.Host(place) is { } host ? Display.Of(host) : place.ToString()))
        + "); it runs on none until there is one.",
        null);

    private static ImmutableArray<StatementOrigin> Because(AdmissionCase admission)
    {
        var ground = admission.Ground;
        var image = new ImageRef(admission.Machine.Ref.Tenant, admission.Machine.Image).ToString();
        var origins = new List<StatementOrigin> { admission.Machine.Origin };
        origins.AddRange(admission.Domains.Select(domain => domain.Origin));
        origins.Add(ground.Datacentre.Machinery.Images[image].Origin);
        origins.Add(admission.Host.Origin);
        if (ground.Datacentre.Datacentre is { } operated)
        {
            origins.Add(operated.Origin);
        }

        return [.. origins];
    }
}
