using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// Decides whether keys are destroyed: as many root keys in force must have signed as the key's domain asks
/// (<c>approvals.destroy</c>; a domain that lists none allows nobody), for all keys as the root itself asks.
/// </summary>
public static class DestroyControl
{
    /// <summary>Decides.</summary>
    /// <param name="document">The approval as read.</param>
    /// <param name="datacentre">The policies.</param>
    /// <param name="root">The tenant's root in force.</param>
    /// <param name="known">What the key service knows of the key.</param>
    public static DestroyVerdict Decide(
        DestroyDocument document, CheckedDatacentre datacentre, RootKeys root, DestroyCustody known)
    {
        ArgumentNullException.ThrowIfNull(document);
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(known);
        List<KeyRefusal> refusals = [];
        if (document.Subject.Tenant != known.Tenant)
        {
            Add(
                refusals, KeyRefusalCode.TenantNotServed,
                $"This key service serves the tenant {known.Tenant.Short}, not {document.Subject.Tenant.Short}.");
        }

        if (Demanded(refusals, document, datacentre, root, known) is var (demanded, because))
        {
            RootApproval.Check(refusals, document.Signed, root, demanded, "approve a destruction", because);
        }

        if (known.Serial != document.Serial)
        {
            Add(
                refusals, KeyRefusalCode.NotThatKey,
                known.Serial is null
                    ? $"There is no key of {document.Subject}: nothing to destroy."
                    : $"The key of {document.Subject} is another than the one that was approved to be destroyed. Look "
                    + "at what there is now, and approve that.");
        }

        return refusals.Count > 0 ? new DestroyVerdict.Refused([.. refusals]) : new DestroyVerdict.Approved(document);
    }

    /// <summary>How many root keys must approve; null when nobody can, or when nothing says so.</summary>
    /// <param name="subject">What is to be destroyed.</param>
    /// <param name="colour">The domain that a key is of; plays no part otherwise.</param>
    /// <param name="datacentre">The policies.</param>
    /// <param name="threshold">How many root keys sign for the tenant itself.</param>
    public static int? Approvals(
        DestroySubject subject, DomainRef? colour, CheckedDatacentre datacentre, int threshold)
    {
        ArgumentNullException.ThrowIfNull(subject);
        ArgumentNullException.ThrowIfNull(datacentre);
        return subject switch
        {
            DestroySubject.OfAll => threshold,
            DestroySubject.OfKey => Listed(colour, datacentre),
            DestroySubject.OfDomain domain => Listed(domain.Ref, datacentre),
            _ => throw new UnreachableException(),
        };
    }

    private static int? Listed(DomainRef? domain, CheckedDatacentre datacentre) =>
        domain is not null && datacentre.Domains.GetValueOrDefault(domain.ToString()) is { } model
        && model.Approvals.TryGetValue(ApprovedAction.Destroy, out int demanded) && demanded > 0
            ? demanded
            : null;

    private static (int Demanded, StatementOrigin? Because)? Demanded(
        List<KeyRefusal> refusals, DestroyDocument document, CheckedDatacentre datacentre, RootKeys root,
        DestroyCustody known)
    {
        DomainRef? domain = document.Subject switch
        {
            DestroySubject.OfAll => null,
            DestroySubject.OfKey => known.Colour,
            DestroySubject.OfDomain named => named.Ref,
            _ => throw new UnreachableException(),
        };
        if (Approvals(document.Subject, domain, datacentre, root.Threshold) is { } demanded)
        {
            return (demanded, domain is null ? null : datacentre.Domains[domain.ToString()].Origin);
        }

        if (domain is null)
        {
            // There is no key, and so no domain to ask: the serial says it.
            return null;
        }

        StatementOrigin? origin = datacentre.Domains.GetValueOrDefault(domain.ToString())?.Origin;
        Add(
            refusals, origin is null ? KeyRefusalCode.UnknownDomain : KeyRefusalCode.DestroyNotAllowed,
            origin is null
                ? $"No accepted statement describes {domain}."
                : $"{origin} lists no approvals for a destruction.",
            origin);
        return null;
    }

    private static void Add(
        List<KeyRefusal> refusals, KeyRefusalCode code, string sentence, StatementOrigin? because = null) =>
        refusals.Add(new KeyRefusal(code, sentence, because));
}

/// <summary>What a key service knows of a key that is to be destroyed.</summary>
/// <param name="Tenant">The tenant it serves.</param>
/// <param name="Serial">The serial of the present key; null when there is none.</param>
/// <param name="Colour">The domain that the key is of since its first release; null when there is none.</param>
public sealed record DestroyCustody(PartyId Tenant, Digest32? Serial, DomainRef? Colour);

/// <summary>Whether keys are destroyed. Made only by <see cref="DestroyControl"/>.</summary>
public abstract class DestroyVerdict
{
    private DestroyVerdict()
    {
    }

    /// <summary>They are.</summary>
    public sealed class Approved : DestroyVerdict
    {
        internal Approved(DestroyDocument document) => Document = document;

        /// <summary>The verified document.</summary>
        public DestroyDocument Document { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : DestroyVerdict
    {
        internal Refused(ImmutableArray<KeyRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<KeyRefusal> Refusals { get; }
    }
}
