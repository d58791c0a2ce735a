using System.Collections.Immutable;
using Bailiwick.Attestation;
using Bailiwick.Attestation.Known;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Api;
using Bailiwick.KeyService.Following;
using Bailiwick.KeyService.Nonces;
using Bailiwick.KeyService.Proving;
using Bailiwick.KeyService.Releasing;
using Bailiwick.KeyService.Restarting;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.KeyService.Leasing;

/// <summary>
/// Where hosts that run machines of this tenant keep proving themselves. Evidence that is refused, and evidence over
/// which the verifier itself fails, ends every lease of the host at once. What never became a question about evidence
/// (no good nonce, a board that shows this key service less than the host) is silence: the lease runs out by itself.
/// </summary>
public sealed class LeaseDesk(
    LeaseBook book, HostProofs proofs, NonceBook nonces, CheckpointHistory history, Func<PolicySnapshot?> policy,
    TimeProvider time)
{
    /// <summary>The most domains of one question.</summary>
    public const int MostDomains = 1024;

    /// <summary>The most restart leases of one question.</summary>
    public const int MostRestarts = 4096;

    private const int AheadTenths = 50;

    /// <summary>The tenant served: of another's domains nothing is judged, and nothing is said.</summary>
    public required PartyId Tenant { get; init; }

    /// <summary>Judges what the calling host shows, for each domain it names and each it had a standing in.</summary>
    public async Task<RouteAnswer<LeaseAnswer>> Prove(RouteCall call, LeaseBody body)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(body);
        if (policy() is not { } snapshot)
        {
            return Refused(RefusalProblem.NotReady);
        }

        if (call.Caller is not { Party: { } party, Host: { } name } || body.Domains.Length > MostDomains
            || body.Restarts.Length > MostRestarts)
        {
            return Refused(KeyProblems.BadDocument(
                $"A host asks for at most {MostDomains} domains and names at most {MostRestarts} restart leases."));
        }

        HostRef host = new(party, name);
        byte[] nonce = new byte[KeyNonce.Length];
        if (!Convert.TryFromBase64String(body.Nonce, nonce, out int length) || length != nonce.Length
            || nonces.Present(nonce, call.Caller.Key, out long leastSize) != NonceFinding.Good)
        {
            return Refused(KeyProblems.BadNonce);
        }

        try
        {
            ReadOnlyMemory<byte> evidence = ShownDocuments.Canonical(body.Evidence);
            if (ShownDocuments.Logs(body.BootLog, body.RuntimeLog, body.IntegrityLog, body.LogsAfter) is not { } logs)
            {
                book.End(host, KeyProblems.BadLogs.Detail);
                return Refused(KeyProblems.BadLogs);
            }

            if (await Standing(evidence, snapshot, call.Cancel) is not { } standing)
            {
                return Refused(KeyProblems.NotJudged);
            }

            // One policy from here on: what a tail is judged by must be what its beginning was judged by.
            CheckedDatacentre datacentre = (policy() ?? snapshot).Datacentre;
            ImmutableArray<string> asked = [.. body.Domains.Where(one => DomainRef.Read(one)?.Tenant == Tenant)];
            KnownBoot? known = proofs.Held(host.ToString(), Counting(host, asked, datacentre), datacentre);
            if (logs.After is { } after && after != known?.Position)
            {
                proofs.Forget(host.ToString());
                return Refused(KeyProblems.LogsNotHeld);
            }

            CheckpointRule rule = new(snapshot.Checkpoint.Origin, leastSize, _ => standing);
            EvidenceVerdict? verdict = proofs.Judge(
                new ShownEvidence(host, call.Caller.Key, nonce, evidence, logs, known), datacentre, rule);
            LeaseAnswer answer = new(
                [.. Judged(host, asked, verdict, datacentre)],
                verdict is EvidenceVerdict.Verified ? Restarts.Heard(host, body.Restarts) : []);
            proofs.Learn(host.ToString(), verdict, datacentre);
            return new RouteAnswer<LeaseAnswer>.Ok(answer);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            proofs.Forget(host.ToString());
            book.End(host, "This key service failed over what it showed.");
            throw;
        }
    }

    /// <summary>Which machines hosts may restart without asking.</summary>
    public required RestartDesk Restarts { get; init; }

    /// <summary>Why no host is lent trust for a domain, whatever it proves; null mostly.</summary>
    public Func<DomainModel, string?> Bar { get; init; } = _ => null;

    /// <summary>How every host stands now.</summary>
    public ImmutableArray<LeaseRow> Rows()
    {
        TimeSpan now = book.Now;
        return
        [
            .. book.All.Select(lease => new LeaseRow(
                lease.Host.ToString(), lease.Domain.ToString(), WireText.Of(lease.Standing(now)),
                (long)(now - lease.At).TotalSeconds, lease.Doubt(now) ?? "")),
        ];
    }

    /// <summary>The described domains by whose demands a host is judged.</summary>
    private IEnumerable<DomainRef> Counting(
        HostRef host, ImmutableArray<string> asked, CheckedDatacentre datacentre) =>
        asked.Concat(book.DomainsOf(host).Select(one => one.ToString())).Distinct()
            .Select(datacentre.Domains.GetValueOrDefault).OfType<DomainModel>().Select(model => model.Ref);

    private List<DomainLease> Judged(
        HostRef host, ImmutableArray<string> asked, EvidenceVerdict? verdict, CheckedDatacentre datacentre)
    {
        List<DomainLease> leases = [];
        ImmutableArray<DomainRef> before = book.DomainsOf(host);
        foreach (string domain in asked.Concat(before.Select(one => one.ToString())).Distinct())
        {
            if (!datacentre.Domains.TryGetValue(domain, out DomainModel? model))
            {
                leases.Add(new DomainLease(domain, ["no accepted statement describes the domain."]));
                continue;
            }

            ImmutableArray<string> against = verdict is null
                ? ["no accepted statement of an operator gives an identity key for the host."]
                : LeaseControl.Against(verdict, datacentre, host, model.Ref, time.GetUtcNow());
            if (Bar(model) is { } bar)
            {
                against = against.Add(bar);
            }

            if (against.IsEmpty && !asked.Contains(domain))
            {
                book.GiveBack(host, model.Ref);
                continue;
            }

            book.Take(host, model.Ref, against);
            leases.Add(new DomainLease(domain, against));
        }

        foreach (DomainRef gone in before.Where(one => !datacentre.Domains.ContainsKey(one.ToString())))
        {
            book.GiveBack(host, gone);
        }

        return leases;
    }

    /// <summary>
    /// What the claimed checkpoint is; null when that cannot be told now. A host may have read further than this key
    /// service, which then reads on for a while.
    /// </summary>
    private async Task<CheckpointStanding?> Standing(
        ReadOnlyMemory<byte> evidence, PolicySnapshot snapshot, CancellationToken cancel)
    {
        if (EvidenceVerifier.ClaimedCheckpoint(evidence.Span) is not { } claimed
            || claimed.Origin != snapshot.Checkpoint.Origin)
        {
            return CheckpointStanding.Inconsistent;
        }

        for (int attempt = 0; attempt < AheadTenths; attempt++)
        {
            VerifiedPoint newest = (policy() ?? snapshot).Checkpoint;
            if (claimed.Size <= newest.Size)
            {
                return await history.Find(claimed, newest, cancel);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancel);
        }

        return null;
    }

    private static RouteAnswer<LeaseAnswer> Refused(RouteProblem problem) =>
        new RouteAnswer<LeaseAnswer>.Refused(problem);
}
