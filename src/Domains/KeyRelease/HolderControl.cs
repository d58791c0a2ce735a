using System.Collections.Immutable;
using System.Diagnostics;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Documents;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// Decides whether a key's holder may be cleared: by the host that holds it, or by root keys of the tenant. Both
/// documents name the release they end by its nonce, so an old one ends no newer release.
/// </summary>
public static class HolderControl
{
    /// <summary>Decides on a host's return.</summary>
    /// <param name="document">The return as read.</param>
    /// <param name="datacentre">The policies and the inventory.</param>
    /// <param name="custody">What the key service knows; the nonce's standing plays no part.</param>
    public static HolderVerdict Decide(HolderDocument.Return document, CheckedDatacentre datacentre, KeyCustody custody)
    {
        ArgumentNullException.ThrowIfNull(document);
        ArgumentNullException.ThrowIfNull(custody);
        List<KeyRefusal> refusals = [];
        CheckTenant(refusals, document.Key, custody);
        CheckHost(refusals, document, datacentre, custody);
        CheckHeld(refusals, document, custody);
        CheckBoot(refusals, document, custody);
        return Verdict(refusals, document);
    }

    /// <summary>Decides on a takeover.</summary>
    /// <param name="document">The approval as read.</param>
    /// <param name="datacentre">The policies.</param>
    /// <param name="root">The tenant's root in force.</param>
    /// <param name="custody">What the key service knows; the nonce's standing and the caller play no part.</param>
    public static HolderVerdict Decide(
        HolderDocument.Takeover document, CheckedDatacentre datacentre, RootKeys root, KeyCustody custody)
    {
        ArgumentNullException.ThrowIfNull(document);
        ArgumentNullException.ThrowIfNull(datacentre);
        ArgumentNullException.ThrowIfNull(root);
        ArgumentNullException.ThrowIfNull(custody);
        List<KeyRefusal> refusals = [];
        CheckTenant(refusals, document.Key, custody);
        switch (Asked(document.Key, datacentre, custody))
        {
            case (_, { } domain):
                CheckApprovals(refusals, document, domain, root);
                break;
            case ({ } named, null):
                Add(refusals, KeyRefusalCode.UnknownDomain, $"No accepted statement describes {named}.");
                break;
            default:
                Add(
                    refusals,
                    document.Key is KeySubject.Volume
                        ? KeyRefusalCode.UnknownVolume : KeyRefusalCode.UnknownCompartment,
                    $"No accepted statement describes {document.Key}.");
                break;
        }

        if (!AwaitsApproval(document, datacentre, custody))
        {
            CheckHeld(refusals, document, custody);
        }

        CheckRestart(refusals, document, custody);
        return Verdict(refusals, document);
    }

