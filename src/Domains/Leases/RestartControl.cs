using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.Domains.Refinement;
using Bailiwick.Ledger;

namespace Bailiwick.Domains.Leases;

/// <summary>
/// A host's leave to open a key again for a restart of one machine, while its key service is silent. It came with a
/// release, and says nothing beyond it.
/// </summary>
/// <param name="Key">What the key opens.</param>
/// <param name="Machine">The machine.</param>
/// <param name="Header">
/// The header of the volume that the key is for; null while none is bound, and for a machine's TPM.
/// </param>
/// <param name="Until">When it ends, on the host's clock since its boot, which nobody can set.</param>
/// <param name="RestsOn">The statements of that release, by their digests (<see cref="RestartControl.RestsOn"/>).
/// </param>
public sealed record RestartLease(
    KeySubject Key, CompartmentRef Machine, Digest32? Header, TimeSpan Until, string RestsOn);

/// <summary>What a host knows when it looks at a restart lease.</summary>
/// <param name="Datacentre">The policies in force.</param>
/// <param name="IsWanted">Whether the machine is to run on this host now.</param>
/// <param name="Standing">How this host stands for a domain.</param>
/// <param name="Now">The moment, on the host's clock since its boot.</param>
public sealed record RestartMoment(
    CheckedDatacentre Datacentre, bool IsWanted, Func<DomainRef, OwnStanding> Standing, TimeSpan Now);

/// <summary>Why a restart lease does not open a key. Closed.</summary>
public enum RestartRefusalCode
{
    /// <summary>Its time is over.</summary>
    Expired = 1,

    /// <summary>The machine is not to run here: ordered off, moved, or not in the plan.</summary>
    MachineNotWanted,

    /// <summary>A statement of the release has another revision now, or is gone.</summary>
    StatementChanged,

    /// <summary>A domain of the machine refuses this host.</summary>
    TrustLost,

    /// <summary>No header was bound to the volume when its key came, so nobody can say which file it is for.</summary>
    HeaderNotBound,

    /// <summary>The volume's file has another header than the key is for.</summary>
    HeaderDiffers,

    /// <summary>Another machine asks than the one that it was given for.</summary>
    OtherMachine,
}

/// <summary>One reason against a restart without asking.</summary>
/// <param name="Code">The kind of reason.</param>
/// <param name="Sentence">For people.</param>
public sealed record RestartRefusal(RestartRefusalCode Code, string Sentence)
{
    /// <summary>Whether it ends the lease for good; what the pool shows is nobody's word against the host.</summary>
    public bool Ends => Code switch
    {
        RestartRefusalCode.Expired or RestartRefusalCode.MachineNotWanted or RestartRefusalCode.StatementChanged
            or RestartRefusalCode.TrustLost => true,
        RestartRefusalCode.HeaderNotBound or RestartRefusalCode.HeaderDiffers
            or RestartRefusalCode.OtherMachine => false,
        _ => throw new UnreachableException(),
    };
}

/// <summary>Whether a key may be opened again. Made only by <see cref="RestartControl"/>.</summary>
public abstract class RestartVerdict
{
    private RestartVerdict()
    {
    }

    /// <summary>It may, for this start.</summary>
    public sealed class Permitted : RestartVerdict
    {
        internal Permitted(RestartLease lease, TimeSpan left) => (Lease, Left) = (lease, left);

        /// <summary>The lease.</summary>
        public RestartLease Lease { get; }

        /// <summary>How long it still lasts.</summary>
        public TimeSpan Left { get; }
    }

