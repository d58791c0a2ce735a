using System.Collections.Immutable;
using Bailiwick.Attestation.IntegrityLog;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Networking;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Verification;

/// <summary>
/// Reads back what is really on the host and compares it with the plan in force: nftables, devices, forwarding,
/// namespaces, WireGuard, libvirt's descriptions, LUKS headers, and what holds volumes open. It changes nothing. The
/// units that bring the host to its plan look at the same things all the time and repair what they find; this looks at
/// all of it at once, whatever they remember.
/// </summary>
public sealed class HostVerifier(
    HostNetwork network, CompartmentManager machines, VolumeFiles volumes, ForeignThings foreign, LiveProof proof)
{
    /// <summary>Compares everything.</summary>
    /// <param name="plan">The plan in force.</param>
    /// <param name="isNamed">Which domains the reader may be told by their names.</param>
    public ImmutableArray<VerifiedThing> Verify(EnforcedPlan plan, Func<DomainRef, bool> isNamed)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return network.Observed.Once(() => Compared(plan, isNamed));
    }

    private ImmutableArray<VerifiedThing> Compared(EnforcedPlan plan, Func<DomainRef, bool> isNamed)
    {
        HostPlan host = plan.Plan;
        return
        [
            Look(VerifiedKind.Host, "guard", IntegrityReaders.Everyone, () => network.Guard.Differences(host)),
            Look(VerifiedKind.Host, "uplink", IntegrityReaders.Everyone, () => network.Uplink.Differences(host)),
            Look(VerifiedKind.Host, "foreign", IntegrityReaders.Everyone, () => foreign.Find(host)),
            .. Proven(plan, isNamed),
            .. host.Domains.SelectMany(domain => OfDomain(plan, domain)),
            .. host.Passages.Select(passage => Look(
                VerifiedKind.Passage,
                string.Join(" and ", passage.Between.Select(
                    domain => plan.Domain(domain)?.DisplayName ?? domain.Name.Text)),
                IntegrityReaders.Of(passage.Between.Select(domain => domain.Tenant)),
                () => network.Passages.Differences(plan, passage))),
            .. Machines(plan),
            .. plan.Machines.SelectMany(machine => machine.Disks.Select(disk => Look(
                VerifiedKind.Volume, disk.Volume.Name.Text,
                IntegrityReaders.Of(disk.Volume.Tenant, machine.Ref.Tenant), () => Volume(disk)))),
        ];
    }

    /// <summary>What the tables do, for every packet: told to those against whose statements it is.</summary>
    private IEnumerable<VerifiedThing> Proven(EnforcedPlan plan, Func<DomainRef, bool> isNamed)
    {
        const string Subject = "flows";
        try
        {
            ImmutableArray<LiveEffect> effects = proof.Effects(plan);
            return effects.IsEmpty
                ? [new VerifiedThing(VerifiedKind.Host, Subject, IntegrityReaders.Everyone, [])]
                : effects.Select(effect => new VerifiedThing(
                    VerifiedKind.Host, Subject, IntegrityReaders.Of(effect.Owners), [effect.Sentence(isNamed)]));
        }
        catch (WorldException error)
        {
            return [new VerifiedThing(VerifiedKind.Host, Subject, IntegrityReaders.Everyone, [Unread(error)])];
        }
    }

    private IEnumerable<VerifiedThing> OfDomain(EnforcedPlan plan, DomainPlan domain)
    {
        IntegrityReaders owner = IntegrityReaders.Of(domain.Domain.Tenant);
        yield return Look(
            VerifiedKind.Switch, domain.DisplayName, owner, () => network.Domains.Differences(plan, domain));
        if (domain.Gateway is not null)
        {
            yield return Look(
                VerifiedKind.Gateway, domain.DisplayName, owner, () => network.Domains.GatewayDifferences(domain));
        }

        if (domain.ServicePoint is not null)
        {
            yield return Look(
                VerifiedKind.ServicePoint, domain.DisplayName, owner,
                () => network.Domains.ServiceDifferences(domain));
        }

        if (domain.Network.Encrypted is not null)
        {
            yield return Look(
                VerifiedKind.Tunnels, domain.DisplayName, owner, () => network.Domains.TunnelDifferences(domain));
        }
    }

    private IEnumerable<VerifiedThing> Machines(EnforcedPlan plan)
    {
        try
        {
            return
            [
                .. machines.Differences(plan).Select(running => new VerifiedThing(
                    VerifiedKind.Machine, plan.Machine(running.MachineName)?.DisplayName ?? running.MachineName,
                    plan.Machine(running.MachineName) is { } machine
                        ? plan.ReadersOf(machine) : IntegrityReaders.Nobody,
                    running.Differences)),
            ];
        }
        catch (WorldException error)
        {
            return [new VerifiedThing(VerifiedKind.Machine, "libvirt", IntegrityReaders.Everyone, [Unread(error)])];
        }
    }

    /// <summary>A volume that is not made yet is none to compare.</summary>
    private ImmutableArray<string> Volume(DiskPlan disk) =>
        volumes.Inspect(disk) is { Exists: true } state ? state.Refusals : [];

    /// <summary>What cannot be read is not proven.</summary>
    private static VerifiedThing Look(
        VerifiedKind kind, string subject, IntegrityReaders readers, Func<ImmutableArray<string>> look)
    {
        try
        {
            return new VerifiedThing(kind, subject, readers, look());
        }
        catch (WorldException error)
        {
            return new VerifiedThing(kind, subject, readers, [Unread(error)]);
        }
    }

    private static string Unread(WorldException error) => $"It cannot be read: {error.Message.Trim()}";
}
