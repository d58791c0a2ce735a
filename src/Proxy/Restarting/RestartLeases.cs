using System.Collections.Immutable;
using Bailiwick.Channel.Keys;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Leases;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger;
using Bailiwick.Ledger.Statements;
using Bailiwick.Proxy.Compartments;
using Bailiwick.Proxy.Plans;
using Bailiwick.Proxy.Storage;

namespace Bailiwick.Proxy.Restarting;

/// <summary>
/// The releases that this host may open again, sealed as they came, with what each may be used for. Only in the memory
/// of this process: a Proxy that starts anew has none and asks. What is over is overwritten at once, and why it ended
/// is remembered for whoever wonders. Safe for use from several threads.
/// </summary>
/// <param name="bootTime">The time since the host's boot, which nobody can set.</param>
public sealed class RestartLeases(TimeProvider bootTime) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _kept = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _ended = new(StringComparer.Ordinal);
    private readonly long _start = bootTime.GetTimestamp();

    /// <summary>Leases that end at once with what each new plan ends.</summary>
    public static RestartLeases Under(PlanKeeper plans, TimeProvider bootTime)
    {
        ArgumentNullException.ThrowIfNull(plans);
        RestartLeases leases = new(bootTime);
        plans.Changed += () => leases.Sweep(plans.Current);
        return leases;
    }

    /// <summary>The moment on the clock of the leases.</summary>
    public TimeSpan Now => bootTime.GetElapsedTime(_start);

    /// <summary>
    /// Keeps a release, in place of an earlier one for the same key. One that was decided by other statements than this
    /// host's is not kept.
    /// </summary>
    /// <param name="question">What was asked.</param>
    /// <param name="offer">What came; it is this object's to dispose of.</param>
    /// <param name="asked">When it was asked for.</param>
    public void Keep(VolumeKeyQuestion question, RestartOffer offer, TimeSpan asked)
    {
        ArgumentNullException.ThrowIfNull(question);
        ArgumentNullException.ThrowIfNull(offer);
        string key = question.Key.ToString();
        CheckedDatacentre datacentre = question.Plan.Datacentre;
        lock (_gate)
        {
            Drop(key, "its key was released anew.");
            long? machine = datacentre.Machinery.Compartments.GetValueOrDefault(question.Compartment.ToString())
                ?.Origin.Revision;
            if (machine != offer.CompartmentRevision
                || HolderControl.DomainOf(question.Key, datacentre)?.Origin.Revision != offer.DomainRevision)
            {
                offer.Dispose();
                _ended[key] = "its key service decided by other statements than this host has.";
                return;
            }

            _ended.Remove(key);
            _kept[key] = new Entry(
                new RestartLease(
                    question.Key, question.Compartment, question.Key is KeySubject.Volume ? question.State : null,
                    asked + offer.Within,
                    RestartControl.RestsOn(datacentre, question.Key, question.Compartment)),
                offer);
        }
    }

    /// <summary>A blank volume was given a header, and its key service has bound it.</summary>
    public void Bind(KeySubject key, string nonce, Digest32 header)
    {
        ArgumentNullException.ThrowIfNull(key);
        lock (_gate)
        {
            if (_kept.GetValueOrDefault(key.ToString()) is { Lease.Header: null } kept && kept.Offer.Nonce == nonce)
            {
                _kept[key.ToString()] = kept with { Lease = kept.Lease with { Header = header } };
            }
        }
    }

    /// <summary>Ends a restart lease for good; nothing when there is none.</summary>
    public void End(string key, string why)
    {
        lock (_gate)
        {
            Drop(key, why);
        }
    }

    /// <summary>Ends every restart lease that the plan in force, or the time, has ended.</summary>
    public void Sweep(EnforcedPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        lock (_gate)
        {
            foreach ((string key, Entry kept) in _kept.ToArray())
            {
                ImmutableArray<RestartRefusal> against = RestartControl.Against(kept.Lease, MomentOf(plan, kept.Lease));
                if (!against.IsEmpty)
                {
                    Drop(key, string.Join(" ", against.Select(one => one.Sentence)));
                }
            }
        }
    }

    /// <summary>Whether a key is kept for a restart, under the plan in force.</summary>
    public bool IsKept(EnforcedPlan plan, string key)
    {
        Sweep(plan);
        lock (_gate)
        {
            return _kept.TryGetValue(key, out Entry? kept)
                && (kept.Lease.Header is not null || kept.Lease.Key is KeySubject.MachineTpm);
        }
    }

    /// <summary>Why a key's restart lease ended; null when there was none, or one lives.</summary>
    public string? WhyEnded(string key)
    {
        lock (_gate)
        {
            return _ended.GetValueOrDefault(key);
        }
    }

    /// <summary>What is kept of a tenant's keys, by the nonces of the releases.</summary>
    public ImmutableArray<string> NoncesOf(PartyId tenant)
    {
        lock (_gate)
        {
            return [.. _kept.Values.Where(one => one.Lease.Key.Tenant == tenant).Select(one => one.Offer.Nonce)];
        }
    }

    /// <summary>Takes a key service's words. One that was asked about and not spoken of has ended.</summary>
    /// <param name="tenant">Whose key service it is; it speaks of no other tenant's keys.</param>
    /// <param name="asked">What it was asked about.</param>
    /// <param name="words">What it says.</param>
    public void Take(PartyId tenant, ImmutableArray<string> asked, ImmutableArray<RestartWord> words)
    {
        lock (_gate)
        {
            foreach ((string key, Entry kept) in _kept.ToArray())
            {
                string nonce = kept.Offer.Nonce;
                RestartWord? word = words.FirstOrDefault(one => one.Nonce == nonce);
                if (kept.Lease.Key.Tenant == tenant && asked.Contains(nonce) && word is not { Against: "" })
                {
                    Drop(key, word?.Against ?? "its key service says nothing of it.");
                }
            }
        }
    }

    /// <summary>Decides whether a key may be opened again for a start; null when nothing is kept.</summary>
    public RestartVerdict? Decide(VolumeKeyQuestion question)
    {
        ArgumentNullException.ThrowIfNull(question);
        Sweep(question.Plan);
        lock (_gate)
        {
            return _kept.TryGetValue(question.Key.ToString(), out Entry? kept)
                ? RestartControl.Decide(
                    kept.Lease, question.Compartment, question.State, MomentOf(question.Plan, kept.Lease))
                : null;
        }
    }

    /// <summary>The release of a restart that is permitted; null when it ended meanwhile.</summary>
    public RestartOffer? Find(RestartVerdict.Permitted permitted)
    {
        ArgumentNullException.ThrowIfNull(permitted);
        lock (_gate)
        {
            return _kept.TryGetValue(permitted.Lease.Key.ToString(), out Entry? kept)
                && kept.Lease == permitted.Lease && Now < kept.Lease.Until
                    ? kept.Offer
                    : null;
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (string key in _kept.Keys.ToArray())
            {
                Drop(key, "the Proxy ends.");
            }
        }
    }

    private RestartMoment MomentOf(EnforcedPlan plan, RestartLease lease) => new(
        plan.Datacentre,
        plan.Machine(MachineLayout.NameOf(lease.Machine)) is { } machine && plan.WantsRunning(machine),
        domain => plan.Standings.GetValueOrDefault(domain) ?? OwnStanding.Unknown, Now);

    private void Drop(string key, string why)
    {
        if (_kept.Remove(key, out Entry? gone))
        {
            gone.Offer.Dispose();
            _ended[key] = why;
        }
    }

    private sealed record Entry(RestartLease Lease, RestartOffer Offer);
}
