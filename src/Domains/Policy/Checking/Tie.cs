using System.Net;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Policy.Checking;

/// <summary>
/// Something that statements have to do with each other by: the name of a statement, or what only one may have. Who
/// judges one statement again, because it or what it rests on changed, judges again all that rest on its ties.
/// </summary>
/// <param name="Of">The kind of the statement that is named, or that claims.</param>
/// <param name="Owner">Whose; null where it is the same for all parties.</param>
/// <param name="Text">The statement's name, or what is claimed: never in the form of a name.</param>
internal readonly record struct Tie(StatementKind Of, PartyId? Owner, string Text)
{
    /// <summary>What the verdict on a statement by itself and beside others rests on; flows come later.</summary>
    /// <param name="model">What the statement says; of one that cannot be read nothing is asked.</param>
    public static IEnumerable<Tie> RestsOn(object? model) => model switch
    {
        DomainModel domain => domain.Machines.Images
            .Select(image => new Tie(StatementKind.Image, domain.Ref.Tenant, image.Text)).Concat(Claims(domain)),
        VolumeModel volume => OfVolume(volume),
        CompartmentModel machine => OfMachine(machine),
        _ => [],
    };

    /// <summary>Whose verdicts rest on a statement: those that name it, or claim what it claims.</summary>
    public static IEnumerable<Tie> GivenBy(Subject subject, object? model)
    {
        var own = new Tie(subject.Kind, subject.Owner, subject.Name);
        return model switch
        {
            DomainModel domain => Claims(domain).Prepend(own),
            VolumeModel { FromVolume: { } source } =>
                [own, new Tie(StatementKind.Volume, subject.Owner, source.Text)],
            CompartmentModel machine => Claims(machine).Prepend(own),
            _ => [own],
        };
    }

    private static Tie[] Claims(DomainModel domain) =>
    [
        new(StatementKind.Domain, null, $"number {DerivedNames.NetworkNumber(domain)}"),
        new(StatementKind.Domain, null,
            $"device {DerivedNames.Digits(domain.Ref.ToString(), DerivedNames.DeviceDigits)}"),
    ];

    /// <summary>Copies of one volume are judged together with it.</summary>
    private static IEnumerable<Tie> OfVolume(VolumeModel volume)
    {
        var tenant = volume.Ref.Tenant;
        yield return new Tie(StatementKind.Volume, tenant, volume.Ref.Name.Text);
        yield return new Tie(StatementKind.Domain, tenant, volume.Domain.Text);
        if (volume.FromImage is { } image)
        {
            yield return new Tie(StatementKind.Image, tenant, image.Text);
        }

        if (volume.FromVolume is { } source)
        {
            yield return new Tie(StatementKind.Volume, tenant, source.Text);
        }
    }

    private static IEnumerable<Tie> OfMachine(CompartmentModel machine)
    {
        var tenant = machine.Ref.Tenant;
        yield return new Tie(StatementKind.Image, tenant, machine.Image.Text);
        foreach (var nic in machine.Nics)
        {
            yield return new Tie(StatementKind.Domain, tenant, nic.Domain.Text);
        }

        foreach (var other in machine.Placement.ApartFrom.Concat(machine.Placement.TogetherWith))
        {
            yield return new Tie(StatementKind.Compartment, tenant, other.Text);
        }

        foreach (var claim in Claims(machine))
        {
            yield return claim;
        }
    }

    private static IEnumerable<Tie> Claims(CompartmentModel machine)
    {
        foreach (var nic in machine.Nics)
        {
            foreach (var address in new[] { nic.Ipv4, nic.Ipv6 }.OfType<IPAddress>())
            {
                yield return new Tie(StatementKind.Compartment, machine.Ref.Tenant, $"{nic.Domain} {address}");
            }
        }

        foreach (var disk in machine.Disks)
        {
            yield return new Tie(StatementKind.Volume, disk.Volume.Tenant, disk.Volume.Name.Text);
        }
    }
}
