using System.Collections.Immutable;
using System.Numerics;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Consequences;

/// <summary>
/// Domains whose demands nothing can meet, whatever hosts there will be: one alone, or those of one machine together.
/// </summary>
internal static class Contradictions
{
    /// <summary>One thing that several domains choose from, each for itself.</summary>
    /// <param name="What">For people, in the plural.</param>
    /// <param name="Pointer">The member that lists it.</param>
    /// <param name="Values">What a domain accepts, each as people read it.</param>
    private sealed record Choice(string What, string Pointer, Func<DomainModel, IEnumerable<string>> Values);

    private static readonly ImmutableArray<Choice> Choices =
    [
        new("operators", "/hosts/operators", one => one.Hosts.Operators.Select(id => id.Short)),
        new("assurance levels", "/hosts/assurance", one => one.Hosts.Assurance.Select(WireText.Of)),
        new("countries", "/hosts/jurisdictions", one => one.Hosts.Jurisdictions),
    ];

    /// <summary>Finds them, and gives the kinds of machines concerned.</summary>
    public static ImmutableHashSet<MachineKind> Find(
        FindingPlaces places, AdmissionGround ground, ImmutableArray<MachineKind> kinds)
    {
        var images = ground.Datacentre.Machinery.Images.Values.ToLookup(image => image.Ref.Tenant);
        var imageless = ground.Datacentre.Domains.Values
            .Where(domain => ImagelessAlone(places, domain, [.. images[domain.Ref.Tenant]]))
            .Select(domain => domain.Ref).ToHashSet();
        var found = ImmutableHashSet.CreateBuilder<MachineKind>();
        foreach (var members in kinds.GroupBy(kind => string.Join(' ', Domains(ground, kind).Select(one => one.Ref))))
        {
            var domains = Domains(ground, members.First());
            var together = MachineKind.Of(members);
            if (domains.Length < 2)
            {
                continue;
            }

            bool any = false;
            foreach (var choice in Choices)
            {
                any |= Disjoint(places, together, domains, choice);
            }

            any |= !domains.Any(one => imageless.Contains(one.Ref))
                && NoImage(places, together, domains, [.. images[together.First.Ref.Tenant]]);
            if (any)
            {
                found.UnionWith(members);
            }
        }

        Unnamed(places, ground, kinds);
        return found.ToImmutable();
    }

    private static ImmutableArray<DomainModel> Domains(AdmissionGround ground, MachineKind kind) =>
    [
        .. kind.First.Nics.Select(nic => nic.Domain).Distinct()
            .Select(name => ground.Domain(kind.First.Ref.Tenant, name)).OfType<DomainModel>()
            .OrderBy(domain => domain.Ref.ToString(), StringComparer.Ordinal),
    ];

    private static bool ImagelessAlone(FindingPlaces places, DomainModel domain, ImmutableArray<ImageModel> images)
    {
        var accepted = images.Where(image => domain.Machines.Images.Contains(image.Ref.Name)).ToArray();
        // A name without an image is a finding of its own.
        if (accepted.Length < domain.Machines.Images.Length || Array.Exists(accepted, image => Starts(domain, image)))
        {
            return false;
        }

        places.Add(
            domain.Origin, FindingCode.NoImageForDomain, "/machines/firmware",
            $"No machine can be a member: the domain demands the firmware {WireText.Of(domain.Machines.Firmware)}, and "
            + $"of the images that it accepts, {Display.List(domain.Machines.Images)}, none states a firmware. The "
            + $"least change: add firmware to {accepted[0].Origin} ({places.At(accepted[0].Origin, "")}).");
        return true;
    }

    private static bool Starts(DomainModel domain, ImageModel image) =>
        domain.Machines.Accepts(image.FirmwareSha256 is null ? MachineFirmware.Direct : MachineFirmware.Ovmf);

