using System.Collections.Immutable;
using Bailiwick.Domains.Placement;
using Bailiwick.Domains.Policy;
using Bailiwick.Ledger.Statements;

namespace Bailiwick.Domains.Admission;

/// <summary>
/// The verdicts on all proposals, from which those after a change are found without judging again whom it cannot touch.
/// </summary>
/// <remarks>
/// Who is judged first decides only where something is short. So a change is judged alone where in the end nothing is:
/// every quota, host, reservation, volume and demand on company holds with all machines there, also with those that the
/// policies alone refuse; and what holds with all of them held for each when it came. For whom something was short is
/// judged beside those that it has to do with, in the order of all. Where that is not so, or the change may be of use
/// to another machine for which something was short, everything is judged in order.
/// </remarks>
internal sealed class KnownReview
{
    private readonly AdmissionGround _ground;
    private readonly Layered<CompartmentRef, Listed<AdmissionVerdict>> _verdicts;
    private readonly StandingSums _sums;
    private readonly StandingTies _ties;
    // Those for which something was short; nobody counts them.
    private readonly ImmutableHashSet<CompartmentRef> _short;
    private readonly ReservedSums _reserved;
    // No domain that has not expired does so before it.
    private readonly DateTimeOffset _nextExpiry;

    private KnownReview(
        AdmissionGround ground, Layered<CompartmentRef, Listed<AdmissionVerdict>> verdicts, StandingSums sums,
        StandingTies ties, ImmutableHashSet<CompartmentRef> tooMuch, ReservedSums reserved,
        DateTimeOffset nextExpiry) =>
        (_ground, _verdicts, _sums, _ties, _short, _reserved, _nextExpiry) =
            (ground, verdicts, sums, ties, tooMuch, reserved, nextExpiry);

    /// <summary>That of all proposals that are to run.</summary>
    public static KnownReview Of(AdmissionGround ground, IEnumerable<AdmissionVerdict> verdicts)
    {
        var of = verdicts.GroupBy(verdict => verdict.Compartment)
            .ToDictionary(group => group.Key, group => new Listed<AdmissionVerdict>([.. group]));
        var (counted, proposed) = (new List<(CompartmentModel, HostModel)>(), new List<CompartmentModel>());
        foreach (var (machine, verdict) in of)
        {
            if (ground.Machine(machine) is { } model)
            {
                proposed.Add(model);
                if (Counted(ground, verdict) is { } host)
                {
                    counted.Add((model, host));
                }
            }
        }

        var sums = StandingSums.Of(counted);
        return new KnownReview(
            ground, Layered<CompartmentRef, Listed<AdmissionVerdict>>.Of(of), sums,
            StandingTies.Of(ground, counted.Select(one => one.Item1), proposed),
            [.. of.Where(one => one.Value.All.Any(IsShort)).Select(one => one.Key)],
            ReservedSums.Of(ground, sums), NextExpiry(ground));
    }

    /// <summary>All that is proposed to run.</summary>
    public IEnumerable<PlacementProposal> Proposals => _verdicts.All.SelectMany(one => one.Value.All)
        .Select(verdict => new PlacementProposal(verdict.Compartment, verdict.Host, Running: true));

    /// <summary>Where a machine is admitted; null for nowhere.</summary>
    public HostModel? Place(CompartmentRef machine) =>
        _verdicts.Find(machine)?.All is [AdmissionVerdict.Admitted admitted] ? _ground.Host(admitted.Host) : null;

    /// <summary>The verdicts on a machine, one for each host that it is proposed for.</summary>
    public ImmutableArray<AdmissionVerdict> On(CompartmentRef machine) => _verdicts.Find(machine)?.All ?? [];

    /// <summary>The verdicts after a change; null where everything is to be judged.</summary>
    /// <param name="ground">The policies after it.</param>
    /// <param name="change">What of them may be others.</param>
    /// <param name="come">Proposals that are new.</param>
    /// <param name="gone">Proposals that are none any more.</param>
    /// <param name="on">The machines that were admitted on a host.</param>
    /// <param name="judged">The machines that were judged again.</param>
    public KnownReview? After(
        AdmissionGround ground, DatacentreChange change, IReadOnlyCollection<PlacementProposal> come,
        IReadOnlyCollection<PlacementProposal> gone, Func<HostRef, IEnumerable<CompartmentModel>> on,
        out ImmutableHashSet<CompartmentRef> judged)
    {
        judged = change.Machines
            .Union(come.Concat(gone).Select(proposal => proposal.Compartment))
            .Union(ground.Flows.GrantersSince(_ground.Flows).SelectMany(_ties.ByFlow));
        if (HasExpired(ground, change))
        {
            return null;
        }

        var next = new Dictionary<CompartmentRef, Listed<AdmissionVerdict>?>();
        foreach (var machine in judged)
        {
            var hosts = On(machine).Select(verdict => verdict.Host)
                .Except(gone.Where(one => one.Compartment == machine).Select(one => one.Host))
                .Union(come.Where(one => one.Running && one.Compartment == machine).Select(one => one.Host)).ToArray();
            next[machine] = hosts.Length == 0 ? null
                : new Listed<AdmissionVerdict>(AdmissionControl.WithoutNeighbours(ground, machine, [.. hosts]));
        }

        JudgeShort(ground, next, on);
        return After(ground, change, next);
    }

