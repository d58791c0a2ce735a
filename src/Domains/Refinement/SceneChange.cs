using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Flows;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>A scene after a change, made from the one before it.</summary>
internal sealed class SceneChange
{
    private readonly SceneParts _then;
    private readonly AdmissionGround _now;
    private readonly DatacentreChange _change;
    private readonly HashSet<DomainRef> _inside = [];
    private readonly HashSet<DomainRef> _touched = [];
    private readonly HashSet<string> _passages = new(StringComparer.Ordinal);
    private readonly HashSet<HostRef> _refusing = [];

    private SceneChange(SceneParts then, AdmissionGround now, DatacentreChange change) =>
        (_then, _now, _change, Parts) = (then, now, change, then with { Ground = now });

    /// <summary>What the scene is made of now.</summary>
    public SceneParts Parts { get; private set; }

    /// <summary>Whose plans it touches.</summary>
    public TouchedPlans Touched { get; private set; } = TouchedPlans.None;

    /// <summary>Makes it; null where everything is to be looked at.</summary>
    public static SceneChange? To(
        SceneParts then, CheckedDatacentre next, IReadOnlyCollection<PlacementProposal> come,
        IReadOnlyCollection<PlacementProposal> gone, DateTimeOffset now)
    {
        if (next.ChangeSince(then.Ground.Datacentre) is not { } change)
        {
            return null;
        }

        var made = new SceneChange(then, AdmissionGround.Of(next, now), change);
        ImmutableArray<DomainRef> domains = [.. change.Domains.Where(domain => !ReferenceEquals(
            Model(then.Ground, domain), Model(made._now, domain)))];
        var known = then.Review.Value;
        if (known.After(made._now, change, come, gone, host => then.Machines.Find(host)?.All ?? [], out var judged)
            is not { } review)
        {
            return null;
        }

        made.Make(review, judged, domains, [.. come.Concat(gone).Select(proposal => proposal.Compartment)]);
        made.Touch([.. come.Concat(gone).Select(proposal => proposal.Host)]);
        return made;
    }

    private static DomainModel? Model(AdmissionGround ground, DomainRef domain) =>
        ground.Domain(domain.Tenant, domain.Name);

    private void Make(
        KnownReview review, ImmutableHashSet<CompartmentRef> judged, ImmutableArray<DomainRef> domains,
        ImmutableHashSet<CompartmentRef> proposed)
    {
        var known = _then.Review.Value;
        Moved[] moved = [.. judged.Select(machine => new Moved(
            machine, _then.Ground.Machine(machine), known.Place(machine), _now.Machine(machine),
            review.Place(machine)))];
        Place([.. moved.Where(one => !ReferenceEquals(one.Then, one.Now) || one.From?.Ref != one.To?.Ref)]);
        _inside.UnionWith(domains);
        _inside.UnionWith(moved.Where(one => _change.Machines.Contains(one.Machine) || proposed.Contains(one.Machine))
            .SelectMany(one => one.Models).SelectMany(Standing.Domains));
        Join(domains);
        Parts = Parts with
        {
            Review = new Lazy<KnownReview>(review),
            Conflicts = Conflicts(),
            Vlans = _then.Vlans.With(_then.Ground, _now, domains, _inside),
            Admitted = _then.Admitted.With([.. judged.Select(machine => KeyValuePair.Create(
                machine, review.On(machine).OfType<AdmissionVerdict.Admitted>().FirstOrDefault()))]),
            Refused = Refused(review, judged),
        };
    }

    private ILookup<HostRef, AdmissionVerdict.Refused> Refused(
        KnownReview review, ImmutableHashSet<CompartmentRef> judged)
    {
        var now = judged.SelectMany(machine => review.On(machine)).OfType<AdmissionVerdict.Refused>().ToArray();
        var then = judged.SelectMany(machine => _then.Review.Value.On(machine)).OfType<AdmissionVerdict.Refused>();
        _refusing.UnionWith(now.Concat(then).Select(one => one.Host));
        return _refusing.Count == 0 ? _then.Refused : _then.Refused.SelectMany(group => group)
            .Where(one => !judged.Contains(one.Compartment)).Concat(now)
            .OrderBy(one => one.Compartment.ToString(), StringComparer.Ordinal)
            .ThenBy(one => one.Host.ToString(), StringComparer.Ordinal).ToLookup(one => one.Host);
    }

