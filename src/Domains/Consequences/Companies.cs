using System.Collections.Immutable;
using System.Numerics;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Consequences;

/// <summary>
/// Machines of one tenant that could each run alone and cannot all run: bound to one host that none of them all fit,
/// to more hosts than there are, or to less room than they need.
/// </summary>
internal sealed class Companies
{
    private const string TogetherWith = "/placement/togetherWith";

    private readonly FindingPlaces _places;
    private readonly AdmissionGround _ground;
    private readonly HostSearch _search;
    private readonly Dictionary<CompartmentRef, BigInteger> _hosts = [];

    private Companies(FindingPlaces places, AdmissionGround ground, HostSearch search)
    {
        _places = places;
        _ground = ground;
        _search = search;
    }

    /// <summary>Finds them.</summary>
    /// <param name="places">Takes what is found.</param>
    /// <param name="ground">The policies.</param>
    /// <param name="search">The hosts.</param>
    /// <param name="kinds">The machines that could run alone.</param>
    public static void Find(
        FindingPlaces places, AdmissionGround ground, HostSearch search, ImmutableArray<MachineKind> kinds)
    {
        foreach (var tenant in kinds.GroupBy(kind => kind.First.Ref.Tenant))
        {
            var companies = new Companies(places, ground, search);
            foreach (var kind in tenant)
            {
                var hosts = search.Meeting(companies.Terms([kind.First]));
                foreach (var machine in kind.Machines)
                {
                    companies._hosts[machine.Ref] = hosts;
                }
            }

            companies.Find(MachineKind.Of(tenant).Machines);
        }
    }

    private void Find(ImmutableArray<CompartmentModel> machines)
    {
        var byName = machines.ToDictionary(machine => machine.Ref.Name);
        var bound = machines.Where(machine => !machine.Placement.ApartFrom.IsEmpty
            || !machine.Placement.TogetherWith.IsEmpty).ToArray();
        var together = Components(bound.SelectMany(machine => machine.Placement.TogetherWith
            .Where(byName.ContainsKey).Select(name => (machine, byName[name]))));
        var impossible = together.Where(Together).SelectMany(one => one).ToHashSet();
        var inBundle = together.SelectMany(component => component.Select(machine => (machine.Ref, component)))
            .ToDictionary(pair => pair.Ref, pair => pair.component);
        var apart = Components(bound.SelectMany(machine => machine.Placement.ApartFrom
            .Where(byName.ContainsKey).Select(name => (machine, byName[name]))));
        var told = new HashSet<CompartmentRef>();
        foreach (var component in apart)
        {
            ImmutableArray<Bundle> bundles =
            [
                .. component.Where(machine => !impossible.Contains(machine))
                    .Select(machine => inBundle.GetValueOrDefault(machine.Ref, [machine]))
                    .DistinctBy(one => one[0].Ref).Select(one => new Bundle(one, Hosts(one))),
            ];
            if (new Places(_search.Hosts).Impossible(bundles) is { IsEmpty: false } crowd)
            {
                told.UnionWith(crowd.SelectMany(bundle => bundle.Machines).Select(machine => machine.Ref));
                Apart(crowd);
            }
        }

        Room([.. machines.Where(machine => !told.Contains(machine.Ref) && !impossible.Contains(machine))]);
    }

