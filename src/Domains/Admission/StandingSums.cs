using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>What admitted machines take of hosts and of quotas.</summary>
internal sealed class StandingSums
{
    private readonly Layered<HostRef, Taken> _taken;
    private readonly Layered<DomainRef, Used> _used;

    private sealed record Taken(Room Room);

    private sealed record Used(DomainUse Use);

    private StandingSums(Layered<HostRef, Taken> taken, Layered<DomainRef, Used> used) =>
        (_taken, _used) = (taken, used);

    /// <summary>Those of all admitted machines.</summary>
    public static StandingSums Of(IEnumerable<(CompartmentModel Machine, HostModel Host)> admitted)
    {
        var (taken, used) = (new Dictionary<HostRef, Room>(), new Dictionary<DomainRef, DomainUse>());
        foreach (var (machine, host) in admitted)
        {
            taken[host.Ref] = taken.GetValueOrDefault(host.Ref) + Capacity.Needed(machine);
            foreach (var domain in Standing.Domains(machine))
            {
                used[domain] = used.GetValueOrDefault(domain).With(machine);
            }
        }

        return new StandingSums(
            Layered<HostRef, Taken>.Of(taken.ToDictionary(one => one.Key, one => new Taken(one.Value))),
            Layered<DomainRef, Used>.Of(used.ToDictionary(one => one.Key, one => new Used(one.Value))));
    }

    /// <summary>The same after machines moved.</summary>
    public StandingSums With(IEnumerable<Moved> moved)
    {
        var (taken, used) = (new Dictionary<HostRef, Taken?>(), new Dictionary<DomainRef, Used?>());
        foreach (var one in moved)
        {
            if (one is { Then: { } then, From: { } from })
            {
                taken[from.Ref] = new Taken(At(from.Ref) - Capacity.Needed(then));
                foreach (var domain in Standing.Domains(then))
                {
                    used[domain] = new Used(In(domain).Without(then));
                }
            }

            if (one is { Now: { } now, To: { } to })
            {
                taken[to.Ref] = new Taken(At(to.Ref) + Capacity.Needed(now));
                foreach (var domain in Standing.Domains(now))
                {
                    used[domain] = new Used(In(domain).With(now));
                }
            }
        }

        return new StandingSums(_taken.With(taken), _used.With(used));

        Room At(HostRef host) => (taken.TryGetValue(host, out var sum) ? sum : _taken.Find(host))?.Room ?? default;
        DomainUse In(DomainRef domain) =>
            (used.TryGetValue(domain, out var sum) ? sum : _used.Find(domain))?.Use ?? default;
    }

    /// <summary>Whether the hosts and the domains of machines that moved have room for all who are there.</summary>
    /// <param name="ground">The policies.</param>
    /// <param name="moved">The machines.</param>
    /// <param name="domains">Domains whose quotas may be others.</param>
    public bool HaveRoom(AdmissionGround ground, IReadOnlyCollection<Moved> moved, IEnumerable<DomainRef> domains) =>
        moved.SelectMany(one => one.Hosts).Distinct().All(host =>
            Capacity.Whole(host).Holds(_taken.Find(host.Ref)?.Room ?? default))
        && moved.SelectMany(one => one.Models).SelectMany(Standing.Domains).Concat(domains).Distinct()
            .All(domain => IsEnough(ground, domain));

    /// <summary>What is taken of a host.</summary>
    public Room TakenOf(HostRef host) => _taken.Find(host)?.Room ?? default;

    private bool IsEnough(AdmissionGround ground, DomainRef domain)
    {
        var (machines, cpus, memory) = _used.Find(domain)?.Use ?? default;
        return ground.Domain(domain.Tenant, domain.Name)?.Quota is not { } quota
            || (machines <= quota.Machines && cpus <= quota.Cpus && memory <= quota.MemoryMib);
    }
}