    /// <summary>
    /// Judges those for whom something was short again, beside all who have to do with them and in the order of all.
    /// </summary>
    private void JudgeShort(
        AdmissionGround ground, Dictionary<CompartmentRef, Listed<AdmissionVerdict>?> next,
        Func<HostRef, IEnumerable<CompartmentModel>> on)
    {
        var hosts = new Dictionary<CompartmentRef, HostRef>();
        foreach (var (machine, verdicts) in next)
        {
            if (_short.Contains(machine) && verdicts?.All is [var only])
            {
                hosts[machine] = only.Host;
            }
        }

        CompartmentModel[] models = [.. hosts.Keys.Select(ground.Machine).OfType<CompartmentModel>()];
        if (models.Length == 0)
        {
            return;
        }

        var members = ground.Datacentre.Index.Members;
        var beside = models.SelectMany(Standing.Domains).Distinct().SelectMany(domain => members.All(domain))
            .Concat(hosts.Values.Distinct().SelectMany(on).Select(machine => machine.Ref))
            .Concat(models.SelectMany(_ties.With)).Concat(next.Keys).Distinct();
        var standing = Standing.Empty(ground);
        foreach (var (_, machine) in beside.Select(machine => (Name: machine.ToString(), machine))
            .OrderBy(one => one.Name, StringComparer.Ordinal))
        {
            if (hosts.TryGetValue(machine, out var host))
            {
                next[machine] = new Listed<AdmissionVerdict>(
                    [AdmissionControl.Beside(standing, ground, machine, host)]);
            }

            foreach (var verdict in (next.TryGetValue(machine, out var now) ? now : _verdicts.Find(machine))?.All ?? [])
            {
                standing.Count(verdict);
            }
        }
    }

    private KnownReview? After(
        AdmissionGround ground, DatacentreChange change,
        Dictionary<CompartmentRef, Listed<AdmissionVerdict>?> next)
    {
        Moved[] moved = [.. next.Select(one => new Moved(
            one.Key, _ground.Machine(one.Key), Counted(_ground, _verdicts.Find(one.Key)),
            ground.Machine(one.Key), Counted(ground, one.Value)))];
        // Who is what it was where it was, admitted or refused as it was, takes and gives nothing.
        Moved[] others =
        [
            .. moved.Where(one => !ReferenceEquals(one.Then, one.Now) || one.From?.Ref != one.To?.Ref
                || IsAdmitted(_verdicts.Find(one.Machine)) != IsAdmitted(next[one.Machine])),
        ];
        var (sums, ties) = (_sums.With(others), _ties.With(ground, moved));
        var isAsReserved = _reserved.IsAsReserved(_ground, ground, change.Domains);
        var reserved = isAsReserved ? _reserved.With(others) : ReservedSums.Of(ground, sums);
        var isFree = HaveStorage(ground, change, moved) && sums.HaveRoom(ground, moved, change.Domains)
            && reserved.AreLeft(default)
            && ties.AllowAll(ground, moved, machine => Counted(
                ground, next.TryGetValue(machine, out var verdict) ? verdict : _verdicts.Find(machine)))
            && !_short.Any(one => !next.ContainsKey(one) && Meets(ground, one, others))
            && StayShort(ground, change, next, reserved, isAsReserved && others.Length == 0);
        return isFree ? new KnownReview(
            ground, _verdicts.With(next), sums, ties,
            _short.Except(next.Keys).Union(
                next.Where(one => one.Value?.All.Any(IsShort) == true).Select(one => one.Key)),
            reserved, NextExpiry(ground, change)) : null;
    }

    /// <summary>Whether a policy has expired since, or has not any more.</summary>
    private bool HasExpired(AdmissionGround ground, DatacentreChange change)
    {
        var domains = ground.Now >= _ground.Now && ground.Now < _nextExpiry
            ? change.Domains.Select(domain => ground.Domain(domain.Tenant, domain.Name)).OfType<DomainModel>()
            : ground.Datacentre.Domains.Values;
        return domains.Any(domain => ground.Now >= domain.Expires != _ground.Now >= domain.Expires);
    }

    private DateTimeOffset NextExpiry(AdmissionGround ground, DatacentreChange change) =>
        ground.Now < _ground.Now || ground.Now >= _nextExpiry ? NextExpiry(ground)
            : change.Domains.Select(domain => ground.Domain(domain.Tenant, domain.Name)).OfType<DomainModel>()
                .Select(domain => domain.Expires).Where(expires => expires > ground.Now).Append(_nextExpiry).Min();

    private static DateTimeOffset NextExpiry(AdmissionGround ground) => ground.Datacentre.Domains.Values
        .Select(domain => domain.Expires).Where(expires => expires > ground.Now)
        .DefaultIfEmpty(DateTimeOffset.MaxValue).Min();

