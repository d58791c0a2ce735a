using System.Diagnostics;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Api;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Following;
using Bailiwick.KeyService.Proving;
using Bailiwick.Ledger.Keys;

namespace Bailiwick.KeyService.Releasing;

/// <summary>
/// Where documents about who holds a key are taken: a host's word on the header that it made, its return, a takeover by
/// root keys. Decided one at a time with the releases.
/// </summary>
public sealed class HolderDesk(
    KeyVault vault, ReleaseDesk releases, Func<PolicySnapshot?> policy, TimeProvider time)
{
    internal const string Journal = "release journal";
    private readonly KeptRecords _kept = new(vault);

    /// <summary>Takes the holder's word on the header that it gave to a blank volume.</summary>
    public RouteAnswer<Nothing> Bind(RouteCall call, HeaderBody body)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(body);
        if (policy() is not { } snapshot)
        {
            return new RouteAnswer<Nothing>.Refused(RefusalProblem.NotReady);
        }

        if (HolderDocument.ReadHeader(ShownDocuments.Canonical(body.Header), out string fault) is not { } document)
        {
            return new RouteAnswer<Nothing>.Refused(KeyProblems.BadDocument(fault));
        }

        lock (releases.Gate)
        {
            KeyCustody custody = Custody(call.Caller.Key, document);
            switch (HeaderControl.Decide(document, snapshot.Datacentre, custody))
            {
                case HeaderVerdict.Refused refused:
                    return new RouteAnswer<Nothing>.Refused(KeyProblems.Of(refused.Refusals));
                case HeaderVerdict.Accepted { Document: var accepted }:
                    long record = vault.Bind(
                        accepted.Key.ToString(), new VaultHolder(accepted.Holder.ToString(), accepted.Nonce.Base64),
                        accepted.Digest.Hex, (custody.Kept with
                        {
                            Header = custody.Header.After(accepted.Made, time.GetUtcNow()),
                        }).Text);
                    return new RouteAnswer<Nothing>.Recorded(Nothing.Value, new RouteReceipt(Journal, record));
                default:
                    throw new UnreachableException();
            }
        }
    }

    /// <summary>Takes a key back from the host that holds it.</summary>
    public RouteAnswer<Nothing> Return(RouteCall call, ReturnBody body)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(body);
        byte[] envelope = ShownDocuments.Canonical(body.Return);
        if (policy() is not { } snapshot)
        {
            return new RouteAnswer<Nothing>.Refused(RefusalProblem.NotReady);
        }

        if (HolderDocument.ReadReturn(envelope, out string fault) is not { } document)
        {
            return new RouteAnswer<Nothing>.Refused(KeyProblems.BadDocument(fault));
        }

        lock (releases.Gate)
        {
            KeyCustody custody = Custody(call.Caller.Key, document);
            return Clear(HolderControl.Decide(document, snapshot.Datacentre, custody), ClearCause.Returned, custody);
        }
    }

    /// <summary>Takes a key from the host that holds it, approved by root keys of the tenant.</summary>
    public RouteAnswer<Nothing> TakeOver(RouteCall call, TakeoverBody body)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(body);
        byte[] envelope = ShownDocuments.Canonical(body.Takeover);
        if (policy() is not { TenantRoot: { } root } snapshot)
        {
            return new RouteAnswer<Nothing>.Refused(RefusalProblem.NotReady);
        }

        if (HolderDocument.ReadTakeover(envelope, out string fault) is not { } document)
        {
            return new RouteAnswer<Nothing>.Refused(KeyProblems.BadDocument(fault));
        }

        lock (releases.Gate)
        {
            KeyCustody custody = Custody(call.Caller.Key, document);
            return Clear(
                HolderControl.Decide(document, snapshot.Datacentre, root, custody), ClearCause.TakenOver, custody);
        }
    }

    /// <summary>
    /// Notes, durably, that a domain refused a host which has keys: how those holds end is another event then. What
    /// silence ends is none: whatever the host did meanwhile, its next evidence must show.
    /// </summary>
    public void LoseTrust(HostRef host, DomainRef domain)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(domain);
        lock (releases.Gate)
        {
            foreach ((string key, KeyHolder held) in
                from pair in vault.Volumes()
                let subject = KeySubject.Read(pair.Key) as KeySubject.Volume
                where subject is not null && pair.Value.Any(one => one.Host == host.ToString())
                from held in _kept.HoldersOf(subject).All
                where held.Host == host && Counts(domain, subject, held)
                select (pair.Key, held))
            {
                VolumeMark kept = _kept.VolumeOf(KeySubject.Read(key) ?? throw new UnreachableException());
                if (kept.HoldOf(held.Nonce) is { LostTrust: false })
                {
                    vault.LoseTrust(
                        key, new VaultHolder(held.Host.ToString(), held.Nonce.Base64), kept.TrustLost(held.Nonce).Text);
                }
            }
        }
    }

    /// <summary>Whether a domain's word counts for a key: its own, and the machine's; all where nothing is known.
    /// </summary>
    private bool Counts(DomainRef domain, KeySubject.Volume key, KeyHolder held) =>
        _kept.ColourOf(key) == domain
        || policy()?.Datacentre.Machinery.Compartments.GetValueOrDefault(held.Machine.ToString()) is not { } machine
        || machine.Nics.Any(nic => new DomainRef(machine.Ref.Tenant, nic.Domain) == domain);

    private RouteAnswer<Nothing> Clear(HolderVerdict verdict, ClearCause cause, KeyCustody custody)
    {
        switch (verdict)
        {
            case HolderVerdict.Refused refused:
                return new RouteAnswer<Nothing>.Refused(KeyProblems.Of(refused.Refusals));
            case HolderVerdict.Cleared { Document: var document }:
                VaultHolder holder = new(document.Holder.ToString(), document.Nonce.Base64);
                long record = custody.Holders.HasRelease(document.Holder, document.Nonce)
                    ? vault.Clear(
                        document.Key.ToString(), holder, cause, document.Digest.Hex, MarkAfter(document, custody.Kept))
                    : vault.Answer(
                        document.Key.ToString(), holder, document.Digest.Hex,
                        custody.Kept.Approved(document.Holder, document.Nonce).Text);
                return new RouteAnswer<Nothing>.Recorded(Nothing.Value, new RouteReceipt(Journal, record));
            default:
                throw new UnreachableException();
        }
    }

    private KeyCustody Custody(KeyId caller, HolderDocument document) =>
        new(releases.Tenant, caller, NonceStanding.Good, _kept.HoldersOf(document.Key), releases.Leases.Doubt)
        {
            Mark = _kept.MarkOf(document.Key),
            Kept = _kept.VolumeOf(document.Key),
            Colour = _kept.ColourOf(document.Key),
            RestartUntil = releases.Restarts.UntilOf(document.Key.ToString(), document.Holder.ToString()),
        };

    private static string MarkAfter(HolderDocument document, VolumeMark kept) => (document.Key, document) switch
    {
        (KeySubject.Volume, HolderDocument.Return returned) =>
            kept.Returned(returned.Holder, returned.Nonce, returned.Boot).Text,
        (KeySubject.Volume, HolderDocument.Takeover) => kept.TakenOver(document.Holder, document.Nonce).Text,
        (KeySubject.MachineTpm, HolderDocument.Return returned) => new TpmStateMark.Returned(returned.State).Text,
        (KeySubject.MachineTpm, HolderDocument.Takeover) => new TpmStateMark.Open().Text,
        _ => throw new UnreachableException(),
    };
}