    /// <summary>Takes machines away from where they were, and puts them where they are.</summary>
    private void Place(Moved[] moved)
    {
        var machines = moved.Select(one => one.Machine).ToHashSet();
        var hosts = moved.SelectMany(one => one.Hosts).Select(host => host.Ref).Distinct().Select(host =>
            KeyValuePair.Create<HostRef, Listed<CompartmentModel>?>(host, new Listed<CompartmentModel>(
            [
                .. (_then.Machines.Find(host)?.All ?? []).Where(machine => !machines.Contains(machine.Ref))
                    .Concat(moved.Where(one => one.To?.Ref == host).Select(one => one.Now).OfType<CompartmentModel>())
                    .OrderBy(machine => machine.Ref.ToString(), StringComparer.Ordinal),
            ])));
        var ports = moved.SelectMany(one => one is { Now: { } machine, To: { } host }
            ? SceneParts.Ports(machine, host) : []).ToLookup(port => port.Domain, port => port.Member);
        DomainRef[] domains = [.. moved.SelectMany(one => one.Models).SelectMany(Standing.Domains).Distinct()];
        var members = domains.Select(domain => KeyValuePair.Create(domain, Placed(domain)));
        Parts = Parts with
        {
            Machines = _then.Machines.With([.. hosts]),
            Members = _then.Members.With([.. members]),
        };
        // What is told of a machine is told to those that its domain has flows with.
        _inside.UnionWith(domains);
        FlowPair[] pairs = [.. domains.SelectMany(domain => _then.Pairs[domain].Open)];
        _touched.UnionWith(pairs.SelectMany(pair => pair.Both.Select(domain => domain.Ref)));
        _passages.UnionWith(pairs.Select(pair => pair.Name));

        PlacedDomain? Placed(DomainRef domain)
        {
            ImmutableArray<PlacedMember> all =
            [
                .. (_then.Members.Find(domain)?.All ?? []).Where(member => !machines.Contains(member.Machine.Ref))
                    .Concat(ports[domain]).OrderBy(member => member.Machine.Ref.Name).ThenBy(member => member.Index),
            ];
            return all.IsEmpty ? null : PlacedDomain.Of(all);
        }
    }

    /// <summary>Finds which pairs have passages, and who has which number.</summary>
    private void Join(ImmutableArray<DomainRef> domains)
    {
        var (gone, come) = (new List<FlowPair>(), new List<FlowPair>());
        var pairs = _then.Pairs.With(_then.Ground, _now, domains, gone, come, _touched);
        var (before, after) = (_then.Ground.Datacentre, _now.Datacentre);
        var renumbered = new HashSet<DomainRef>();
        var numbers = _then.Numbers.With(
            domains.Select(domain => Model(_then.Ground, domain)).OfType<DomainModel>()
                .Select(domain => NumberClaim.By(before, domain))
                .Concat(gone.Select(pair => NumberClaim.By(before, pair))),
            domains.Select(domain => Model(_now, domain)).OfType<DomainModel>()
                .Select(domain => NumberClaim.By(after, domain))
                .Concat(come.Select(pair => NumberClaim.By(after, pair))),
            renumbered);
        Parts = Parts with { Pairs = pairs, Numbers = numbers };
        FlowPair[] others = [.. gone, .. come, .. renumbered.SelectMany(domain => pairs[domain].Open)];
        _inside.UnionWith(renumbered);
        _touched.UnionWith(others.SelectMany(pair => pair.Both.Select(domain => domain.Ref)));
        _passages.UnionWith(others.Select(pair => pair.Name));
        // Nobody asks for them any more, but plans that are made of the scene before.
        foreach (var pair in gone)
        {
            Parts.Laid.TryRemove(Key(pair), out _);
        }

        foreach (var domain in domains.Select(domain => Model(_then.Ground, domain)).OfType<DomainModel>())
        {
            Parts.LaidDomains.TryRemove(domain, out _);
        }
    }

    private LaidKey Key(FlowPair pair) => new(
        pair, _then.Members.Find(pair.First.Ref) ?? PlacedDomain.Empty,
        _then.Members.Find(pair.Second.Ref) ?? PlacedDomain.Empty);

    private ILookup<DomainRef, FlowConflict> Conflicts()
    {
        if (_then.Ground.Flows.Conflicts.SequenceEqual(_now.Flows.Conflicts))
        {
            return _then.Conflicts;
        }

        var (then, now) = (_then.Conflicts, SceneParts.ConflictsOf(_now));
        _touched.UnionWith(then.Concat(now).Select(group => group.Key).Distinct()
            .Where(domain => !then[domain].Select(Words).SequenceEqual(now[domain].Select(Words))));
        return now;
    }

    private static (string, StatementOrigin, StatementOrigin) Words(FlowConflict conflict) =>
        (conflict.Sentence, conflict.Judge.Domain.Origin, conflict.Peer.Origin);

    private void Touch(ImmutableArray<HostRef> proposed)
    {
        _touched.UnionWith(_inside);
        Touched = new TouchedPlans(
            _touched.ToDictionary(
                domain => domain.ToString(), domain => new TouchedDomain(domain, _inside.Contains(domain)),
                StringComparer.Ordinal),
            _passages,
            [
                .. _touched.SelectMany(domain => new[] { _then.Members.Find(domain), Parts.Members.Find(domain) })
                    .OfType<PlacedDomain>().SelectMany(placed => placed.ByHost).Select(there => there.Host.Ref),
                .. proposed, .. _refusing,
            ]);
    }
}
