using System.Collections.Immutable;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Attestation.Known;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Channel.Secrets;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Api;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Following;
using Bailiwick.KeyService.Leasing;
using Bailiwick.KeyService.Nonces;
using Bailiwick.KeyService.Proving;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.KeyService.Releasing;

/// <summary>
/// Where hosts ask for keys. A release reads from top to bottom: the request, its nonce, the evidence, the decision,
/// the vault. Decisions are taken one at a time, so that what a decision rests on is still so when it takes effect.
/// </summary>
public sealed class ReleaseDesk(
    KeyVault vault, HostProofs proofs, NonceBook nonces, CheckpointHistory history,
    Func<PolicySnapshot?> policy, TimeProvider time)
{
    private const string Journal = "release journal";

    /// <summary>Held by every decision about keys until it took effect.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>The tenant served.</summary>
    public required PartyId Tenant { get; init; }

    /// <summary>Approves the states in which a host's TPM opens what was released to it.</summary>
    public required (ISigner Signer, PublicKey Key) Sender { get; init; }

    /// <summary>The best assurance any release can rest on.</summary>
    public required string BestAssurance { get; init; }

    /// <summary>The leases of hosts: without one there is no release, and refused evidence ends it.</summary>
    public required LeaseBook Leases { get; init; }

    /// <summary>Gives a nonce to a host.</summary>
    public RouteAnswer<NonceAnswer> GiveNonce(RouteCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        if (policy() is not { } snapshot)
        {
            return new RouteAnswer<NonceAnswer>.Refused(RefusalProblem.NotReady);
        }

        string host = $"{call.Caller.Party}/{call.Caller.Host}";
        return nonces.Give(call.Caller.Key, snapshot.Checkpoint.Size) is { } nonce
            ? new RouteAnswer<NonceAnswer>.Ok(
                new NonceAnswer(
                    Convert.ToBase64String(nonce), snapshot.Checkpoint.Size,
                    proofs.FollowedOf(host)?.Write(),
                    proofs.Held(host, LeasedTo(call), snapshot.Datacentre)?.Position.Write()))
            : new RouteAnswer<NonceAnswer>.Refused(KeyProblems.TooManyNonces);
    }

    /// <summary>Decides on a request and, if nothing is against it, answers the sealed key.</summary>
    public async Task<RouteAnswer<SealedKeyBody>> Release(RouteCall call, ReleaseBody body)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(body);
        if (policy() is not { } snapshot)
        {
            return new RouteAnswer<SealedKeyBody>.Refused(RefusalProblem.NotReady);
        }

        if (ReleaseRequest.Read(ShownDocuments.Canonical(body.Request), out string fault) is not { } request)
        {
            return new RouteAnswer<SealedKeyBody>.Refused(KeyProblems.BadDocument(fault));
        }

        if (ShownDocuments.Logs(body.BootLog, body.RuntimeLog, body.IntegrityLog, body.LogsAfter) is not { } logs)
        {
            return new RouteAnswer<SealedKeyBody>.Refused(KeyProblems.BadLogs);
        }

        NonceStanding nonce = Map(nonces.Present(request.Nonce.Bytes.Span, call.Caller.Key, out long leastSize));
        CheckpointStanding standing = EvidenceVerifier.ClaimedCheckpoint(request.Evidence.Span) is { } claimed
            ? await history.Judge(claimed, snapshot.Checkpoint, call.Cancel)
            : CheckpointStanding.Inconsistent;
        CheckpointRule rule = new(snapshot.Checkpoint.Origin, leastSize, _ => standing);
        lock (Gate)
        {
            KeyCustody custody = new(
                Tenant, call.Caller.Key, nonce, HolderOf(request.Key.ToString()), Leases.Doubt)
            {
                Mark = MarkOf(request.Key),
                Header = HeaderOf(request.Key),
                Colour = ColourOf(request.Key),
                Destroyed = vault.TombstoneOf(request.Key.ToString())?.Revision,
                DomainDestroyed = domain => vault.TombstoneOfDomain(domain.ToString())?.Revision,
            };
            KnownBoot? known = proofs.Held(
                request.Host.ToString(), Leases.DomainsOf(request.Host), snapshot.Datacentre);
            if (logs.After is { } after && after != known?.Position)
            {
                ForgetOwn(request.Host, custody, snapshot);
                return new RouteAnswer<SealedKeyBody>.Refused(KeyProblems.LogsNotHeld);
            }

            ShownEvidence shown = new(
                request.Host, custody.Caller, request.Nonce.Bytes, request.Evidence, logs, known);
            return Judge(request, shown, rule, custody, snapshot) switch
            {
                KeyVerdict.Refused refused =>
                    new RouteAnswer<SealedKeyBody>.Refused(KeyProblems.Of(refused.Refusals)),
                KeyVerdict.Release release => HandOut(release),
                _ => throw new UnreachableException(),
            };
        }
    }

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

        lock (Gate)
        {
            KeyCustody custody = Custody(call.Caller.Key, document);
            switch (HeaderControl.Decide(document, snapshot.Datacentre, custody))
            {
                case HeaderVerdict.Refused refused:
                    return new RouteAnswer<Nothing>.Refused(KeyProblems.Of(refused.Refusals));
                case HeaderVerdict.Accepted { Document: var accepted }:
                    long record = vault.Bind(
                        accepted.Key.ToString(), new VaultHolder(accepted.Holder.ToString(), accepted.Nonce.Base64),
                        accepted.Digest.Hex, custody.Header.After(accepted.Made, time.GetUtcNow()).Text);
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

        lock (Gate)
        {
            KeyCustody custody = Custody(call.Caller.Key, document);
            return Clear(HolderControl.Decide(document, snapshot.Datacentre, custody), ClearCause.Returned);
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

        lock (Gate)
        {
            KeyCustody custody = Custody(call.Caller.Key, document);
            return Clear(HolderControl.Decide(document, snapshot.Datacentre, root, custody), ClearCause.TakenOver);
        }
    }

    /// <summary>What the tenant may know.</summary>
    /// <param name="leases">How hosts stand.</param>
    public RouteAnswer<KeyServiceStatus> Status(ImmutableArray<LeaseRow> leases) => policy() is { } snapshot
        ? new RouteAnswer<KeyServiceStatus>.Ok(new KeyServiceStatus(
            Tenant.ToString(), snapshot.Checkpoint.Origin, snapshot.Checkpoint.Size, BestAssurance,
            [.. vault.Volumes().OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => Row(pair.Key, pair.Value))],
            leases, [.. snapshot.Problems, .. Destroyed()]))
        : new RouteAnswer<KeyServiceStatus>.Refused(RefusalProblem.NotReady);

    /// <summary>What of a host's integrity log concerns the tenant, as far as it was followed.</summary>
    public RouteAnswer<FollowedLogBody> HostLog(RouteCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        return call.Values.Party("operator") is { } party && call.Values.Name("name") is { } name
            && proofs.LogOf($"{party}/{name}") is { } log
                ? new RouteAnswer<FollowedLogBody>.Ok(new FollowedLogBody(
                    $"{party}/{name}", log.Position.Write(),
                    [.. log.Openings.TakeLast((int)call.Number("limit")).Select(opening => opening.Write())]))
                : new RouteAnswer<FollowedLogBody>.Refused(KeyProblems.NotFollowed);
    }

    private KeyVerdict Judge(
        ReleaseRequest request, ShownEvidence shown, CheckpointRule rule, KeyCustody custody, PolicySnapshot snapshot)
    {
        switch (proofs.Judge(shown, snapshot.Datacentre, rule))
        {
            case null:
                return ReleaseControl.Explain([], snapshot.Datacentre, request, custody, time.GetUtcNow());
            case EvidenceVerdict.Verified verified:
                EndBroken(request.Host, verified, snapshot);
                KeyVerdict decided = ReleaseControl.Decide(
                    verified.Evidence, snapshot.Datacentre, request, custody, time.GetUtcNow());
                proofs.Learn(request.Host.ToString(), verified, snapshot.Datacentre);
                return decided;
            case EvidenceVerdict.Refused refused:
                if (ForgetOwn(request.Host, custody, snapshot) && refused.Refusals.Any(IsAgainstTheHost))
                {
                    Leases.End(request.Host, string.Join(" ", refused.Refusals.Select(one => one.Sentence)));
                }

                return ReleaseControl.Explain(
                    refused.Refusals, snapshot.Datacentre, request, custody, time.GetUtcNow());
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>
    /// Forgets what was judged of a host's logs, if it is the host itself that asks, with a good nonce: nobody else's
    /// request says anything about it. True when it is.
    /// </summary>
    private bool ForgetOwn(HostRef host, KeyCustody custody, PolicySnapshot snapshot)
    {
        if (ReleaseControl.IdentityKeyOf(snapshot.Datacentre, host)?.Id != custody.Caller
            || custody.Nonce != NonceStanding.Good)
        {
            return false;
        }

        proofs.Forget(host.ToString());
        return true;
    }

    private ImmutableArray<DomainRef> LeasedTo(RouteCall call) =>
        call.Caller is { Party: { } party, Host: { } name } ? Leases.DomainsOf(new HostRef(party, name)) : [];

    /// <summary>What is shown for a key counts against the host as what it shows to keep a lease.</summary>
    private void EndBroken(HostRef host, EvidenceVerdict.Verified verdict, PolicySnapshot snapshot)
    {
        foreach (DomainRef domain in Leases.DomainsOf(host))
        {
            var against = LeaseControl.Against(verdict, snapshot.Datacentre, host, domain, time.GetUtcNow());
            if (!against.IsEmpty)
            {
                Leases.Take(host, domain, against);
            }
        }
    }

    /// <summary>What the board shows to one and not to the other is nobody's evidence.</summary>
    private static bool IsAgainstTheHost(EvidenceRefusal refusal) =>
        refusal.Code is not (EvidenceRefusalCode.CheckpointAhead or EvidenceRefusalCode.CheckpointForked);

    private RouteAnswer<SealedKeyBody> HandOut(KeyVerdict.Release release)
    {
        ReleaseRequest request = release.Request;
        byte[] context = release.Context.Write();
        using SecretBytes part = SecretBytes.Random(KeySeal.KeyLength);
        JsonElement? delivery = release.Tpm is { } tpm ? Deliver(part, tpm, release, context) : null;
        var (sealedKey, record) = vault.Release(
            new KeyGrant(
                request.Key.ToString(), release.Domain.ToString(), request.Compartment.ToString(),
                new VaultHolder(request.Host.ToString(), request.Nonce.Base64))
            {
                Mark = MarkAfter(release),
                Revision = release.Revision,
            },
            key => KeySeal.Seal(key, request.SessionKey, context, delivery is null ? null : part));
        return new RouteAnswer<SealedKeyBody>.Recorded(
            new SealedKeyBody(
                Convert.ToBase64String(sealedKey.Ephemeral.Span), Convert.ToBase64String(sealedKey.Ciphertext.Span),
                Encoding.UTF8.GetString(context), delivery),
            new RouteReceipt(Journal, record));
    }

    /// <summary>Wraps a part of the seal for the TPM that quoted, in the state that it quoted.</summary>
    private JsonElement Deliver(SecretBytes part, TpmWrappingKey tpm, KeyVerdict.Release release, byte[] context)
    {
        PcrValues values = release.Evidence.Quote?.Values
            ?? throw new InvalidOperationException("evidence of a TPM without a quote");
        using SecretLoan loan = part.Borrow();
        TpmDelivery delivery = TpmDelivery.Wrap(
            tpm, values, Sender, Digest32.Of(context), loan.Bytes, RandomNumberGenerator.Fill)
            ?? throw new InvalidOperationException("a register of the evidence was not quoted");
        return JsonElement.Parse(delivery.Write());
    }

    private RouteAnswer<Nothing> Clear(HolderVerdict verdict, ClearCause cause)
    {
        switch (verdict)
        {
            case HolderVerdict.Refused refused:
                return new RouteAnswer<Nothing>.Refused(KeyProblems.Of(refused.Refusals));
            case HolderVerdict.Cleared { Document: var document }:
                long record = vault.Clear(
                    document.Key.ToString(), new VaultHolder(document.Holder.ToString(), document.Nonce.Base64),
                    cause, document.Digest.Hex, MarkAfter(document));
                return new RouteAnswer<Nothing>.Recorded(Nothing.Value, new RouteReceipt(Journal, record));
            default:
                throw new UnreachableException();
        }
    }

    private KeyCustody Custody(KeyId caller, HolderDocument document) =>
        new(Tenant, caller, NonceStanding.Good, HolderOf(document.Key.ToString()), Leases.Doubt)
        {
            Mark = MarkOf(document.Key),
            Header = HeaderOf(document.Key),
        };

    private HolderState HolderOf(string volume)
    {
        if (vault.HolderOf(volume) is not { } held)
        {
            return new HolderState.Nobody();
        }

        return HolderState.Held.Read(held.Host, held.Nonce)
            ?? throw new CustodyException($"The stored holder of {volume} cannot be read; restore the store.");
    }

    private TpmStateMark MarkOf(KeySubject key) => key switch
    {
        KeySubject.MachineTpm when vault.MarkOf(key.ToString()) is { } text => TpmStateMark.Read(text)
            ?? throw new CustodyException($"What is stored of the state of {key} cannot be read; restore the store."),
        KeySubject.MachineTpm or KeySubject.Volume => new TpmStateMark.New(),
        _ => throw new UnreachableException(),
    };

    /// <summary>What was destroyed and has no new key.</summary>
    private IEnumerable<string> Destroyed() => vault.Tree().Destroyed
        .Where(one => one.What == "domain" || vault.DomainOf(one.Name) is null)
        .Select(one => $"The {(one.What == "domain" ? "domain's keys" : "key")} of {one.Name} "
            + $"{(one.What == "domain" ? "were" : "was")} destroyed (record {one.Record} of the journal).");

    private VolumeHeaderMark HeaderOf(KeySubject key) => key switch
    {
        KeySubject.Volume when vault.MarkOf(key.ToString()) is { } text => VolumeHeaderMark.Read(text)
            ?? throw new CustodyException($"What is stored of the header of {key} cannot be read; restore the store."),
        KeySubject.Volume or KeySubject.MachineTpm => new VolumeHeaderMark.New(),
        _ => throw new UnreachableException(),
    };

    private HeldVolume Row(string name, VaultHolder? holder)
    {
        var header = KeySubject.Read(name) is { } key ? HeaderOf(key) as VolumeHeaderMark.Bound : null;
        return new HeldVolume(name, holder?.Host, holder?.Nonce, header?.Header.Hex, header?.Since);
    }

    private DomainRef? ColourOf(KeySubject key)
    {
        if (vault.DomainOf(key.ToString()) is not { } stored)
        {
            return null;
        }

        return DomainRef.Read(stored) is { } colour && colour.Tenant == Tenant
            ? colour
            : throw new CustodyException($"The stored domain of {key} cannot be read; restore the store.");
    }

    private string MarkAfter(KeyVerdict.Release release) => release.Request.Key switch
    {
        KeySubject.MachineTpm => new TpmStateMark.Out(release.Evidence.Boot).Text,
        KeySubject.Volume volume => HeaderOf(volume).After(release.Request.State, time.GetUtcNow()).Text,
        _ => throw new UnreachableException(),
    };

    private string MarkAfter(HolderDocument document) => (document.Key, document) switch
    {
        (KeySubject.Volume volume, _) => HeaderOf(volume).Text,
        (KeySubject.MachineTpm, HolderDocument.Return returned) => new TpmStateMark.Returned(returned.State).Text,
        (KeySubject.MachineTpm, HolderDocument.Takeover) => new TpmStateMark.Open().Text,
        _ => throw new UnreachableException(),
    };

    private static NonceStanding Map(NonceFinding finding) => finding switch
    {
        NonceFinding.Good => NonceStanding.Good,
        NonceFinding.Unknown => NonceStanding.Unknown,
        NonceFinding.Used => NonceStanding.Used,
        NonceFinding.Expired => NonceStanding.Expired,
        NonceFinding.OfAnotherCaller => NonceStanding.OfAnotherCaller,
        _ => throw new UnreachableException(),
    };
}