    /// <summary>It may not; every reason is given.</summary>
    public sealed class Refused : RestartVerdict
    {
        internal Refused(ImmutableArray<RestartRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<RestartRefusal> Refusals { get; }
    }
}

/// <summary>Decides what a restart lease is worth at a moment. Pure; the host asks before each use.</summary>
public static class RestartControl
{
    /// <summary>
    /// The statements that a release for a machine rests on: the machine's, its domains', and the volume's. Another
    /// revision of any is another text.
    /// </summary>
    public static string RestsOn(CheckedDatacentre datacentre, KeySubject key, CompartmentRef machine)
    {
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(machine);
        var domains = OwnMachines.DomainsOf(datacentre, machine)
            .Select(domain => datacentre.Domains.GetValueOrDefault(domain.ToString())?.Origin);
        StatementOrigin? own = datacentre.Machinery.Compartments.GetValueOrDefault(machine.ToString())?.Origin;
        StatementOrigin? volume = key switch
        {
            KeySubject.Volume one => datacentre.Machinery.Volumes.GetValueOrDefault(one.Ref.ToString())?.Origin,
            KeySubject.MachineTpm => own,
            _ => throw new UnreachableException(),
        };
        return string.Join(
            ' ', new[] { own, volume }.Concat(domains).Select(one => one is null
                ? "none" : string.Create(CultureInfo.InvariantCulture, $"{one}={one.Digest}")));
    }

    /// <summary>Every reason for which the lease is over.</summary>
    public static ImmutableArray<RestartRefusal> Against(RestartLease lease, RestartMoment moment)
    {
        ArgumentNullException.ThrowIfNull(lease);
        ArgumentNullException.ThrowIfNull(moment);
        var refusals = ImmutableArray.CreateBuilder<RestartRefusal>();
        if (moment.Now >= lease.Until)
        {
            refusals.Add(new(RestartRefusalCode.Expired, "Its time is over."));
        }

        if (!moment.IsWanted)
        {
            refusals.Add(new(RestartRefusalCode.MachineNotWanted, $"{lease.Machine} is not to run on this host."));
        }

        if (lease.RestsOn != RestsOn(moment.Datacentre, lease.Key, lease.Machine))
        {
            refusals.Add(new(
                RestartRefusalCode.StatementChanged,
                $"A statement about {lease.Machine}, its volume or its domains is another than at the release."));
        }

        refusals.AddRange(OwnMachines.DomainsOf(moment.Datacentre, lease.Machine)
            .Select(domain => (Domain: domain, Standing: moment.Standing(domain)))
            .Where(one => one.Standing.Trust == OwnTrust.Lost)
            .Select(one => new RestartRefusal(
                RestartRefusalCode.TrustLost, $"{one.Domain.Name} refuses this host: {one.Standing.Because}")));
        return refusals.ToImmutable();
    }

    /// <summary>Decides on one use.</summary>
    /// <param name="lease">The lease.</param>
    /// <param name="machine">The machine that is about to start.</param>
    /// <param name="shown">The header that the volume's file has now; plays no part for a machine's TPM.</param>
    /// <param name="moment">What the host knows now.</param>
    public static RestartVerdict Decide(
        RestartLease lease, CompartmentRef machine, Digest32? shown, RestartMoment moment)
    {
        ImmutableArray<RestartRefusal> refusals = Against(lease, moment);
        if (lease.Machine != machine)
        {
            refusals = refusals.Add(new(
                RestartRefusalCode.OtherMachine, $"It was given for {lease.Machine}, and {machine} is to start."));
        }

        if (lease.Key is KeySubject.Volume && lease.Header is null)
        {
            refusals = refusals.Add(new(
                RestartRefusalCode.HeaderNotBound, $"No header of {lease.Key} was bound when its key came."));
        }
        else if (lease.Key is KeySubject.Volume && lease.Header != shown)
        {
            refusals = refusals.Add(new(
                RestartRefusalCode.HeaderDiffers,
                $"{lease.Key} has the header {lease.Header?.Hex[..16]}, and its file {shown?.Hex[..16] ?? "none"}."));
        }

        return refusals.IsEmpty
            ? new RestartVerdict.Permitted(lease, lease.Until - moment.Now)
            : new RestartVerdict.Refused(refusals);
    }
}
