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
using Bailiwick.KeyService.Restarting;
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
    private readonly KeptRecords _kept = new(vault);

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

    /// <summary>Which machines hosts may restart without asking, and which keys are withdrawn.</summary>
    public required RestartBook Restarts { get; init; }

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
            KeyCustody custody = new(FactsOf(request.Wish), call.Caller.Key, nonce);
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

    /// <summary>Whether there is a key of it.</summary>
    internal bool Knows(KeySubject key) => _kept.ColourOf(key) is not null;

    /// <summary>What is known here of the key of a wish, whoever asks. Only under <see cref="Gate"/>.</summary>
    internal KeyFacts FactsOf(KeyWish wish) => new(Tenant, _kept.HoldersOf(wish.Key), Leases.Doubt)
    {
        Mark = _kept.MarkOf(wish.Key),
        Kept = _kept.VolumeOf(wish.Key),
        Colour = _kept.ColourOf(wish.Key),
        Destroyed = vault.TombstoneOf(wish.Key.ToString())?.Revision,
        Withdrawn = Restarts.WithdrawnAt(wish.Key.ToString()),
        DomainDestroyed = domain => vault.TombstoneOfDomain(domain.ToString())?.Revision,
        CopyHolders = CopyOf(wish) is { } copy ? _kept.HoldersOf(copy) : KeyHolders.Nobody,
        CopyHeader = CopyOf(wish) is { } made ? _kept.VolumeOf(made).Header : new VolumeHeaderMark.New(),
    };

    /// <summary>What the tenant may know.</summary>
    /// <param name="leases">How hosts stand.</param>
    public RouteAnswer<KeyServiceStatus> Status(ImmutableArray<LeaseRow> leases) => policy() is { } snapshot
        ? new RouteAnswer<KeyServiceStatus>.Ok(new KeyServiceStatus(
            Tenant.ToString(), snapshot.Checkpoint.Origin, snapshot.Checkpoint.Size, BestAssurance,
            [.. vault.Volumes().OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => Row(pair.Key, pair.Value))],
            leases, Restarts.Rows(), Restarts.Withdrawn(), [.. snapshot.Problems, .. Destroyed()]))
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
        if (release.Context.RestartSeconds is var seconds and > 0)
        {
            // Counted before the key leaves, so that what is out is always known to be.
            Restarts.Grant(
                request.Key.ToString(), request.Compartment.ToString(),
                new VaultHolder(request.Host.ToString(), request.Nonce.Base64), TimeSpan.FromSeconds(seconds));
        }

        var (sealedKey, record) = vault.Release(
            new KeyGrant(
                request.Key.ToString(), release.Domain.ToString(),
                new VaultHolder(request.Host.ToString(), request.Nonce.Base64)
                {
                    Compartment = request.Compartment.ToString(),
                    Access = release.IsCopying ? KeyHolder.CopyWord
                        : release.Access is { } access ? WireText.Of(access) : "",
                })
            {
                Sharing = release.Sharing,
                Mark = MarkAfter(release),
                Revision = release.Revision,
            },
            key => KeySeal.Seal(key, request.SessionKey, context, delivery is null ? null : part));
        return new RouteAnswer<SealedKeyBody>.Recorded(
            new SealedKeyBody(
                Convert.ToBase64String(sealedKey.Ephemeral.Span), Convert.ToBase64String(sealedKey.Ciphertext.Span),
                Encoding.UTF8.GetString(context), delivery),
            new RouteReceipt(HolderDesk.Journal, record));
    }

    private static KeySubject.Volume? CopyOf(KeyWish wish) =>
        wish.Copy is { } copy ? new KeySubject.Volume(copy) : null;

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

    /// <summary>What was destroyed and has no new key.</summary>
    private IEnumerable<string> Destroyed() => vault.Tree().Destroyed
        .Where(one => one.What == "domain" || vault.DomainOf(one.Name) is null)
        .Select(one => $"The {(one.What == "domain" ? "domain's keys" : "key")} of {one.Name} "
            + $"{(one.What == "domain" ? "were" : "was")} destroyed (record {one.Record} of the journal).");

    private HeldVolume Row(string name, ImmutableArray<VaultHolder> holders)
    {
        VolumeMark kept = KeySubject.Read(name) is { } key ? _kept.VolumeOf(key) : VolumeMark.New;
        var header = kept.Header as VolumeHeaderMark.Bound;
        return new HeldVolume(
            name, [.. holders.Select(holder => Row(vault, name, holder))], header?.Header.Hex, header?.Since,
            kept.Ended is { } end
                ? new EndedHoldBody(end.Host.ToString(), end.Nonce.Base64, [.. end.Events.Select(WireText.Of)])
                : null);
    }

    internal static KeyHolderBody Row(KeyVault vault, string key, VaultHolder holder) => new(
        holder.Host, holder.Compartment, holder.Access, holder.Nonce, vault.HeldSince(key, holder));

    private string MarkAfter(KeyVerdict.Release release) => release.Request.Key switch
    {
        KeySubject.MachineTpm => new TpmStateMark.Out(release.Evidence.Boot).Text,
        KeySubject.Volume volume => _kept.VolumeOf(volume).Released(
            new KeyHolder(
                release.Request.Host, release.Request.Compartment, release.Access, release.Request.Nonce),
            release.Evidence.Boot, _kept.HoldersOf(volume), release.Request.State, time.GetUtcNow()).Text,
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
