using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>What a part of a plan leaves out because it would not be safe, by what two parts say alike.</summary>
internal sealed class WithheldPart
{
    // Nearly always nothing.
    private Dictionary<string, Reason>? _all;

    public void Add(string what, Reason why) => (_all ??= new(StringComparer.Ordinal)).TryAdd(what, why);

    public void AddTo(SortedDictionary<string, Reason> others)
    {
        if (_all is null)
        {
            return;
        }

        foreach (var (what, why) in _all)
        {
            others.TryAdd(what, why);
        }
    }
}

/// <summary>What of a domain's part follows from its own statement and members: all but its gateway, what is said of
/// other domains' machines, and which flows it has not.</summary>
internal sealed record InsidePart(
    NetworkPlan Network, ImmutableArray<CompartmentPlan> Machines, Reason Reason, WithheldPart Withheld);

/// <summary>A domain's part of a host's plan.</summary>
internal sealed record DomainPart(
    string Reference, DomainModel Model, InsidePart Inside, DomainPlan Plan, WithheldPart Withheld);

/// <summary>The parts of a host's plan.</summary>
/// <param name="Domains">By reference text.</param>
/// <param name="Passages">By name.</param>
internal sealed record PlanParts(ImmutableArray<DomainPart> Domains, ImmutableArray<PassageOnHost> Passages)
{
    public static PlanParts None { get; } = new([], []);

    /// <summary>A domain's; null where there is none.</summary>
    public DomainPart? Domain(string reference) => Find(Domains, DomainName, reference);

    /// <summary>A passage's; null where there is none.</summary>
    public PassageOnHost? Passage(string name) => Find(Passages, PassageName, name);

    /// <summary>With some parts changed; null takes one away.</summary>
    public PlanParts With(
        IReadOnlyDictionary<string, DomainPart?> domains, IReadOnlyDictionary<string, PassageOnHost?> passages) => new(
            With(Domains, DomainName, domains), With(Passages, PassageName, passages));

    private static string DomainName(DomainPart part) => part.Reference;

    private static string PassageName(PassageOnHost part) => part.Plan.Name;

    private static T? Find<T>(ImmutableArray<T> all, Func<T, string> name, string wanted)
        where T : class => Place(all, name, wanted) is >= 0 and var place ? all[place] : null;

    private static ImmutableArray<T> With<T>(
        ImmutableArray<T> all, Func<T, string> name, IReadOnlyDictionary<string, T?> changes)
        where T : class
    {
        var (merged, next) = (ImmutableArray.CreateBuilder<T>(all.Length + changes.Count), 0);
        foreach (var (wanted, part) in changes.OrderBy(one => one.Key, StringComparer.Ordinal))
        {
            var place = Place(all, name, wanted);
            var until = place < 0 ? ~place : place;
            merged.AddRange(all.AsSpan(next, until - next));
            next = place < 0 ? until : until + 1;
            if (part is not null)
            {
                merged.Add(part);
            }
        }

        merged.AddRange(all.AsSpan()[next..]);
        return merged.DrainToImmutable();
    }

    /// <summary>Where a part is; the complement of where it would be if it is not there.</summary>
    private static int Place<T>(ImmutableArray<T> all, Func<T, string> name, string wanted)
    {
        var (from, to) = (0, all.Length - 1);
        while (from <= to)
        {
            var middle = (from + to) / 2;
            var order = string.CompareOrdinal(name(all[middle]), wanted);
            if (order == 0)
            {
                return middle;
            }

            (from, to) = order < 0 ? (middle + 1, to) : (from, middle - 1);
        }

        return ~from;
    }
}

/// <summary>
/// A host's plan, and what of it changes since have touched. It keeps the plan for nobody: who runs by it does.
/// </summary>
internal sealed class KnownPlan
{
    // A plan's parts are there as long as the plan is.
    private static readonly ConditionalWeakTable<HostPlan, PlanParts> Known = [];
    private readonly WeakReference<HostPlan> _plan;

    public KnownPlan(HostPlan plan, PlanParts parts) : this(new WeakReference<HostPlan>(plan), null) =>
        Known.AddOrUpdate(plan, parts);

    private KnownPlan(WeakReference<HostPlan> plan, TouchedPlans? touched) => (_plan, Touched) = (plan, touched);

    /// <summary>What changes since have touched; null where none has.</summary>
    public TouchedPlans? Touched { get; }

    /// <summary>Whether somebody has it.</summary>
    public bool IsThere => _plan.TryGetTarget(out _);

    /// <summary>The plan, if no change has touched it and somebody has it.</summary>
    public HostPlan? Whole => Touched is null && _plan.TryGetTarget(out var plan) ? plan : null;

    /// <summary>The parts, also those that a change has touched; null where nobody has the plan.</summary>
    public PlanParts? Parts =>
        _plan.TryGetTarget(out var plan) && Known.TryGetValue(plan, out var parts) ? parts : null;

    /// <summary>The same after a change that touches it.</summary>
    public KnownPlan After(TouchedPlans touched) => new(_plan, Touched?.And(touched) ?? touched);
}