    private static bool Disjoint(
        FindingPlaces places, MachineKind kind, ImmutableArray<DomainModel> domains, Choice choice)
    {
        string[] values = [.. domains.SelectMany(choice.Values).Distinct(StringComparer.Ordinal)];
        var missed = values.ToDictionary(value => value, value => Bits(domains, domain =>
            !choice.Values(domain).Contains(value, StringComparer.Ordinal)), StringComparer.Ordinal);
        if (values.Length == 0 || missed.Values.Any(bits => bits.IsZero))
        {
            return false;
        }

        var reason = SmallestReason.Of(missed.Values, domains.Length).Select(i => domains[i]).ToArray();
        string nearest = values.MinBy(value => BigInteger.PopCount(missed[value])) ?? values[0];
        var missing = domains.Where((_, i) => !(missed[nearest] >> i).IsEven);
        Say(places, kind, reason, $"Its domains have no {choice.What} in common: "
            + string.Join(", ", reason.Select(domain => $"{Display.Of(domain)} accepts "
                + $"{Display.List(choice.Values(domain))} ({places.At(domain.Origin, choice.Pointer)})"))
            + ". So it runs nowhere, whatever hosts there are. The least change: let "
            + $"{string.Join(" and ", missing.Select(Display.Of))} accept {nearest} too, or take the machine out of "
            + "one.");
        return true;
    }

    private static bool NoImage(
        FindingPlaces places, MachineKind kind, ImmutableArray<DomainModel> domains, ImmutableArray<ImageModel> images)
    {
        var missed = images.ToDictionary(image => image, image => Bits(domains, domain =>
            !domain.Machines.Images.Contains(image.Ref.Name) || !Starts(domain, image)));
        if (images.IsEmpty || missed.Values.Any(bits => bits.IsZero))
        {
            return false;
        }

        var reason = SmallestReason.Of(missed.Values, domains.Length).Select(i => domains[i]).ToArray();
        if (reason.Length == 1)
        {
            // It accepts images that nobody describes, which is said of it alone.
            return false;
        }

        var nearest = images.MinBy(image => BigInteger.PopCount(missed[image])) ?? images[0];
        var missing = domains.Where((_, i) => !(missed[nearest] >> i).IsEven);
        Say(places, kind, reason, "From whatever image it starts, one of its domains refuses it: "
            + string.Join(", ", reason.Select(domain => $"{Display.Of(domain)} accepts "
                + Display.List(domain.Machines.Images)
                + (domain.Machines.Firmware == FirmwareDemand.Any ? "" : " where they state a firmware")
                + $" ({places.At(domain.Origin, "/machines/images")})"))
            + $". The least change: let {string.Join(" and ", missing.Select(Display.Of))} accept {nearest.Ref.Name} "
            + "too, or take the machine out of one.");
        return true;
    }

    /// <summary>A machine in two domains is one of the flow's own ends on both sides, or is refused.</summary>
    private static void Unnamed(FindingPlaces places, AdmissionGround ground, ImmutableArray<MachineKind> kinds)
    {
        foreach (var machine in kinds.Where(kind => kind.First.Nics.Length > 1).SelectMany(kind => kind.Machines))
        {
            var domains = AdmissionCase.DomainsOf(ground, machine);
            for (int i = 0; i < domains.Length; i++)
            {
                for (int j = i + 1; j < domains.Length; j++)
                {
                    if (!MachineChecks.IsJoined(ground.Flows, machine, domains[i], domains[j]))
                    {
                        places.Add(
                            machine.Origin, FindingCode.DomainsNotJoined, $"/nics/{j}/domain",
                            $"No open network flow between {Display.Of(domains[i])} and {Display.Of(domains[j])} names "
                            + "this machine on both sides, so it is never admitted. The least change: name it in both "
                            + "terms of one flow of theirs, or remove a port.");
                    }
                }
            }
        }
    }

    private static void Say(FindingPlaces places, MachineKind kind, DomainModel[] reason, string sentence)
    {
        int nic = kind.First.Nics.ToList().FindLastIndex(one => reason.Any(domain => domain.Ref.Name == one.Domain));
        places.Add(kind.First.Origin, FindingCode.DomainsContradict, $"/nics/{nic}/domain", sentence + kind.Others);
    }

    private static BigInteger Bits(ImmutableArray<DomainModel> domains, Func<DomainModel, bool> misses)
    {
        var bits = BigInteger.Zero;
        for (int i = 0; i < domains.Length; i++)
        {
            bits |= misses(domains[i]) ? BigInteger.One << i : BigInteger.Zero;
        }

        return bits;
    }
}
