using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>The machines admitted so far, and where: what the next one has to live with.</summary>
internal sealed class Standing
{
    private readonly AdmissionGround _ground;
    private readonly List<(CompartmentModel Machine, HostModel Host)> _admitted = [];

    private Standing(AdmissionGround ground) => _ground = ground;

    /// <summary>Everyone admitted, in the order of admission.</summary>
    public IReadOnlyList<(CompartmentModel Machine, HostModel Host)> Admitted => _admitted;

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
            _admitted.Add((machine, host));
        }
    }

    /// <summary>Admitted machines with a port in the domain.</summary>
    public IEnumerable<(CompartmentModel Machine, HostModel Host)> Members(DomainModel domain) =>
        _admitted.Where(place => IsMember(place.Machine, domain));

    public static bool IsMember(CompartmentModel machine, DomainModel domain) =>
        machine.Ref.Tenant == domain.Ref.Tenant && machine.Nics.Any(nic => nic.Domain == domain.Ref.Name);
}
