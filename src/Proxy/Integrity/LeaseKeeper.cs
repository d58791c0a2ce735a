using System.Collections.Immutable;
using System.Security.Cryptography;
using Bailiwick.Channel.Keys;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Host;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Restarting;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Integrity;

/// <summary>
/// Proves this host, again and again, to the key service of every tenant whose machines it has, and keeps what each
/// says. That no evidence can be made is found out here too, whether anybody asks or not.
/// </summary>
public sealed class LeaseKeeper(
    PlanKeeper plans, EvidenceDesk evidence, TenantKeyServices services, OwnLeases leases, RestartLeases restarts,
    TimeProvider time)
{
    /// <summary>
    /// Between two proofs, in seconds: what the verifier finds in one must have its consequences within 10 s of the
    /// change, and the proof, the plan and the end of a machine take their time on a busy host.
    /// </summary>
    public const int PeriodSeconds = 3;

    /// <summary>How long a round waits for all who are asked; whoever is slower delays nobody else.</summary>
    internal static readonly TimeSpan Together = TimeSpan.FromSeconds(1);

    /// <summary>Failures in a row that count: one may be a register in motion.</summary>
    public const int Strikes = 2;

    private const int NonceBytes = 32;
    private static readonly TimeSpan Impatience = TimeSpan.FromMilliseconds(500);
    private readonly AskingRound<PartyId, MadeEvidence> _round = new(time);
    private int _strikes;
    private long _tried = time.GetTimestamp();

    /// <summary>Proves until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            ImmutableArray<DomainRef> wanted = plans.Current.Standings.Keys;
            Count(await RoundAsync(wanted, stop).ConfigureAwait(false));
            try
            {
                plans.Reconsider();
            }
            catch (WorldException)
            {
                // The record could not be made: the plan before stays in force, and is computed again.
            }

            restarts.Sweep(plans.Current);
            bool strangers = _strikes is > 0 and < Strikes
                || plans.Current.Standings.Values.Any(own => own.Trust == OwnTrust.Unknown);
            await leases.RestAsync(strangers ? Impatience : TimeSpan.FromSeconds(PeriodSeconds), time, stop)
                .ConfigureAwait(false);
        }
    }

    private async Task<MadeEvidence> RoundAsync(ImmutableArray<DomainRef> wanted, CancellationToken stop)
    {
        var made = await _round.AskAsync(
            wanted.Select(domain => domain.Tenant).Concat(leases.Tenants).Distinct(),
            tenant => AskAsync(tenant, wanted, stop), Together).ConfigureAwait(false);
        return made.FirstOrDefault(one => one is { WasTried: true, Fault: "" })
            ?? made.FirstOrDefault(one => one.WasTried)
            ?? (wanted.IsEmpty || !IsDue() ? MadeEvidence.NotTried : Try(() => evidence.Show(Nonce())));
    }

    /// <summary>Where nobody asks, evidence is made as often as if somebody did.</summary>
    private bool IsDue() =>
        _strikes > 0 || time.GetElapsedTime(_tried) >= TimeSpan.FromSeconds(PeriodSeconds);

    /// <summary>A host that can prove nothing is trusted by nobody, and knows it before they do.</summary>
    private void Count(MadeEvidence made)
    {
        _tried = made.WasTried ? time.GetTimestamp() : _tried;
        if (made is { WasTried: true, Fault: "" })
        {
            _strikes = 0;
            leases.CannotProve(null);
        }
        else if (made.WasTried && ++_strikes >= Strikes)
        {
            leases.CannotProve($"this host cannot prove what it is: {made.Fault}");
        }
    }

    private async Task<MadeEvidence> AskAsync(
        PartyId tenant, ImmutableArray<DomainRef> wanted, CancellationToken stop)
    {
        MadeEvidence made = MadeEvidence.NotTried;
        ImmutableArray<string> kept = restarts.NoncesOf(tenant);
        try
        {
            LeaseAnswer? answer = await services.ProveAsync(
                tenant, [.. wanted.Where(domain => domain.Tenant == tenant).Select(domain => domain.ToString())],
                kept,
                nonce =>
                {
                    HostEvidence? shown = null;
                    made = Try(() => shown = evidence.Show(nonce));
                    return shown;
                },
                stop).ConfigureAwait(false);
            if (answer is not null)
            {
                leases.Take(tenant, Verdicts(tenant, wanted, answer));
                restarts.Take(tenant, kept, answer.Restarts);
            }
        }
        catch (Exception error) when (error is KeyServiceException or WorldException or FormatException
            || (error is OperationCanceledException && !stop.IsCancellationRequested))
        {
            // A key service that does not answer has said nothing new.
        }

        return made;
    }

    /// <summary>What a key service says of domains that are not its tenant's, it does not say.</summary>
    private static Dictionary<DomainRef, ImmutableArray<string>> Verdicts(
        PartyId tenant, ImmutableArray<DomainRef> wanted, LeaseAnswer answer)
    {
        Dictionary<DomainRef, ImmutableArray<string>> verdicts = [];
        foreach (DomainLease lease in answer.Domains)
        {
            if (lease.Domain.Split('/') is [var party, var text] && party == tenant.ToString()
                && StatementName.TryParse(text, out StatementName? name))
            {
                verdicts[new DomainRef(tenant, name)] = lease.Against;
            }
        }

        foreach (DomainRef domain in wanted.Where(one => one.Tenant == tenant && !verdicts.ContainsKey(one)))
        {
            verdicts[domain] = ["its key service does not answer for the domain."];
        }

        return verdicts;
    }

    private static MadeEvidence Try(Func<HostEvidence?> make)
    {
        try
        {
            // Without a checkpoint there is nothing to make evidence over yet, which is no fault of the host's.
            return make() is null ? MadeEvidence.NotTried : new MadeEvidence(true, "");
        }
        catch (WorldException error)
        {
            return new MadeEvidence(true, error.Message);
        }
    }

    private static byte[] Nonce() => RandomNumberGenerator.GetBytes(NonceBytes);

    private sealed record MadeEvidence(bool WasTried, string Fault)
    {
        public static MadeEvidence NotTried { get; } = new(false, "");
    }
}
