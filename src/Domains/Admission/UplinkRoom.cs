using System.Collections.Immutable;
using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.Admission;

/// <summary>How a host can keep what a machine's domains reserve of its uplink.</summary>
internal enum UplinkKeeping
{
    /// <summary>All of it, beside what is reserved there already; also where nothing is reserved.</summary>
    Whole = 1,
    /// <summary>Not beside what others reserve, but it is no more than an equal part, which nobody can take.</summary>
    EqualPart,
    /// <summary>Neither.</summary>
    Nothing,
}

/// <summary>Room on a host's uplink for the reservations of one more machine's domains.</summary>
/// <remarks>
/// Asked before a machine goes to a host and before it starts there, never of one that runs: a reservation is a
/// tenant's own word, and no tenant may end another's machine by raising its own. Where a later policy reserves more
/// than there is, the plan gives each domain an equal part at most.
/// </remarks>
internal static class UplinkRoom
{
    /// <summary>How the host keeps it, and why not where it does not.</summary>
    /// <param name="admission">The machine and the host.</param>
    /// <param name="standing">The machines admitted, this one among them or not.</param>
    public static (UplinkKeeping Keeping, AdmissionRefusal? Refusal) Of(AdmissionCase admission, Standing standing) =>
        admission.Host.UplinkMbit is null || admission.Domains.All(domain => Reserved(domain) == 0)
            ? (UplinkKeeping.Whole, null)
            : Of(admission, [.. admission.Ground.Datacentre.Domains.Values.Where(domain => Reserved(domain) > 0
            && standing.Members(domain).Any(place =>
                place.Host.Ref == admission.Host.Ref && place.Machine.Ref != admission.Machine.Ref))]);

    /// <summary>The same, where these domains that reserve something are on the host already.</summary>
    public static (UplinkKeeping Keeping, AdmissionRefusal? Refusal) Of(
        AdmissionCase admission, ImmutableArray<DomainModel> there)
    {
        var host = admission.Host;
        var coming = admission.Domains.Where(domain => Reserved(domain) > 0 && !there.Contains(domain))
            .ToImmutableArray();
        if (host.UplinkMbit is not { } uplink || coming.IsEmpty)
        {
            return (UplinkKeeping.Whole, null);
        }

        var (shared, used) = (UplinkShare.Of(uplink), there.Sum(Reserved));
        var most = coming.MaxBy(Reserved) ?? coming[0];
        if (used + coming.Sum(Reserved) <= shared)
        {
            return (UplinkKeeping.Whole, null);
        }

        var equal = shared / (there.Length + coming.Length);
        return (Reserved(most) <= equal ? UplinkKeeping.EqualPart : UplinkKeeping.Nothing, new AdmissionRefusal(
            AdmissionRefusalCode.UplinkFull,
            $"{host.Origin} shares out {shared} Mbit/s of its uplink, of which {used} are reserved by domains there; "
            + $"{most.Origin} reserves {Reserved(most)}, and an equal part is {equal}. Reserve less, or let the "
            + "machine run elsewhere.",
            most.Origin));
    }

    private static long Reserved(DomainModel domain) => domain.Bandwidth?.ReserveMbit ?? 0;
}
