using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json;
using Bailiwick.Attestation;
using Bailiwick.Channel.Keys;
using Bailiwick.Channel.Routes;
using Bailiwick.Domains.KeyRelease;
using Bailiwick.Domains.Policy;
using Bailiwick.KeyService.Api;
using Bailiwick.KeyService.Following;
using Bailiwick.KeyService.Proving;

namespace Bailiwick.KeyService.Releasing;

/// <summary>
/// Where the owner asks who could open a volume now, and why not: for each machine that names it, on each host of the
/// inventory, by the decision that a request would meet. It opens nothing and keeps nothing.
/// </summary>
/// <param name="releases">Where requests are decided.</param>
/// <param name="proofs">What hosts showed of themselves.</param>
/// <param name="policy">The policies and the inventory.</param>
/// <param name="bar">Why nothing is released, whoever asks; null mostly.</param>
/// <param name="time">The time.</param>
public sealed class OpeningDesk(
    ReleaseDesk releases, HostProofs proofs, Func<PolicySnapshot?> policy, Func<RouteProblem?> bar, TimeProvider time)
{
    /// <summary>The most rows of an answer; of further ones their number is told.</summary>
    public const int MostRows = 2048;

    /// <summary>Answers for one volume of the tenant.</summary>
    public RouteAnswer<OpeningsBody> Openings(RouteCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        if (policy() is not { Datacentre: var datacentre })
        {
            return new RouteAnswer<OpeningsBody>.Refused(RefusalProblem.NotReady);
        }

        if (call.Values.Name("name") is not { } name || call.Values.Party("tenant") != releases.Tenant)
        {
            return new RouteAnswer<OpeningsBody>.Refused(KeyProblems.NoSuchVolume);
        }

        KeySubject.Volume key = new(new VolumeRef(releases.Tenant, name));
        KeyWish[] wishes = [.. Wishes(key, datacentre)];
        lock (releases.Gate)
        {
            RouteProblem? barred = bar();
            if (!releases.Knows(key) && !datacentre.Machinery.Volumes.ContainsKey(key.ToString()))
            {
                return new RouteAnswer<OpeningsBody>.Refused(KeyProblems.NoSuchVolume);
            }

            return new RouteAnswer<OpeningsBody>.Ok(new OpeningsBody(
                key.ToString(), [.. wishes.Take(MostRows).Select(wish => Row(wish, datacentre, barred))],
                Math.Max(0, wishes.Length - MostRows)));
        }
    }

    /// <summary>
    /// Each machine that has a disk on the volume, and each that has one on a copy that is to be made of it, on each
    /// host.
    /// </summary>
    private static IEnumerable<KeyWish> Wishes(KeySubject.Volume key, CheckedDatacentre datacentre)
    {
        VolumeRef?[] uses =
        [
            null,
            .. datacentre.Machinery.Volumes.Values
                .Where(one => one.Ref.Tenant == key.Tenant && one.FromVolume == key.Ref.Name)
                .Select(one => one.Ref).OrderBy(one => one.ToString(), StringComparer.Ordinal),
        ];
        return
            from copy in uses
            from machine in datacentre.Machinery.Compartments
            where machine.Value.Disks.Any(disk => disk.Volume == (copy ?? key.Ref))
            from host in datacentre.Inventory.Hosts
            orderby copy is not null, copy?.ToString(), machine.Key, host.Key
            select new KeyWish(key, machine.Value.Ref, host.Value.Ref) { Copy = copy };
    }

    private OpeningRow Row(KeyWish wish, CheckedDatacentre datacentre, RouteProblem? barred)
    {
        KeyFacts facts = releases.FactsOf(wish);
        VerifiedEvidence? latest = proofs.LatestOf(wish.Host.ToString());
        WishVerdict verdict = ReleaseControl.Consider(wish, datacentre, facts, latest, time.GetUtcNow());
        ImmutableArray<OpeningReason> reasons = verdict switch
        {
            WishVerdict.Allowed => [],
            WishVerdict.Refused refused =>
            [
                .. refused.Refusals.Select(one => new OpeningReason(
                    JsonNamingPolicy.KebabCaseLower.ConvertName(one.Code.ToString()), one.Sentence)),
            ],
            _ => throw new UnreachableException(),
        };
        if (barred is not null)
        {
            reasons = reasons.Insert(0, new OpeningReason(barred.Code, barred.Detail));
        }

        KeyHolder? held = facts.Holders.All.FirstOrDefault(one => one.Host == wish.Host
            && one.Machine == wish.Compartment && one.IsCopying == wish.Copy is not null);
        return new OpeningRow(
            wish.Compartment.ToString(), wish.Host.ToString(), Access(wish, datacentre), wish.Copy?.ToString() ?? "",
            reasons.IsEmpty, held is not null,
            held is null ? null : releases.Restarts.UntilOf(wish.Key.ToString(), wish.Host.ToString()), reasons);
    }

    private static string Access(KeyWish wish, CheckedDatacentre datacentre) =>
        wish is { Copy: null, Key: KeySubject.Volume { Ref: var volume } }
            ? WireText.Of(datacentre.Machinery.Compartments[wish.Compartment.ToString()].Disks
                .First(disk => disk.Volume == volume).Access)
            : WireText.Of(VolumeAccess.Read);
}
