using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Tracing;

namespace Bailiwick.Domains.Explaining;

/// <summary>Why a machine may have a volume, by the statements alone.</summary>
internal sealed class DiskReasons(
    CheckedDatacentre datacentre, FlowMatrix matrix, WhyQuestion.Disk question, DateTimeOffset now)
{
    private readonly NamedMembers _members = new(DomainMembers.Of(datacentre));

    public ImmutableArray<WhyLink> Links()
    {
        var machine = datacentre.Machinery.Compartments.GetValueOrDefault(question.Machine.ToString());
        var volume = datacentre.Machinery.Volumes.GetValueOrDefault(question.Volume.ToString());
        if (machine is null || volume is null)
        {
            return
            [
                .. machine is null
                    ? [new WhyLink(false, $"No accepted statement describes the machine {question.Machine}.", null)]
                    : Array.Empty<WhyLink>(),
                .. volume is null
                    ? [new WhyLink(false, $"No accepted statement describes the volume {question.Volume}.", null)]
                    : Array.Empty<WhyLink>(),
            ];
        }

        var owner = datacentre.Domains[volume.Colour.ToString()];
        var disk = machine.Disks.FirstOrDefault(one => one.Volume == volume.Ref);
        var access = disk?.Access ?? VolumeAccess.Read;
        return
        [
            new WhyLink(
                true, $"The volume {VolumeName(volume)} belongs to {Display.Of(owner)}.", volume.Origin)
            {
                Domain = owner.Ref,
            },
            Attached(machine, volume, disk), .. Right(machine, volume, owner, access),
            .. Terms(machine, volume, owner, access), .. Alone(machine, volume, owner),
            .. now < owner.Expires ? Array.Empty<WhyLink>() :
            [
                new WhyLink(false, $"{owner.Origin} has expired; a newer revision must be signed.", owner.Origin)
                {
                    Domain = owner.Ref,
                },
            ],
        ];
    }

    private static string VolumeName(VolumeModel volume) => $"{volume.Origin.OwnerName}/{volume.Ref.Name}";

    private static DomainRef Home(CompartmentModel machine) => new(machine.Ref.Tenant, machine.Nics[0].Domain);

    private static WhyLink Attached(CompartmentModel machine, VolumeModel volume, DiskModel? disk) => new(
        disk is not null,
        disk is not null
            ? $"{machine.Origin} names it among its disks, with {WireText.Of(disk.Access)} access."
            : $"{machine.Origin} would need this among its disks: - {{volume: "
                + (volume.Ref.Tenant == machine.Ref.Tenant ? volume.Ref.Name.Text : VolumeName(volume))
                + ", access: read}",
        machine.Origin) { Domain = Home(machine) };

    /// <summary>By what right: membership of the owning domain, or a flow that lends the volume.</summary>
    private IEnumerable<WhyLink> Right(
        CompartmentModel machine, VolumeModel volume, DomainModel owner, VolumeAccess access)
    {
        if (FlowMatrix.Domains(machine).Contains(owner.Ref))
        {
            return [FlowReasons.Member(machine, owner)];
        }

        var borrowers = FlowMatrix.Domains(machine).Distinct()
            .Select(domain => datacentre.Domains[domain.ToString()]).ToArray();
        if (matrix.Lending(volume, machine.Ref, access) is { } flow)
        {
            var to = flow.Sides.Accept.Domain;
            return
            [
                FlowReasons.Member(machine, to),
                FlowReasons.Said(owner, "grants", "to", to, flow.Sides.Grant.Term),
                FlowReasons.Said(to, "accepts", "from", owner, flow.Sides.Accept.Term),
            ];
        }

        return borrowers.SelectMany(domain => Unlent(machine, volume, owner, domain, access));
    }

    private IEnumerable<WhyLink> Unlent(
        CompartmentModel machine, VolumeModel volume, DomainModel owner, DomainModel borrower, VolumeAccess access)
    {
        var resource = $"volume: {{name: {volume.Ref.Name}, access: {WireText.Of(access)}}}";
        var grant = owner.Grants.FirstOrDefault(term => term.Peer == borrower.Ref && Lends(term));
        var accept = borrower.Accepts.FirstOrDefault(term => term.Peer == owner.Ref && Lends(term)
            && _members.Named(borrower, term).Contains(machine.Ref));
        yield return FlowReasons.Member(machine, borrower);
        yield return grant is null
            ? new WhyLink(
                false,
                $"{owner.Origin} would need this among its grants: - {{to: {Display.Of(borrower)}, {resource}}}",
                owner.Origin) { Domain = owner.Ref }
            : FlowReasons.Said(owner, "grants", "to", borrower, grant);
        yield return accept is null
            ? FlowReasons.Silent(
                MissingTerms.Missing(borrower, "accepts", "from", owner, machine.Ref, resource), borrower)
            : FlowReasons.Said(borrower, "accepts", "from", owner, accept);
        if (grant is not null && accept is not null)
        {
            yield return new WhyLink(
                false, "Both say it, and the flow is closed all the same; `bailiwick policy check` says why.",
                owner.Origin) { Domain = owner.Ref };
        }

        bool Lends(FlowTerm term) =>
            term.Resource is FlowResource.Volume lent && lent.Name == volume.Ref.Name && lent.Access >= access;
    }

    /// <summary>What the volume's own statement demands.</summary>
    private IEnumerable<WhyLink> Terms(
        CompartmentModel machine, VolumeModel volume, DomainModel owner, VolumeAccess access)
    {
        if (access > volume.Access)
        {
            yield return Own(false, $"{volume.Origin} is only read, by anybody.");
        }

        if (volume.Mount is null)
        {
            yield break;
        }

        var hosts = datacentre.Inventory.Hosts.Values.ToLookup(
            host => MountControl.Against(volume, machine, host.Ref).IsEmpty);
        yield return hosts[true].Any()
            ? Own(true, $"By its conditions it may be opened on {Display.List(hosts[true].Select(Display.Of))}.")
            : Own(false, string.Join(" ", datacentre.Inventory.Hosts.Values
                .SelectMany(host => MountControl.Against(volume, machine, host.Ref))
                .Select(refusal => refusal.Sentence).DefaultIfEmpty("There is no host on which it could be opened.")
                .Distinct(StringComparer.Ordinal)));

        WhyLink Own(bool holds, string sentence) => new(holds, sentence, volume.Origin) { Domain = owner.Ref };
    }

    /// <summary>
    /// Others that name it keep it from the machine where it is one machine's at a time. Each is a link of its own, so
    /// that no borrower reads another one's name.
    /// </summary>
    private IEnumerable<WhyLink> Alone(CompartmentModel machine, VolumeModel volume, DomainModel owner)
    {
        var others = datacentre.Machinery.Compartments.Values
            .Where(other => other.Ref != machine.Ref && other.Disks.Any(disk => disk.Volume == volume.Ref)).ToArray();
        var (isShared, words) = volume.Sharing switch
        {
            VolumeSharing.Exclusive => (false, "is one machine's at a time"),
            VolumeSharing.Readers => (true, "has one machine that writes at a time, and any number that read"),
            VolumeSharing.Writers => (true, "may be written by several machines at the same time"),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        yield return new WhyLink(true, $"{volume.Origin} {words}.", volume.Origin) { Domain = owner.Ref };
        foreach (var other in others)
        {
            yield return new WhyLink(isShared, $"{Display.Of(other)} names it too.", other.Origin)
            {
                Domain = Home(other),
            };
        }
    }
}
