using Bailiwick.Domains.Policy;

namespace Bailiwick.Domains.KeyRelease;

/// <summary>
/// What a request for a volume's key to copy that volume needs beside what any other needs: the copy's statement names
/// what it is a copy of, and the host holds the key of the copy for the very machine, so that all that is demanded for
/// the copy was demanded of it. A host that may only have the one gets not the other.
/// </summary>
internal static class CopyCase
{
    /// <summary>Adds every reason; none when nothing is to be copied.</summary>
    public static void Check(ReleaseCase reasons)
    {
        ReleaseRequest request = reasons.Request;
        if (request.Copy is not { } copy)
        {
            return;
        }

        if (copy.Tenant != request.Tenant)
        {
            reasons.Add(
                KeyRefusalCode.ForeignReference,
                $"{copy} must be of the tenant {request.Tenant.Short}, as {request.Key}.");
        }

        VolumeModel? model = reasons.Datacentre.Machinery.Volumes.GetValueOrDefault(copy.ToString());
        if (request.Key is not KeySubject.Volume { Ref: var source } || model is null || copy.Tenant != source.Tenant
            || model.FromVolume != source.Name
            || reasons.Datacentre.Machinery.Volumes.GetValueOrDefault(source.ToString())?.Colour != model.Colour)
        {
            reasons.Add(
                KeyRefusalCode.CopyNotStated,
                $"No accepted statement says that {copy.Name} is a copy of {request.Key}, in its domain.",
                model?.Origin);
        }

        if (!reasons.Custody.CopyHolders.All.Any(one => one.Host == request.Host
            && one.Machine == request.Compartment && !one.IsCopying))
        {
            reasons.Add(
                KeyRefusalCode.CopyNotHeld,
                $"{request.Host} does not hold the key of {copy.Name} for {request.Compartment.Name}, and only who may "
                + "have the copy may read what is copied. Ask for that key first.");
        }

        if (reasons.Custody.CopyHeader is VolumeHeaderMark.Bound made)
        {
            reasons.Add(
                KeyRefusalCode.CopyMade, $"{copy.Name} was made already: it has its header since {made.Since:u}.");
        }
    }
}