    /// <summary>
    /// Whether what is reserved says of those for whom something was short what it said. It does where nobody moved and
    /// the statements that are named are as they were; or where it was not the reason, and would be left with each of
    /// them too. Whoever finds its host full is not asked what is reserved.
    /// </summary>
    private bool StayShort(
        AdmissionGround ground, DatacentreChange change,
        Dictionary<CompartmentRef, Listed<AdmissionVerdict>?> next, ReservedSums reserved, bool isAsItWas) =>
        (reserved.IsNothing && _reserved.IsNothing) || _short.All(one =>
        {
            var isJudged = next.TryGetValue(one, out var now);
            AdmissionRefusal[] full =
            [
                .. ((isJudged ? now : _verdicts.Find(one))?.All ?? []).OfType<AdmissionVerdict.Refused>()
                    .SelectMany(verdict => verdict.Refusals)
                    .Where(refusal => refusal.Code == AdmissionRefusalCode.HostFull),
            ];
            return full switch
            {
                [{ Because.Kind: StatementKind.Host }] => true,
                [] => (isAsItWas && !isJudged) || ground.Machine(one) is not { } machine
                    || reserved.AreLeft(Capacity.Needed(machine)),
                _ => isAsItWas && !isJudged && full.All(refusal => refusal.Because is { } because
                    && !change.Domains.Contains(new DomainRef(because.Owner, because.Name))),
            };
        });

    private static bool IsAdmitted(Listed<AdmissionVerdict>? verdicts) => verdicts?.All is [AdmissionVerdict.Admitted];

    /// <summary>Whether no volume is, or was, too much for a domain that changed, or of which a machine moved or a
    /// volume changed; a machine moves with what it borrows.</summary>
    private bool HaveStorage(AdmissionGround ground, DatacentreChange change, Moved[] moved) =>
        moved.SelectMany(one => one.Models).SelectMany(machine => Standing.Domains(machine)
                .Concat(Colours(ground, machine.Disks.Select(disk => disk.Volume))))
            .Concat(change.Domains).Concat(Colours(ground, change.Volumes)).Distinct()
            .All(domain => !ground.Datacentre.Index.OverQuota(domain).Any())
        && change.Domains.Concat(Colours(_ground, change.Volumes))
            .All(domain => !_ground.Datacentre.Index.OverQuota(domain).Any());

    private static IEnumerable<DomainRef> Colours(AdmissionGround ground, IEnumerable<VolumeRef> volumes) => volumes
        .Select(volume => ground.Datacentre.Machinery.Volumes.GetValueOrDefault(volume.ToString())?.Colour)
        .OfType<DomainRef>();

    /// <summary>Whether what was short for a machine may be more, or less, for one that moved.</summary>
    private bool Meets(AdmissionGround ground, CompartmentRef refused, Moved[] moved)
    {
        if (ground.Machine(refused) is not { } machine)
        {
            return false;
        }

        var hosts = On(refused).Select(verdict => verdict.Host).ToHashSet();
        var (domains, volumes) = (Standing.Domains(machine).ToHashSet(), machine.Disks.Select(one => one.Volume));
        return moved.Any(one => one.Models.Any(other =>
                Standing.Domains(other).Any(domains.Contains)
                || other.Disks.Any(disk => volumes.Contains(disk.Volume))
                || Standing.Named(other).Contains(refused) || Standing.Named(machine).Contains(other.Ref))
            || one.Hosts.Any(host => hosts.Contains(host.Ref)));
    }

    /// <summary>
    /// Where a machine is counted: where it is admitted, or would be but for the policies; null for nowhere.
    /// </summary>
    private static HostModel? Counted(AdmissionGround ground, Listed<AdmissionVerdict>? verdicts) =>
        verdicts?.All is [var only] && !IsShort(only) ? ground.Host(only.Host) : null;

    private static bool IsShort(AdmissionVerdict verdict) => verdict is AdmissionVerdict.Refused refused
        && refused.Refusals.Any(one => one.Code is AdmissionRefusalCode.NotApart or AdmissionRefusalCode.NotTogether
            or AdmissionRefusalCode.VolumeInUse or AdmissionRefusalCode.QuotaExceeded or AdmissionRefusalCode.HostFull);
}

/// <summary>A machine that was judged again.</summary>
/// <param name="Machine">Its reference.</param>
/// <param name="Then">What it was; null where no statement described it.</param>
/// <param name="From">Where it was; null for nowhere.</param>
/// <param name="Now">What it is.</param>
/// <param name="To">Where it is; null for nowhere.</param>
internal sealed record Moved(
    CompartmentRef Machine, CompartmentModel? Then, HostModel? From, CompartmentModel? Now, HostModel? To)
{
    public IEnumerable<CompartmentModel> Models => new[] { Then, Now }.OfType<CompartmentModel>();

    public IEnumerable<HostModel> Hosts => new[] { From, To }.OfType<HostModel>();
}
