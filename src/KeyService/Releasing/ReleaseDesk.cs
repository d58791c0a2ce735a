using System.Diagnostics;
using System.Text.Json;
using System.Text;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Attestation;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.KeyService.Api;
using Bailiwick.KeyService.Custody;
using Bailiwick.KeyService.Enrolling;
using Bailiwick.KeyService.Following;
using Bailiwick.KeyService.Nonces;
using Bailiwick.Ledger.Json;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.KeyService.Releasing;

/// <summary>
/// Where hosts ask for keys. A release reads from top to bottom: the request, its nonce, the evidence, the decision,
/// the vault. Decisions are taken one at a time, so that what a decision rests on is still so when it takes effect.
/// </summary>
public sealed class ReleaseDesk(
    KeyVault vault, EnrolmentBook enrolments, NonceBook nonces, CheckpointHistory history,
    Func<PolicySnapshot?> policy, TimeProvider time) : IDisposable
{
    private const int MostKeys = 4096;
    private const string Journal = "release journal";
    private readonly Lock _gate = new();
    private readonly VerifierKeyCache _keys = new(MostKeys);
    private readonly Dictionary<string, TpmClockInfo> _clocks = new(StringComparer.Ordinal);

    /// <summary>The tenant served.</summary>
    public required PartyId Tenant { get; init; }

    /// <summary>The best assurance any release can rest on.</summary>
    public required string BestAssurance { get; init; }

    /// <inheritdoc/>
    public void Dispose() => _keys.Dispose();

    /// <summary>Gives a nonce to a host.</summary>
    public RouteAnswer<NonceAnswer> GiveNonce(RouteCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        if (policy() is not { } snapshot)
        {
            return new RouteAnswer<NonceAnswer>.Refused(RefusalProblem.NotReady);
        }

        return nonces.Give(call.Caller.Key, snapshot.Checkpoint.Size) is { } nonce
            ? new RouteAnswer<NonceAnswer>.Ok(
                new NonceAnswer(Convert.ToBase64String(nonce), snapshot.Checkpoint.Size))
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

        if (ReleaseRequest.Read(Canonical(body.Request), out string fault) is not { } request)
        {
            return new RouteAnswer<SealedKeyBody>.Refused(KeyProblems.BadDocument(fault));
        }

        if (Logs(body) is not { } logs)
        {
            return new RouteAnswer<SealedKeyBody>.Refused(KeyProblems.BadDocument("A log is not base64."));
        }

        NonceStanding nonce = Map(nonces.Present(request.Nonce.Bytes.Span, call.Caller.Key, out long leastSize));
        CheckpointStanding standing = EvidenceVerifier.ClaimedCheckpoint(request.Evidence.Span) is { } claimed
            ? await history.Judge(claimed, snapshot.Checkpoint, call.Cancel)
            : CheckpointStanding.Inconsistent;
        CheckpointRule rule = new(snapshot.Checkpoint.Origin, leastSize, _ => standing);
        lock (_gate)
        {
            KeyCustody custody = new(Tenant, call.Caller.Key, nonce, HolderOf(request.Volume.ToString()));
            return Judge(request, logs, rule, custody, snapshot) switch
            {
                KeyVerdict.Refused refused =>
                    new RouteAnswer<SealedKeyBody>.Refused(KeyProblems.Of(refused.Refusals)),
                KeyVerdict.Release release => HandOut(release),
                _ => throw new UnreachableException(),
            };
        }
    }

    /// <summary>Takes a key back from the host that holds it.</summary>
    public RouteAnswer<Nothing> Return(RouteCall call, ReturnBody body)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(body);
        byte[] envelope = Canonical(body.Return);
        if (policy() is not { } snapshot)
        {
            return new RouteAnswer<Nothing>.Refused(RefusalProblem.NotReady);
        }

        if (HolderDocument.ReadReturn(envelope, out string fault) is not { } document)
        {
            return new RouteAnswer<Nothing>.Refused(KeyProblems.BadDocument(fault));
        }

        lock (_gate)
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
        byte[] envelope = Canonical(body.Takeover);
        if (policy() is not { TenantRoot: { } root } snapshot)
        {
            return new RouteAnswer<Nothing>.Refused(RefusalProblem.NotReady);
        }

        if (HolderDocument.ReadTakeover(envelope, out string fault) is not { } document)
        {
            return new RouteAnswer<Nothing>.Refused(KeyProblems.BadDocument(fault));
        }

        lock (_gate)
        {
            KeyCustody custody = Custody(call.Caller.Key, document);
            return Clear(HolderControl.Decide(document, snapshot.Datacentre, root, custody), ClearCause.TakenOver);
        }
    }

    /// <summary>What the tenant may know.</summary>
    public RouteAnswer<KeyServiceStatus> Status() => policy() is { } snapshot
        ? new RouteAnswer<KeyServiceStatus>.Ok(new KeyServiceStatus(
            Tenant.ToString(), snapshot.Checkpoint.Origin, snapshot.Checkpoint.Size, BestAssurance,
            [.. vault.Volumes().OrderBy(pair => pair.Key, StringComparer.Ordinal)
                .Select(pair => new HeldVolume(pair.Key, pair.Value?.Host, pair.Value?.Nonce))],
            snapshot.Problems))
        : new RouteAnswer<KeyServiceStatus>.Refused(RefusalProblem.NotReady);

    private KeyVerdict Judge(
        ReleaseRequest request, EvidenceLogs logs, CheckpointRule rule, KeyCustody custody, PolicySnapshot snapshot)
    {
        if (ReleaseControl.IdentityKeyOf(snapshot.Datacentre, request.Host) is not { } identity)
        {
            return ReleaseControl.Explain([], snapshot.Datacentre, request, custody, time.GetUtcNow());
        }

        EvidenceExpectation expectation = new()
        {
            Host = request.Host.ToString(),
            IdentityKey = identity,
            EndorsementKey = ReleaseControl.EndorsementKeyOf(snapshot.Datacentre, request.Host),
            Enrolment = enrolments.Find(request.Host.ToString()),
            LastSeen = _clocks.GetValueOrDefault(request.Host.ToString()),
            ChannelKey = custody.Caller,
            Checkpoint = rule,
            Nonce = request.Nonce.Bytes,
        };
        return EvidenceVerifier.Verify(request.Evidence.Span, expectation, logs, _keys) switch
        {
            EvidenceVerdict.Verified verified => Decide(verified.Evidence, request, custody, snapshot),
            EvidenceVerdict.Refused refused => ReleaseControl.Explain(
                refused.Refusals, snapshot.Datacentre, request, custody, time.GetUtcNow()),
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>A TPM's counters only go on; those of the last quote are what the next one is held against.</summary>
    private KeyVerdict Decide(
        VerifiedEvidence evidence, ReleaseRequest request, KeyCustody custody, PolicySnapshot snapshot)
    {
        if (evidence.Quote is { } quote)
        {
            _clocks[evidence.Host] = quote.Clock;
        }

        return ReleaseControl.Decide(evidence, snapshot.Datacentre, request, custody, time.GetUtcNow());
    }

    private RouteAnswer<SealedKeyBody> HandOut(KeyVerdict.Release release)
    {
        ReleaseRequest request = release.Request;
        byte[] context = release.Context.Write();
        var (sealedKey, record) = vault.Release(
            request.Volume.ToString(), request.Compartment.ToString(),
            new VaultHolder(request.Host.ToString(), request.Nonce.Base64),
            key => KeySeal.Seal(key, request.SessionKey, context));
        return new RouteAnswer<SealedKeyBody>.Recorded(
            new SealedKeyBody(
                Convert.ToBase64String(sealedKey.Ephemeral.Span), Convert.ToBase64String(sealedKey.Ciphertext.Span),
                Encoding.UTF8.GetString(context)),
            new RouteReceipt(Journal, record));
    }

    private RouteAnswer<Nothing> Clear(HolderVerdict verdict, ClearCause cause)
    {
        switch (verdict)
        {
            case HolderVerdict.Refused refused:
                return new RouteAnswer<Nothing>.Refused(KeyProblems.Of(refused.Refusals));
            case HolderVerdict.Cleared { Document: var document }:
                long record = vault.Clear(
                    document.Volume.ToString(), new VaultHolder(document.Holder.ToString(), document.Nonce.Base64),
                    cause, document.Digest.Hex);
                return new RouteAnswer<Nothing>.Recorded(Nothing.Value, new RouteReceipt(Journal, record));
            default:
                throw new UnreachableException();
        }
    }

    private KeyCustody Custody(KeyId caller, HolderDocument document) =>
        new(Tenant, caller, NonceStanding.Good, HolderOf(document.Volume.ToString()));

    private HolderState HolderOf(string volume)
    {
        if (vault.HolderOf(volume) is not { } held)
        {
            return new HolderState.Nobody();
        }

        return HolderState.Held.Read(held.Host, held.Nonce)
            ?? throw new CustodyException($"The stored holder of {volume} cannot be read; restore the store.");
    }

    private static NonceStanding Map(NonceFinding finding) => finding switch
    {
        NonceFinding.Good => NonceStanding.Good,
        NonceFinding.Unknown => NonceStanding.Unknown,
        NonceFinding.Used => NonceStanding.Used,
        NonceFinding.Expired => NonceStanding.Expired,
        NonceFinding.OfAnotherCaller => NonceStanding.OfAnotherCaller,
        _ => throw new UnreachableException(),
    };

    private static EvidenceLogs? Logs(ReleaseBody body)
    {
        try
        {
            return new EvidenceLogs(Convert.FromBase64String(body.BootLog), Convert.FromBase64String(body.RuntimeLog));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static byte[] Canonical(JsonElement envelope)
    {
        try
        {
            return CanonicalJson.Write(envelope);
        }
        catch (ArgumentException)
        {
            // What has no canonical form is no envelope; the reader refuses the empty document with its own sentence.
            return [];
        }
    }
}
