using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>A domain's part of a host's plan, and what follows from it for the underlay.</summary>
internal sealed record DomainPart(DomainPlan Plan, NetworkTunnels Tunnels)
{
    public static DomainPart Of(DomainPlan plan) => new(plan, NetworkTunnels.Of(plan.Network));
}

/// <summary>A passage's part of a host's plan.</summary>
internal sealed record PassagePart(PassageOnHost Passage, NetworkTunnels Tunnels)
{
    public static PassagePart Of(PassageOnHost passage) => new(passage, NetworkTunnels.Of(passage.Plan.Network));
}

/// <summary>The parts of a host's plan.</summary>
/// <param name="Domains">By domain.</param>
/// <param name="Passages">By name.</param>
internal sealed record PlanParts(
    IReadOnlyDictionary<DomainRef, DomainPart> Domains, IReadOnlyDictionary<string, PassagePart> Passages)
{
    public static PlanParts None { get; } = new(
        ImmutableDictionary<DomainRef, DomainPart>.Empty, ImmutableDictionary<string, PassagePart>.Empty);

    /// <summary>Those that a change does not touch.</summary>
    public PlanParts Without(IReadOnlySet<DomainRef> domains, IReadOnlySet<string> passages) => new(
        Domains.Where(part => !domains.Contains(part.Key)).ToDictionary(),
        Passages.Where(part => !passages.Contains(part.Key)).ToDictionary(StringComparer.Ordinal));
}

/// <summary>
/// A host's plan, and what of it changes since have touched. It keeps the plan for nobody: who runs by it does.
/// </summary>
internal sealed class KnownPlan
{
    // A plan's parts are there as long as the plan is.
    private static readonly ConditionalWeakTable<HostPlan, PlanParts> Known = [];
    private readonly WeakReference<HostPlan> _plan;
    private readonly ImmutableHashSet<DomainRef> _domains;
    private readonly ImmutableHashSet<string> _passages;
    private readonly bool _isTouched;

    public KnownPlan(HostPlan plan, PlanParts parts) : this(new WeakReference<HostPlan>(plan), false, [], []) =>
        Known.AddOrUpdate(plan, parts);

    private KnownPlan(
        WeakReference<HostPlan> plan, bool isTouched, ImmutableHashSet<DomainRef> domains,
        ImmutableHashSet<string> passages) =>
        (_plan, _isTouched, _domains, _passages) = (plan, isTouched, domains, passages);

    /// <summary>Whether somebody has it.</summary>
    public bool IsThere => _plan.TryGetTarget(out _);

    /// <summary>The plan, if no change has touched it and somebody has it.</summary>
    public HostPlan? Whole => !_isTouched && _plan.TryGetTarget(out var plan) ? plan : null;

    /// <summary>The parts that no change has touched. What a part withheld stands with the plan and not with the part,
    /// so of a plan that withholds something there are none.</summary>
    public PlanParts Parts => _plan.TryGetTarget(out var plan) && plan.Withheld.IsEmpty
        && Known.TryGetValue(plan, out var parts) ? parts.Without(_domains, _passages) : PlanParts.None;

    /// <summary>The same after a change that touches it.</summary>
    public KnownPlan After(TouchedPlans touched) => new(
        _plan, true, _domains.Union(touched.Domains), _passages.Union(touched.Passages));
}
