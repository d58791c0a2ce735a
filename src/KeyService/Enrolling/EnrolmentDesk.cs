using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Bailiwick.Attestation.Credentials;
using Bailiwick.Attestation.Enrolment;
using Bailiwick.Attestation.PublicKeys;
using Bailiwick.Attestation.Tpm;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Api;
using Bailiwick.KeyService.Following;
using Bailiwick.KeyService.Proving;
using Bailiwick.KeyService.Releasing;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Keys;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.KeyService.Enrolling;

/// <summary>
/// Where hosts enrol their TPM with this tenant. Who calls is known by the channel; which TPM it must have, by the
/// operator's statement; that it has it, only by the TPM's answer. A challenge is good for one answer, for a minute, by
/// the host that got it, and a restart forgets them all.
/// </summary>
public sealed class EnrolmentDesk(
    PartyId tenant, EnrolmentBook book, VendorTrust? vendors, Func<PolicySnapshot?> policy, TimeProvider time)
    : IDisposable
{
    private const int SecretBytes = 32;
    private const int LifetimeSeconds = 60;
    private const int MostOpen = 1024;
    private const int MostKeys = 64;
    private const int MostCertificateBytes = 16 * 1024;
    private readonly Lock _gate = new();
    private readonly Dictionary<KeyId, Asked> _open = [];
    private readonly Dictionary<string, RefusedAttempt> _refused = new(StringComparer.Ordinal);
    private readonly VerifierKeyCache _keys = new(MostKeys);

    /// <summary>Told of a host whose TPM was just forgotten.</summary>
    public required Action<HostRef> Forgotten { get; init; }

    /// <summary>Takes a claim and, if nothing is against it, answers a challenge for the host's TPM.</summary>
    public RouteAnswer<EnrolmentChallengeBody> Begin(RouteCall call, EnrolmentClaimBody body)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(body);
        if (policy() is not { } snapshot)
        {
            return new RouteAnswer<EnrolmentChallengeBody>.Refused(RefusalProblem.NotReady);
        }

        if (Claim(body) is not { } claim)
        {
            return new RouteAnswer<EnrolmentChallengeBody>.Refused(EnrolmentProblems.BadClaim);
        }

        if (HostOf(snapshot.Datacentre, call.Caller.Key) is not { } host)
        {
            return new RouteAnswer<EnrolmentChallengeBody>.Refused(EnrolmentProblems.UnknownHost);
        }

        EnrolmentExpectation expectation = new()
        {
            Tenant = tenant,
            Host = host.ToString(),
            EndorsementKey = ReleaseControl.EndorsementKeyOf(snapshot.Datacentre, host),
            Vendors = vendors,
            At = time.GetUtcNow(),
        };
        return EnrolmentCheck.Judge(claim, expectation, _keys) switch
        {
            EnrolmentVerdict.Refused refused => new RouteAnswer<EnrolmentChallengeBody>.Refused(
                Kept(host.ToString(), EnrolmentProblems.Of(refused.Refusals))),
            EnrolmentVerdict.Open open => Ask(call.Caller.Key, open.Candidate),
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>Takes a TPM's answer and, if it is right, keeps the key and answers the signed enrolment.</summary>
    public RouteAnswer<EnrolledBody> Complete(RouteCall call, EnrolmentAnswerBody body)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(body);
        Asked? asked;
        lock (_gate)
        {
            _open.Remove(call.Caller.Key, out asked);
        }

        if (asked is null || time.GetElapsedTime(asked.At) > TimeSpan.FromSeconds(LifetimeSeconds))
        {
            return Refuse(asked, EnrolmentRefusalCode.NoSuchChallenge,
                "No challenge is open for this host: it was answered before, or is older than a minute. Begin anew.");
        }

        if (!StrictBase64.TryDecode(body.Secret, SecretBytes, out byte[]? secret)
            || asked.Challenge.Answer(secret) is not { } key)
        {
            return Refuse(asked, EnrolmentRefusalCode.WrongAnswer,
                "The secret is not the one that was encrypted: the TPM does not hold both keys.");
        }

        return Keep(key) is var (document, record)
            ? new RouteAnswer<EnrolledBody>.Recorded(
                new EnrolledBody(JsonElement.Parse(document)), new RouteReceipt("enrolments", record))
            : Refuse(asked, EnrolmentRefusalCode.HostTaken,
                "Another TPM is enrolled for this host. The tenant must forget that one first.");
    }

    /// <summary>Forgets the TPM of a host, approved by root keys of the tenant; nothing is lent to it any more.
    /// </summary>
    public RouteAnswer<Nothing> Forget(RouteCall call, ForgetBody body)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(body);
        if (policy() is not { TenantRoot: { } root })
        {
            return new RouteAnswer<Nothing>.Refused(RefusalProblem.NotReady);
        }

        if (ForgetRequest.Read(ShownDocuments.Canonical(body.Forget), out string fault) is not { } request)
        {
            return new RouteAnswer<Nothing>.Refused(KeyProblems.BadDocument(fault));
        }

        string host = request.Host.ToString();
        switch (ForgetControl.Decide(request, tenant, root, book.BoundOf(host)))
        {
            case ForgetVerdict.Approved approved when book.Forget(approved) is { } record:
                lock (_gate)
                {
                    foreach (KeyId caller in _open.Where(pair => pair.Value.Challenge.Host == host)
                        .Select(pair => pair.Key).ToArray())
                    {
                        _open.Remove(caller);
                    }
                }

                Forgotten(request.Host);
                return new RouteAnswer<Nothing>.Recorded(Nothing.Value, new RouteReceipt("enrolments", record));
            case ForgetVerdict.Approved:
                return new RouteAnswer<Nothing>.Refused(EnrolmentProblems.Changed);
            case ForgetVerdict.Refused refused:
                return new RouteAnswer<Nothing>.Refused(KeyProblems.Of(refused.Refusals));
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>How every stated host stands.</summary>
    public RouteAnswer<EnrolmentList> List()
    {
        if (policy() is not { } snapshot)
        {
            return new RouteAnswer<EnrolmentList>.Refused(RefusalProblem.NotReady);
        }

        lock (_gate)
        {
            return new RouteAnswer<EnrolmentList>.Ok(new EnrolmentList(tenant.ToString(),
            [
                .. snapshot.Datacentre.Inventory.Hosts.Values.Select(host => Standing(snapshot.Datacentre, host.Ref)),
            ]));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _keys.Dispose();

    private RouteAnswer<EnrolmentChallengeBody> Ask(KeyId caller, EnrolmentCandidate candidate)
    {
        byte[] secret = RandomNumberGenerator.GetBytes(SecretBytes);
        try
        {
            MadeCredential credential = MadeCredential.Make(
                candidate.EndorsementKey, candidate.AttestationName, secret, RandomNumberGenerator.Fill);
            lock (_gate)
            {
                foreach (KeyId old in _open.Where(pair =>
                    time.GetElapsedTime(pair.Value.At) > TimeSpan.FromSeconds(LifetimeSeconds)).Select(p => p.Key)
                    .ToArray())
                {
                    _open.Remove(old);
                }

                if (_open.Count >= MostOpen && !_open.ContainsKey(caller))
                {
                    return new RouteAnswer<EnrolmentChallengeBody>.Refused(EnrolmentProblems.TooManyChallenges);
                }

                _open[caller] = new Asked(new EnrolmentChallenge(candidate, secret), time.GetTimestamp());
            }

            return new RouteAnswer<EnrolmentChallengeBody>.Ok(new EnrolmentChallengeBody(
                Convert.ToBase64String(credential.Blob.Span), Convert.ToBase64String(credential.EncryptedSeed.Span),
                candidate.Doubts));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    private (byte[] Document, long Record)? Keep(EnrolledKey key)
    {
        var kept = book.Keep(key);
        if (kept is not null)
        {
            lock (_gate)
            {
                _refused.Remove(key.Host);
            }
        }

        return kept;
    }

    private RouteAnswer<EnrolledBody> Refuse(Asked? asked, EnrolmentRefusalCode code, string sentence)
    {
        RouteProblem problem = EnrolmentProblems.Of([new EnrolmentRefusal(code, sentence)]);
        return new RouteAnswer<EnrolledBody>.Refused(
            asked is null ? problem : Kept(asked.Challenge.Host, problem));
    }

    /// <summary>What a host was refused with, for its operator and its tenant to find; one for each stated host.
    /// </summary>
    private RouteProblem Kept(string host, RouteProblem problem)
    {
        lock (_gate)
        {
            _refused[host] = new RefusedAttempt(time.GetUtcNow(), problem.Code, problem.Detail);
        }

        return problem;
    }

    private EnrolmentStanding Standing(CheckedDatacentre datacentre, HostRef host)
    {
        EnrolledKey? key = book.Find(host.ToString());
        return new EnrolmentStanding(
            host.ToString(), ReleaseControl.EndorsementKeyOf(datacentre, host)?.Hex, key?.EndorsementKey.Hex,
            book.BoundOf(host.ToString())?.Since, key?.AttestationKey.Area?.Name.Hex, key?.Vendors?.Hex,
            _refused.GetValueOrDefault(host.ToString()));
    }

    private static HostRef? HostOf(CheckedDatacentre datacentre, KeyId caller) =>
        datacentre.Inventory.Hosts.Values
            .FirstOrDefault(host => ReleaseControl.IdentityKeyOf(datacentre, host.Ref)?.Id == caller)?.Ref;

    private static EnrolmentClaim? Claim(EnrolmentClaimBody body) =>
        StrictBase64.TryDecode(body.Certificate, MostCertificateBytes, out byte[]? certificate)
        && StrictBase64.TryDecode(body.EndorsementKey, TpmLimits.StructureBytes, out byte[]? endorsement)
        && StrictBase64.TryDecode(body.AttestationKey, TpmLimits.StructureBytes, out byte[]? attestation)
        && TpmPublic.TryRead(endorsement, out TpmPublic? endorsementKey, out _)
        && TpmPublic.TryRead(attestation, out TpmPublic? attestationKey, out _)
            ? new EnrolmentClaim(certificate, endorsementKey, attestationKey)
            : null;

    private sealed record Asked(EnrolmentChallenge Challenge, long At);
}
