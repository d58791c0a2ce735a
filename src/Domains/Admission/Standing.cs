using System.Collections.Immutable;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Admission;

/// <summary>What the admitted members of a domain use together.</summary>
internal readonly record struct DomainUse(int Machines, long Cpus, long MemoryMib)
{
    public DomainUse With(CompartmentModel machine) =>
        new(Machines + 1, Cpus + machine.Cpus, MemoryMib + machine.MemoryMib);

    public DomainUse Without(CompartmentModel machine) =>
        new(Machines - 1, Cpus - machine.Cpus, MemoryMib - machine.MemoryMib);
}

/// <summary>The machines admitted so far, and where: what the next one has to live with.</summary>
internal sealed class Standing
{
    private readonly AdmissionGround _ground;
    private readonly List<(CompartmentModel Machine, HostModel Host)> _admitted = [];
    private readonly Dictionary<DomainRef, List<int>> _members = [];
    private readonly Dictionary<DomainRef, DomainUse> _uses = [];
    private readonly Dictionary<VolumeRef, List<int>> _volumes = [];
    private readonly Dictionary<CompartmentRef, int> _places = [];
    private readonly Dictionary<CompartmentRef, List<int>> _namedBy = [];
    private Rooms? _rooms;

    private Standing(AdmissionGround ground) => _ground = ground;

    /// <summary>Everyone admitted, in the order of admission.</summary>
    public IReadOnlyList<(CompartmentModel Machine, HostModel Host)> Admitted => _admitted;

    /// <summary>What is free, and what of it is kept for domains.</summary>
    public Rooms Rooms
    {
        get
        {
            if (_rooms is null)
            {
                _rooms = new Rooms(_ground);
                foreach (var (machine, host) in _admitted)
                {
                    _rooms.Take(machine, host);
                }
            }

            return _rooms;
        }
    }

    public static Standing Empty(AdmissionGround ground) => new(ground);

    public static Standing After(AdmissionGround ground, ImmutableArray<AdmissionVerdict> verdicts)
    {
        var standing = new Standing(ground);
        foreach (var verdict in verdicts)
        {
            standing.Count(verdict);
        }

        return standing;
    }

    public void Count(AdmissionVerdict verdict)
    {
        if (verdict is AdmissionVerdict.Admitted
            && _ground.Datacentre.Machinery.Compartments.TryGetValue(verdict.Compartment.ToString(), out var machine)
            && _ground.Host(verdict.Host) is { } host)
        {
            Count(machine, host);
        }
    }

    /// <summary>Admitted machines with a port in the domain.</summary>
    public IEnumerable<(CompartmentModel Machine, HostModel Host)> Members(DomainModel domain) =>
        At(_members.GetValueOrDefault(domain.Ref));

    /// <summary>What they use.</summary>
    public DomainUse Use(DomainModel domain) => _uses.GetValueOrDefault(domain.Ref);

    /// <summary>Admitted machines that have the volume.</summary>
    public IEnumerable<(CompartmentModel Machine, HostModel Host)> Having(VolumeRef volume) =>
        At(_volumes.GetValueOrDefault(volume));

    /// <summary>
    /// Admitted machines with whom this one demands, or who demand with it, to be apart or together: each once, in the
    /// order of admission.
    /// </summary>
    public IEnumerable<(CompartmentModel Machine, HostModel Host)> Company(CompartmentModel machine)
    {
        var named = Named(machine).Where(_places.ContainsKey).Select(other => _places[other]);
        return At(named.Concat(_namedBy.GetValueOrDefault(machine.Ref, [])).Distinct().Order());
    }

    /// <summary>Those that it demands to be apart from or together with, each once.</summary>
    internal static IEnumerable<CompartmentRef> Named(CompartmentModel machine) =>
        machine.Placement.ApartFrom.Concat(machine.Placement.TogetherWith)
            .Select(name => new CompartmentRef(machine.Ref.Tenant, name)).Distinct();

    private void Count(CompartmentModel machine, HostModel host)
    {
        var place = _admitted.Count;
        _admitted.Add((machine, host));
        _places[machine.Ref] = place;
        _rooms?.Take(machine, host);
        foreach (var domain in Domains(machine))
        {
            Add(_members, domain, place);
            _uses[domain] = _uses.GetValueOrDefault(domain).With(machine);
        }

        foreach (var disk in machine.Disks)
        {
            Add(_volumes, disk.Volume, place);
        }

        foreach (var other in Named(machine))
        {
            Add(_namedBy, other, place);
        }
    }

    /// <summary>The domains of a machine's ports, each once.</summary>
    internal static IEnumerable<DomainRef> Domains(CompartmentModel machine) =>
        Names(machine).Select(name => new DomainRef(machine.Ref.Tenant, name));

    /// <summary>Their names.</summary>
    internal static IEnumerable<StatementName> Names(CompartmentModel machine) => machine.Nics.Length == 1
        ? [machine.Nics[0].Domain] : machine.Nics.Select(nic => nic.Domain).Distinct();

    private static void Add<T>(Dictionary<T, List<int>> index, T key, int place) where T : notnull
    {
        if (!index.TryGetValue(key, out var places))
        {
            index[key] = places = [];
        }

        if (places.Count == 0 || places[^1] != place)
        {
            places.Add(place);
        }
    }

    private IEnumerable<(CompartmentModel Machine, HostModel Host)> At(IEnumerable<int>? places) =>
        (places ?? []).Select(place => _admitted[place]);
}
