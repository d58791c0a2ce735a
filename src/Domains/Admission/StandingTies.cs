using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>Which machines have to do with each other by volumes, company and flows.</summary>
internal sealed class StandingTies
{
    private readonly Layered<VolumeRef, Listed<CompartmentRef>> _having;
    private readonly Layered<CompartmentRef, Listed<CompartmentRef>> _namedBy;
    private readonly Layered<DomainRef, Listed<CompartmentRef>> _byFlow;

    private StandingTies(
        Layered<VolumeRef, Listed<CompartmentRef>> having, Layered<CompartmentRef, Listed<CompartmentRef>> namedBy,
        Layered<DomainRef, Listed<CompartmentRef>> byFlow) =>
        (_having, _namedBy, _byFlow) = (having, namedBy, byFlow);

    /// <summary>Those of all machines.</summary>
    /// <param name="ground">The policies.</param>
    /// <param name="admitted">Who is admitted.</param>
    /// <param name="proposed">Who is proposed.</param>
    public static StandingTies Of(
        AdmissionGround ground, IEnumerable<CompartmentModel> admitted, IReadOnlyCollection<CompartmentModel> proposed)
    {
        var all = admitted.ToArray();
        return new StandingTies(
            Table(all.SelectMany(machine => Volumes(machine).Select(volume => (volume, machine.Ref)))),
            Table(all.SelectMany(machine => Standing.Named(machine).Select(other => (other, machine.Ref)))),
            Table(proposed.SelectMany(machine => Flows(ground, machine).Select(domain => (domain, machine.Ref)))));
    }

    /// <summary>The machines whose admission rests on flows that a domain grants.</summary>
    public IEnumerable<CompartmentRef> ByFlow(DomainRef granting) => _byFlow.Find(granting)?.All ?? [];

    /// <summary>Those that a machine has to do with by volumes and company, admitted or not.</summary>
    public IEnumerable<CompartmentRef> With(CompartmentModel machine) =>
        Volumes(machine).SelectMany(volume => _having.Find(volume)?.All ?? [])
            .Concat(Standing.Named(machine)).Concat(_namedBy.Find(machine.Ref)?.All ?? []);

    /// <summary>The same after machines moved.</summary>
    public StandingTies With(AdmissionGround ground, IReadOnlyCollection<Moved> moved) => new(
        Changed(_having, moved,
            one => one is { From: not null, Then: { } then } ? Volumes(then) : [],
            one => one is { To: not null, Now: { } now } ? Volumes(now) : []),
        Changed(_namedBy, moved,
            one => one is { From: not null, Then: { } then } ? Standing.Named(then) : [],
            one => one is { To: not null, Now: { } now } ? Standing.Named(now) : []),
        // Who is named by nobody's flow any more is judged once too often, and that is all.
        Changed(_byFlow, moved, _ => [], one => one.Now is { } now ? Flows(ground, now) : []));

    /// <summary>Whether all machines that moved may be with those that are there.</summary>
    /// <param name="ground">The policies.</param>
    /// <param name="moved">The machines.</param>
    /// <param name="place">Where a machine is admitted; null for nowhere.</param>
    public bool AllowAll(
        AdmissionGround ground, IEnumerable<Moved> moved, Func<CompartmentRef, HostModel?> place) =>
        moved.All(one => one is not { Now: { } machine, To: { } host }
            || (Others(ground, Volumes(machine).SelectMany(volume => _having.Find(volume)?.All ?? []), machine, place)
                .All(other => MayShare(ground, machine, other.Machine))
                && Others(
                    ground, Standing.Named(machine).Concat(_namedBy.Find(machine.Ref)?.All ?? []), machine, place)
                    .All(other => NeighbourChecks.Clash(machine, host.Ref, other.Machine, other.Host.Ref) is null)));

    private static IEnumerable<(CompartmentModel Machine, HostModel Host)> Others(
        AdmissionGround ground, IEnumerable<CompartmentRef> those, CompartmentModel machine,
        Func<CompartmentRef, HostModel?> place) =>
        from other in those.Distinct()
        where other != machine.Ref
        let host = place(other)
        let model = ground.Datacentre.Machinery.Compartments.GetValueOrDefault(other.ToString())
        where host is not null && model is not null
        select (model, host);

    private static bool MayShare(AdmissionGround ground, CompartmentModel machine, CompartmentModel other) =>
        machine.Disks.All(disk => other.Disks.Where(held => held.Volume == disk.Volume).All(held =>
            !ground.Datacentre.Machinery.Volumes.TryGetValue(disk.Volume.ToString(), out var volume)
            || (SharingRule.Conflict(volume.Sharing, disk.Access, held.Access) is null
                && SharingRule.Conflict(volume.Sharing, held.Access, disk.Access) is null)));

    private static IEnumerable<VolumeRef> Volumes(CompartmentModel machine) =>
        machine.Disks.Select(disk => disk.Volume).Distinct();

    /// <summary>The domains whose granted flows join the machine's domains, or lend it a disk.</summary>
    private static IEnumerable<DomainRef> Flows(AdmissionGround ground, CompartmentModel machine)
    {
        DomainRef[] own = [.. Standing.Domains(machine)];
        DomainRef[] lenders =
        [
            .. machine.Disks
                .Select(disk => ground.Datacentre.Machinery.Volumes.GetValueOrDefault(disk.Volume.ToString())?.Colour)
                .OfType<DomainRef>().Where(colour => !own.Contains(colour)).Distinct(),
        ];
        return own.Length > 1 ? own.Concat(lenders) : lenders;
    }

    private static Layered<TKey, Listed<CompartmentRef>> Table<TKey>(IEnumerable<(TKey, CompartmentRef)> ties)
        where TKey : notnull => Layered<TKey, Listed<CompartmentRef>>.Of(ties
            .GroupBy(tie => tie.Item1, tie => tie.Item2)
            .ToDictionary(group => group.Key, group => new Listed<CompartmentRef>([.. group])));

    private static Layered<TKey, Listed<CompartmentRef>> Changed<TKey>(
        Layered<TKey, Listed<CompartmentRef>> table, IEnumerable<Moved> moved, Func<Moved, IEnumerable<TKey>> then,
        Func<Moved, IEnumerable<TKey>> now) where TKey : notnull
    {
        var next = new Dictionary<TKey, Listed<CompartmentRef>?>();
        foreach (var one in moved)
        {
            foreach (var key in then(one))
            {
                var rest = At(key).Remove(one.Machine);
                next[key] = rest.IsEmpty ? null : new Listed<CompartmentRef>(rest);
            }

            foreach (var key in now(one))
            {
                next[key] = new Listed<CompartmentRef>(At(key).Remove(one.Machine).Add(one.Machine));
            }
        }

        return table.With(next);

        ImmutableArray<CompartmentRef> At(TKey key) =>
            (next.TryGetValue(key, out var changed) ? changed : table.Find(key))?.All ?? [];
    }
}