    /// <summary>
    /// The domain whose policy says who may take a key from its holder: a volume's colour, and a machine's first domain
    /// for its TPM. Null when no accepted statement describes them.
    /// </summary>
    public static DomainModel? DomainOf(KeySubject key, CheckedDatacentre datacentre)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(datacentre);
        return Named(key, datacentre).Domain;
    }

    /// <summary>
    /// Whom a takeover asks: the domain under whose rules the key was made, whatever a statement says of it today. Else
    /// whoever may state the volume anew could name a domain that asks fewer.
    /// </summary>
    private static (StatementName? Named, DomainModel? Domain) Asked(
        KeySubject key, CheckedDatacentre datacentre, KeyCustody custody) => custody.Colour is { } colour
            ? (colour.Name, datacentre.Domains.GetValueOrDefault(colour.ToString()))
            : Named(key, datacentre);

    private static (StatementName? Named, DomainModel? Domain) Named(KeySubject key, CheckedDatacentre datacentre)
    {
        var named = key switch
        {
            KeySubject.Volume volume =>
                datacentre.Machinery.Volumes.GetValueOrDefault(volume.Ref.ToString())?.Domain,
            KeySubject.MachineTpm tpm =>
                datacentre.Machinery.Compartments.GetValueOrDefault(tpm.Ref.ToString())?.Nics[0].Domain,
            _ => throw new UnreachableException(),
        };
        return named is null
            ? (null, null)
            : (named, datacentre.Domains.GetValueOrDefault(new DomainRef(key.Tenant, named).ToString()));
    }

    internal static void CheckTenant(List<KeyRefusal> refusals, KeySubject key, KeyCustody custody)
    {
        if (key.Tenant != custody.Tenant)
        {
            Add(
                refusals, KeyRefusalCode.TenantNotServed,
                $"This key service serves the tenant {custody.Tenant.Short}, not {key.Tenant.Short}.");
        }
    }

    /// <summary>The holder itself says it: it signed, and it is the caller.</summary>
    internal static void CheckHost(
        List<KeyRefusal> refusals, HolderDocument document, CheckedDatacentre datacentre, KeyCustody custody)
    {
        if (ReleaseControl.IdentityKeyOf(datacentre, document.Holder) is not { } key)
        {
            Add(refusals, KeyRefusalCode.UnknownHost, $"No operator's statement gives a key for {document.Holder}.");
            return;
        }

        if (document.Signed.Signers(id => id == key.Id ? key : null) is SignatureVerdict.Refused refused)
        {
            Add(
                refusals, KeyRefusalCode.DocumentSignature,
                $"The identity key of {document.Holder} must sign what it says, but {refused.Clause}.");
        }

        if (key.Id != custody.Caller)
        {
            Add(
                refusals, KeyRefusalCode.CallerNotHost,
                $"The caller's key {custody.Caller.Short} is not that of {document.Holder}.");
        }
    }

    /// <summary>
    /// A host that started anew does not know what became of the state that it kept while it was off: it cannot say
    /// which one is the newest, neither by asking for the key nor by giving it back.
    /// </summary>
    private static void CheckBoot(List<KeyRefusal> refusals, HolderDocument.Return document, KeyCustody custody)
    {
        if (document.Key is KeySubject.MachineTpm && custody.Mark is TpmStateMark.Out { Boot: var boot }
            && boot != document.Boot)
        {
            Add(
                refusals, KeyRefusalCode.TpmStateNotReturned,
                $"{document.Key} was out in the boot {boot:D} of its holder, which ended without a return; nobody "
                + "knows its newest state. Root keys of the tenant must approve a takeover.");
        }
    }

    /// <summary>
    /// Whether root keys are asked for a hold that has ended, because the volume's statement does not list how.
    /// </summary>
    private static bool AwaitsApproval(
        HolderDocument.Takeover document, CheckedDatacentre datacentre, KeyCustody custody) =>
        custody.Kept.Ended is { } end && end.Host == document.Holder && end.Nonce.Equals(document.Nonce)
        && document.Key is KeySubject.Volume { Ref: var asked }
        && datacentre.Machinery.Volumes.GetValueOrDefault(asked.ToString()) is { } volume
        && !HoldEvents.Unlisted(volume, end.Events).IsEmpty;

    private static void CheckApprovals(
        List<KeyRefusal> refusals, HolderDocument.Takeover document, DomainModel domain, RootKeys root)
    {
        if (!domain.Approvals.TryGetValue(ApprovedAction.Takeover, out int demanded) || demanded < 1)
        {
            Add(
                refusals, KeyRefusalCode.TakeoverNotAllowed,
                $"{domain.Origin} lists no approvals for a takeover.", domain.Origin);
            return;
        }

        RootApproval.Check(refusals, document.Signed, root, demanded, "approve a takeover", domain.Origin);
    }

    /// <summary>
    /// Whoever lends the key out under a restart lease waits for its end, as with any lease: until then the holder
    /// could start the machine a second time, beside the one that took over.
    /// </summary>
    private static void CheckRestart(List<KeyRefusal> refusals, HolderDocument document, KeyCustody custody)
    {
        if (custody.RestartUntil is { } until)
        {
            Add(
                refusals, KeyRefusalCode.RestartLeaseLives,
                $"{document.Holder} may restart the machine with {document.Key} until {until:u} without asking. "
                + "Withdraw the key and wait until the host has heard of it, or wait until then.");
        }
    }

    internal static void CheckHeld(List<KeyRefusal> refusals, HolderDocument document, KeyCustody custody)
    {
        if (!custody.Holders.HasRelease(document.Holder, document.Nonce))
        {
            Add(
                refusals, KeyRefusalCode.NotHeldSo,
                $"{document.Holder} does not hold {document.Key} by the release that the document names.");
        }
    }

    private static HolderVerdict Verdict(List<KeyRefusal> refusals, HolderDocument document) => refusals.Count > 0
        ? new HolderVerdict.Refused([.. refusals])
        : new HolderVerdict.Cleared(document);

    private static void Add(
        List<KeyRefusal> refusals, KeyRefusalCode code, string sentence, StatementOrigin? because = null) =>
        refusals.Add(new KeyRefusal(code, sentence, because));
}

/// <summary>Whether a volume's holder is cleared. Made only by <see cref="HolderControl"/>.</summary>
public abstract class HolderVerdict
{
    private HolderVerdict()
    {
    }

    /// <summary>The volume is free: another host may ask for its key.</summary>
    public sealed class Cleared : HolderVerdict
    {
        internal Cleared(HolderDocument document) => Document = document;

        /// <summary>The verified document.</summary>
        public HolderDocument Document { get; }
    }

    /// <summary>At least one check failed; all that failed are given.</summary>
    public sealed class Refused : HolderVerdict
    {
        internal Refused(ImmutableArray<KeyRefusal> refusals) => Refusals = refusals;

        /// <summary>Every reason, in the order of the checks.</summary>
        public ImmutableArray<KeyRefusal> Refusals { get; }
    }
}
