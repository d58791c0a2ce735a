using System.Collections.Concurrent;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>
/// What all hosts' plans have in common, found once: who is admitted where, which pairs of domains have passages, who
/// has which number. Made only by <see cref="Refine"/>. Several threads may ask for plans at the same time.
/// </summary>
public sealed class RefinedDatacentre
{
    private readonly Scene _scene;
    // Plans that somebody still has; what is made anew takes of them what no change since has touched.
    private readonly ConcurrentDictionary<HostRef, KnownPlan> _plans;

    internal RefinedDatacentre(Scene scene) => (_scene, _plans) = (scene, []);

    private RefinedDatacentre(RefinedDatacentre before, Scene scene, TouchedPlans touched)
    {
        _scene = scene;
        Touched = touched.Hosts;
        _plans = new ConcurrentDictionary<HostRef, KnownPlan>(before._plans.Where(one => one.Value.IsThere).Select(
            one => touched.Hosts.Contains(one.Key) ? KeyValuePair.Create(one.Key, one.Value.After(touched)) : one));
    }

    /// <summary>
    /// The hosts whose plans may differ from those before the change that this was made after; null where all may.
    /// </summary>
    public IReadOnlySet<HostRef>? Touched { get; }

    /// <summary>
    /// The same after a change: equal to <see cref="Refine.Of"/> of all that is proposed then. Found from this one as
    /// far as the change touches nothing else, which is so while every quota, host and reservation has room.
    /// </summary>
    /// <param name="next">
    /// What the check that went on from this one's datacentre found usable, or that datacentre itself.
    /// </param>
    /// <param name="come">Proposals that are new.</param>
    /// <param name="gone">Proposals that are none any more.</param>
    /// <param name="now">The moment against which policies expire.</param>
    public RefinedDatacentre After(
        CheckedDatacentre next, IReadOnlyCollection<PlacementProposal> come,
        IReadOnlyCollection<PlacementProposal> gone, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(next);
        ArgumentNullException.ThrowIfNull(come);
        ArgumentNullException.ThrowIfNull(gone);
        return _scene.After(next, come, gone, now, out var touched) is { } scene
            ? new RefinedDatacentre(this, scene, touched)
            : Refine.Of(next, [.. _scene.Proposals.Except(gone).Union(come)], now);
    }

    /// <summary>The plan of one host: equal to that of <see cref="Refine.ForHost"/>.</summary>
    /// <param name="host">The host. One that is unknown gets an empty plan.</param>
    public HostPlan ForHost(HostRef host)
    {
        ArgumentNullException.ThrowIfNull(host);
        var known = _plans.GetValueOrDefault(host);
        if (known?.Whole is { } plan)
        {
            return plan;
        }

        if (_scene.Ground.Host(host) is not { } model)
        {
            return new HostPlan(host, new UnderlayPlan("", []), [], [], [.. _scene.Refused(host)], []);
        }

        (plan, var parts) = PlanDraft.Of(_scene, model, known?.Parts, known?.Touched ?? TouchedPlans.None);
        _plans[host] = new KnownPlan(plan, parts);
        return plan;
    }
}
