using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// Decides whether keys that were prepared without a network come to be the keys of their volumes and machines' TPMs:
/// under the master key in force alone, for the domain that the statements say, and only where there is no key. What
/// was destroyed comes back by no load either: a statement newer than the destruction must ask for a key.
/// </summary>
public static class LoadControl
{
    /// <summary>Decides.</summary>
    /// <param name="asked">What the document says; that it opens under the master key it names is not decided here.
    /// </param>
    /// <param name="datacentre">The policies.</param>
    /// <param name="known">What the key service knows by itself.</param>
    public static LoadVerdict Decide(LoadedNames asked, CheckedDatacentre datacentre, LoadCustody known)
    {
        ArgumentNullException.ThrowIfNull(asked);
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(known);
        List<KeyRefusal> refusals = [];
        if (asked.Tenant != known.Tenant)
        {
            Add(
                refusals, KeyRefusalCode.TenantNotServed,
                $"This key service serves the tenant {known.Tenant.Short}, and the keys are of {asked.Tenant.Short}.");
        }

        if (asked.Master != known.Master)
        {
            Add(
                refusals, KeyRefusalCode.OtherMasterKey,
                $"The keys were prepared under the master key {asked.Master.Hex[..16]}; in force is "
                + $"{known.Master.Hex[..16]}. Prepare them anew under that.");
        }

        DomainModel? domain = CheckDomain(refusals, asked, datacentre, known);
        var revisions = ImmutableArray.CreateBuilder<long>();
        foreach (KeySubject key in asked.Keys)
        {
            revisions.Add(CheckKey(refusals, key, asked, datacentre, known));
        }

        return refusals.Count > 0 || domain is null
            ? new LoadVerdict.Refused([.. refusals])
            : new LoadVerdict.Accepted(asked, revisions.ToImmutable());
    }

    private static DomainModel? CheckDomain(
        List<KeyRefusal> refusals, LoadedNames asked, CheckedDatacentre datacentre, LoadCustody known)
    {
        if (asked.Domain.Tenant != asked.Tenant)
        {
            Foreign(refusals, asked.Domain.ToString(), asked.Tenant);
        }

        DomainModel? domain = datacentre.Domains.GetValueOrDefault(asked.Domain.ToString());
        if (domain is null)
        {
            Add(refusals, KeyRefusalCode.UnknownDomain, $"No accepted statement describes the domain {asked.Domain}.");
        }
        else if (known.DomainDestroyed(asked.Domain) is { } revision && domain.Origin.Revision <= revision)
        {
            Destroyed(refusals, $"the domain {asked.Domain.Name}", domain.Origin);
        }

        return domain;
    }

    /// <returns>The revision of the statement that describes what the key opens.</returns>
    private static long CheckKey(
        List<KeyRefusal> refusals, KeySubject key, LoadedNames asked, CheckedDatacentre datacentre, LoadCustody known)
    {
        if (key.Tenant != asked.Tenant)
        {
            Foreign(refusals, key.ToString(), asked.Tenant);
        }

        if (known.HasKey(key))
        {
            Add(
                refusals, KeyRefusalCode.KeyExists,
                $"There is a key of {key} already. It is not replaced: what is encrypted under it would be lost.");
        }

        if (Stated(refusals, key, datacentre) is not var (origin, domain))
        {
            return 0;
        }

        if (domain != asked.Domain)
        {
            Add(
                refusals, KeyRefusalCode.ColourDiffers,
                $"{origin} is of the domain {domain}, and the key was prepared for {asked.Domain}.", origin);
        }

        if (known.Destroyed(key) is { } revision && origin.Revision <= revision)
        {
            Destroyed(refusals, key.ToString(), origin);
        }

        return origin.Revision;
    }

    /// <summary>The statement that describes what a key opens, and the domain it is of by that.</summary>
    private static (StatementOrigin Origin, DomainRef Domain)? Stated(
        List<KeyRefusal> refusals, KeySubject key, CheckedDatacentre datacentre)
    {
        switch (key)
        {
            case KeySubject.Volume volume:
                if (datacentre.Machinery.Volumes.GetValueOrDefault(volume.Ref.ToString()) is { } disk)
                {
                    return (disk.Origin, disk.Colour);
                }

                Add(
                    refusals, KeyRefusalCode.UnknownVolume,
                    $"No accepted statement describes the volume {volume.Ref}. Publish it first.");
                return null;
            case KeySubject.MachineTpm tpm:
                if (datacentre.Machinery.Compartments.GetValueOrDefault(tpm.Ref.ToString()) is not { } machine)
                {
                    Add(
                        refusals, KeyRefusalCode.UnknownCompartment,
                        $"No accepted statement describes the machine {tpm.Ref}. Publish it first.");
                    return null;
                }

                if (machine.Tpm != MachineTpm.Required)
                {
                    Add(
                        refusals, KeyRefusalCode.TpmNotDemanded, $"{machine.Origin} has no TPM of its own.",
                        machine.Origin);
                }

                return (machine.Origin, new DomainRef(machine.Ref.Tenant, machine.Nics[0].Domain));
            default:
                throw new UnreachableException();
        }
    }

    private static void Foreign(List<KeyRefusal> refusals, string what, PartyId tenant) => Add(
        refusals, KeyRefusalCode.ForeignReference, $"{what} is not of the tenant {tenant.Short}, as the document is.");

    private static void Destroyed(List<KeyRefusal> refusals, string what, StatementOrigin origin) => Add(
        refusals, KeyRefusalCode.KeyDestroyed,
        $"The key of {what} was destroyed at {origin}, or later. Sign a newer statement to have one again.", origin);

    private static void Add(
        List<KeyRefusal> refusals, KeyRefusalCode code, string sentence, StatementOrigin? because = null) =>
        refusals.Add(new KeyRefusal(code, sentence, because));
}

/// <summary>What a document of prepared keys says.</summary>
/// <param name="Tenant">Whose they are.</param>
/// <param name="Master">The id of the master key that they are under.</param>
/// <param name="Domain">The domain that they are of.</param>
/// <param name="Keys">What they open.</param>
public sealed record LoadedNames(PartyId Tenant, Digest32 Master, DomainRef Domain, ImmutableArray<KeySubject> Keys);

/// <summary>What a key service knows of keys that are to be loaded.</summary>
/// <param name="Tenant">The tenant it serves.</param>
/// <param name="Master">The id of the master key in force.</param>
/// <param name="HasKey">Whether there is a key of that name.</param>
public sealed record LoadCustody(PartyId Tenant, Digest32 Master, Func<KeySubject, bool> HasKey)
{
    /// <summary>The revision of the statement at which a key was destroyed; null when none was.</summary>
    public required Func<KeySubject, long?> Destroyed { get; init; }

    /// <summary>The revision at which a domain's keys were destroyed; null when they were not.</summary>
    public required Func<DomainRef, long?> DomainDestroyed { get; init; }
}

/// <summary>Whether prepared keys are loaded. Made only by <see cref="LoadControl"/>.</summary>
public abstract class LoadVerdict
{
    private LoadVerdict()
    {
    }

    /// <summary>They are.</summary>
    public sealed class Accepted : LoadVerdict
    {
        internal Accepted(LoadedNames names, ImmutableArray<long> revisions)
        {
            Names = names;
            Revisions = revisions;
        }

        /// <summary>What the document says.</summary>
        public LoadedNames Names { get; }

        /// <summary>The revisions of the statements that describe what the keys open, in their order.</summary>
        public ImmutableArray<long> Revisions { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : LoadVerdict
    {
        internal Refused(ImmutableArray<KeyRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<KeyRefusal> Refusals { get; }
    }
}
