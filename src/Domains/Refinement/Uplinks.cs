using System.Collections.Immutable;
using Bailiwick.Domains.Admission;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Refinement;

/// <summary>A host's uplink, shared out between the domains that it runs machines of.</summary>
internal static class Uplinks
{
    /// <summary>Classes below are the root's and the others'.</summary>
    private const int FirstNumber = 16;

    /// <summary>The plan, or null when nothing is to be shared out.</summary>
    public static UplinkPlan? Of(
        HostModel host, ImmutableArray<DomainPart> domains, ImmutableArray<PassagePlan> passages,
        SortedDictionary<string, Reason> withheld)
    {
        var wanting = domains.Where(one => one.Model.Bandwidth is not null).ToArray();
        if (wanting.Length == 0)
        {
            return null;
        }

        if (host.UplinkMbit is not { } whole)
        {
            withheld.TryAdd("uplink", new Reason(
                $"No bandwidth is reserved or limited on {Display.Of(host)}: its operator does not state uplinkMbit.",
                [host.Origin, .. wanting.Select(one => one.Model.Origin)]));
            return null;
        }

        var most = Most([.. wanting.Select(one => one.Model)], host, whole, withheld);
        return new UplinkPlan(
            host.UnderlayIpv4, whole,
            [.. wanting.Select((one, at) => Part(one.Plan, one.Model, FirstNumber + at, (whole, most), passages))],
            new Reason($"{Display.Of(host)} sends at most {whole} Mbit/s to other hosts.", [host.Origin]));
    }

    /// <summary>
    /// The most that one may reserve. A reservation is a tenant's own word, so where all together is too much, no
    /// tenant gains by asking for more than its equal part.
    /// </summary>
    private static int Most(
        ImmutableArray<DomainModel> domains, HostModel host, int whole, SortedDictionary<string, Reason> withheld)
    {
        var reserving = domains.Where(domain => domain.Bandwidth is { ReserveMbit: > 0 }).ToArray();
        var (shared, sum) = (UplinkShare.Of(whole), reserving.Sum(one => (long)(one.Bandwidth?.ReserveMbit ?? 0)));
        if (sum <= shared)
        {
            return shared;
        }

        var equal = Math.Max(1, shared / reserving.Length);
        withheld.TryAdd("uplink", new Reason(
            $"{sum} Mbit/s are reserved on {Display.Of(host)}, which shares out {shared}: each domain gets {equal} at "
            + "most.", [host.Origin, .. reserving.Select(domain => domain.Origin)]));
        return equal;
    }

    private static UplinkPart Part(
        DomainPlan plan, DomainModel model, int number, (int Whole, int Most) uplink,
        ImmutableArray<PassagePlan> passages)
    {
        var bandwidth = model.Bandwidth ?? new DomainBandwidth(0, null);
        // A passage is two domains'; the first of them that is here pays for what this host sends in it.
        var paid = passages.Where(passage => passage.Ports[0].Leg.Domain == plan.Domain).ToArray();
        return new UplinkPart(
            plan.Domain, number, Math.Min(bandwidth.ReserveMbit, uplink.Most),
            Math.Min(bandwidth.LimitMbit ?? uplink.Whole, uplink.Whole),
            [.. paid.Select(passage => passage.Network.Number).Append(plan.Network.Number).Order()],
            [
                .. paid.Select(passage => passage.Network.Encrypted).Append(plan.Network.Encrypted)
                    .OfType<EncryptedTunnels>().Select(one => one.Segment).Order(StringComparer.Ordinal),
            ],
            new Reason($"{plan.DisplayName} has a part of each host's uplink.", [model.Origin]));
    }
}