    /// <summary>True if something was found about machines that must be on one host.</summary>
    private bool Together(ImmutableArray<CompartmentModel> component)
    {
        var contradiction = component.SelectMany(one => component.Where(two =>
            one.Placement.ApartFrom.Contains(two.Ref.Name)).Select(two => (one, two))).FirstOrDefault();
        if (contradiction.one is { } first && contradiction.two is { } second)
        {
            int index = first.Placement.ApartFrom.IndexOf(second.Ref.Name);
            _places.Add(
                first.Origin, FindingCode.PlacementContradicts, $"/placement/apartFrom/{index}",
                $"It must be apart from {second.Ref.Name}, and on one host with it by togetherWith, as "
                + $"{string.Join(", ", Chain(component, first, second).Select(link =>
                    $"{link.One.Ref.Name} with {link.Other.Ref.Name} ({_places.At(link.One.Origin, TogetherWith)})"))} "
                + "say: not all of them run. The least change: "
                + $"remove {second.Ref.Name} from apartFrom here.");
            return true;
        }

        if (!Hosts(component).IsZero || _search.For(Terms(component)) is not { } none)
        {
            return false;
        }

        var (least, why) = (component, none);
        foreach (var machine in component.Length <= Places.Few ? component.Reverse() : [])
        {
            var without = least.Remove(machine);
            if (without.Length > 1 && IsOne(without) && _search.For(Terms(without)) is { } still)
            {
                (least, why) = (without, still);
            }
        }

        var stating = least.First(one => !one.Placement.TogetherWith.IsEmpty);
        _places.Add(
            stating.Origin, FindingCode.NoHostForAll, TogetherWith,
            $"{Names(least)} must be on one host, and none takes all of them, though nothing else ran. "
            + $"{why.Because(_places)} {why.Remedy}");
        return true;
    }

    /// <summary>The shortest chain of demands that binds one machine to another, each as its statement says it.
    /// </summary>
    private static IEnumerable<(CompartmentModel One, CompartmentModel Other)> Chain(
        ImmutableArray<CompartmentModel> component, CompartmentModel first, CompartmentModel last)
    {
        var from = new Dictionary<CompartmentRef, CompartmentModel> { [last.Ref] = last };
        var waiting = new Queue<CompartmentModel>([last]);
        while (waiting.TryDequeue(out var machine))
        {
            foreach (var next in component.Where(one => Binds(one, machine) || Binds(machine, one)))
            {
                if (from.TryAdd(next.Ref, machine))
                {
                    waiting.Enqueue(next);
                }
            }
        }

        for (var at = first; at.Ref != last.Ref; at = from[at.Ref])
        {
            yield return Binds(at, from[at.Ref]) ? (at, from[at.Ref]) : (from[at.Ref], at);
        }
    }

    private static bool Binds(CompartmentModel one, CompartmentModel other) =>
        one.Placement.TogetherWith.Contains(other.Ref.Name);

    private void Apart(ImmutableArray<Bundle> crowd)
    {
        var machines = crowd.SelectMany(bundle => bundle.Machines).ToImmutableArray();
        var stating = machines.First(one => machines.Any(two => one.Placement.ApartFrom.Contains(two.Ref.Name)));
        var hosts = HostNames(crowd.Aggregate(BigInteger.Zero, (all, bundle) => all | bundle.Hosts));
        _places.Add(
            stating.Origin, FindingCode.TooFewHosts, "/placement/apartFrom",
            $"{Names(machines)} cannot all run: only {Display.List(hosts)} can run any of them, and on different hosts "
            + "must be " + Display.List(machines.SelectMany((one, i) => machines.Skip(i + 1)
                .Where(two => Bundle.Apart(one, two)).Select(two => $"{one.Ref.Name} and {two.Ref.Name}")))
            + $" ({string.Join(", ", machines.Where(one => !one.Placement.ApartFrom.IsEmpty).Select(one =>
                _places.At(one.Origin, "/placement/apartFrom")))}). The least change: let one of them run on one more "
            + "host, or two of them on the same.");
    }

    /// <summary>Machines that fit nowhere else fill the hosts they may go to.</summary>
    private void Room(ImmutableArray<CompartmentModel> machines)
    {
        var sets = machines.GroupBy(machine => _hosts[machine.Ref])
            .OrderBy(group => BigInteger.PopCount(group.Key)).ThenBy(group => group.Key).ToArray();
        var told = new HashSet<BigInteger>();
        foreach (var (set, resource) in sets.Select(group => group.Key)
            .SelectMany(set => Enum.GetValues<HostResource>().Select(resource => (set, resource))))
        {
            if (told.Any(less => (less & set) == less))
            {
                continue;
            }

            long offered = _search.Named(set).Sum(host => Capacity.Of(Capacity.Whole(host), resource));
            var bound = sets.Where(group => (group.Key & set) == group.Key).SelectMany(group => group)
                .OrderByDescending(machine => Capacity.Of(Capacity.Needed(machine), resource))
                .ThenBy(machine => machine.Ref.ToString(), StringComparer.Ordinal).ToArray();
            long needed = 0;
            int count = bound.TakeWhile(machine =>
                (needed += Capacity.Of(Capacity.Needed(machine), resource)) <= offered).Count() + 1;
            if (count > bound.Length)
            {
                continue;
            }

            told.Add(set);
            var last = bound[count - 1];
            _places.Add(
                last.Origin, FindingCode.TooFewHosts, last.Placement.Hosts is null ? "" : "/placement/hosts",
                $"{Names([.. bound.Take(count)])} cannot all run: only {Display.List(HostNames(set))} can run any of "
                + $"them, which {Text(offered, resource)}, and they need {needed}. The least change: let "
                + $"{Display.Of(last)} run on one more host, or let them need {needed - offered} less.");
        }
    }

    private static string Text(long offered, HostResource resource) => resource switch
    {
        HostResource.Cpus => $"offer {offered} cpus",
        HostResource.Memory => $"offer {offered} MiB",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private BigInteger Hosts(ImmutableArray<CompartmentModel> bundle) =>
        bundle.Length == 1 ? _hosts[bundle[0].Ref] : _search.Meeting(Terms(bundle));

    /// <summary>
    /// What is demanded of a host of all. What is reserved for others is not among it: it gets less as theirs run.
    /// </summary>
    private ImmutableArray<HostTerm> Terms(ImmutableArray<CompartmentModel> bundle) =>
    [
        .. bundle.SelectMany(machine => HostTerm.Of(AdmissionCase.Of(_ground, machine, _search.Hosts[0])))
            .Where(term => term is not HostTerm.MountImage).Distinct(),
        new HostTerm.Room(bundle, HostResource.Cpus),
        new HostTerm.Room(bundle, HostResource.Memory),
    ];

    private static bool IsOne(ImmutableArray<CompartmentModel> machines) => Components(machines
        .SelectMany(one => machines.Where(two => one.Placement.TogetherWith.Contains(two.Ref.Name))
            .Select(two => (one, two)))) is [var only] && only.Length == machines.Length;

    /// <summary>The machines that pairs connect, each set by reference.</summary>
    private static ImmutableArray<ImmutableArray<CompartmentModel>> Components(
        IEnumerable<(CompartmentModel One, CompartmentModel Other)> pairs)
    {
        var next = new Dictionary<CompartmentRef, (CompartmentModel Machine, HashSet<CompartmentModel> Others)>();
        foreach (var (one, other) in pairs.SelectMany(pair => new[] { pair, (pair.Other, pair.One) }))
        {
            if (!next.TryGetValue(one.Ref, out var entry))
            {
                next[one.Ref] = entry = (one, new HashSet<CompartmentModel>(ReferenceEqualityComparer.Instance));
            }

            entry.Others.Add(other);
        }

        var seen = new HashSet<CompartmentRef>();
        var components = ImmutableArray.CreateBuilder<ImmutableArray<CompartmentModel>>();
        foreach (var first in next.Values.Select(entry => entry.Machine))
        {
            var waiting = new Queue<CompartmentModel>([first]);
            var component = new List<CompartmentModel>();
            while (waiting.TryDequeue(out var machine))
            {
                if (seen.Add(machine.Ref))
                {
                    component.Add(machine);
                    next[machine.Ref].Others.ToList().ForEach(waiting.Enqueue);
                }
            }

            if (component.Count > 0)
            {
                components.Add([.. component.OrderBy(one => one.Ref.ToString(), StringComparer.Ordinal)]);
            }
        }

        return components.ToImmutable();
    }

    private IEnumerable<string> HostNames(BigInteger set) =>
        _search.Named(set).Select(host => host.Ref.Name.Text);

    private static string Names(ImmutableArray<CompartmentModel> machines) =>
        Display.List(machines.Select(Display.Of));
}
